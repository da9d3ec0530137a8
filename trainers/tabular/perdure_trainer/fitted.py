"""What an algorithm's module hands back, and the things that every algorithm shares."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .graph import GraphBuilder


@dataclass(frozen=True)
class Fitted:
    # Rows of the matrix to native answers: probabilities, float64 [N, classes], or numbers, [N, 1].
    predict: Callable[[np.ndarray], np.ndarray]
    # Adds the model to a graph that has the matrix of this name; returns the name of the scores.
    add_to_graph: Callable[[GraphBuilder, str], str]
    # Each feature's part in the model, not negative, in the specification's order; shares are made of it.
    gains: np.ndarray


def both_classes(positive: np.ndarray) -> np.ndarray:
    """[N] probabilities of the positive class to [N, 2]."""
    positive = positive.astype(np.float64)
    return np.column_stack([1 - positive, positive])


def one_column(answers: np.ndarray) -> np.ndarray:
    """[N] numbers to [N, 1]."""
    return answers.astype(np.float64).reshape(-1, 1)


def report_rounds(report: Callable[[float, str], None], done: int, rounds: int) -> None:
    report(done / rounds, f"round {done} of {rounds}")
