"""The tasks: what each one's label may be, what is fitted for it, what its answers are called, and how good they are on the training rows."""

from dataclasses import dataclass

import numpy as np

from .goals import CLASSES, QUANTILE, RANK, VALUE, Goal

# By task: the types that its label may have.
LABEL_TYPES = {
    "binary": ("boolean",),
    "multiclass": ("string", "integer"),
    "regression": ("number",),
    "ranking": ("boolean", "integer", "number"),
}
CLASSIFIERS = ("binary", "multiclass")


@dataclass(frozen=True)
class Answers:
    """The names of the columns of native answers, in the order of the model's outputs."""

    names: tuple[str, ...]
    # Places of these columns in a row of answers.
    places: tuple[int, ...]


def goals_of(task: str, classes: tuple, quantiles: tuple[float, ...]) -> list[Goal]:
    if task in CLASSIFIERS:
        return [Goal(CLASSES, classes=len(classes))]
    if task == "ranking":
        return [Goal(RANK)]
    return [Goal(VALUE), *(Goal(QUANTILE, quantile=one) for one in quantiles)]


def answers_of(task: str, classes: tuple, quantiles: tuple[float, ...]) -> Answers:
    if task == "binary":
        return Answers(("probability",), (1,))
    if task == "multiclass":
        names = [f"probability_{place}" for place in range(len(classes))]
    elif task == "ranking":
        names = ["score"]
    else:
        names = ["value", *(f"quantile_{place}" for place in range(len(quantiles)))]
    return Answers(tuple(names), tuple(range(len(names))))


def together(task: str, answers: list[np.ndarray]) -> np.ndarray:
    """The answers of all goals, side by side, float64 [N, width]. Quantiles are put in order row by row, so that they never cross."""
    joined = np.hstack(answers).astype(np.float64, copy=False)
    if task == "regression" and joined.shape[1] > 2:
        joined[:, 1:] = np.sort(joined[:, 1:], axis=1)
    return joined
