"""Rows as rankers want them: those of a group one after the other, and relevance as a gain."""

from dataclasses import dataclass

import numpy as np

from ..dataset import Dataset

# Up to here a relevance is a grade, whose gain doubles with each step as the libraries have it; beyond, or where it is not
# whole, the gain is the relevance itself.
_GREATEST_GRADE = 30


@dataclass(frozen=True)
class TrainingRows:
    matrix: np.ndarray
    labels: np.ndarray
    # Rows of each group, one after the other; None where there are no groups.
    group_sizes: np.ndarray | None


def rows_of(data: Dataset) -> TrainingRows:
    """The training rows; of a ranking by group, else as they are."""
    if data.train_groups is None:
        return TrainingRows(data.train, data.train_labels, None)
    order = np.argsort(data.train_groups, kind="stable")
    _, sizes = np.unique(data.train_groups, return_counts=True)
    return TrainingRows(np.asfortranarray(data.train[order]), data.train_labels[order], sizes)


@dataclass(frozen=True)
class Relevance:
    # Of each row, from 0.
    values: np.ndarray
    # Whether the gain doubles with each step, 2^value - 1; else it is the value.
    doubling: bool

    def as_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Each row's place among the different values, and the gain of each place."""
        values, places = np.unique(self.values, return_inverse=True)
        return places, 2**values - 1 if self.doubling else values


def relevance_of(labels: np.ndarray) -> Relevance:
    least = labels.min()
    doubling = bool(least >= 0 and labels.max() <= _GREATEST_GRADE and (labels == np.floor(labels)).all())
    return Relevance(labels - min(least, 0), doubling)
