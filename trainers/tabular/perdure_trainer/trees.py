"""Decision trees as plain arrays: the one form in which every library's trees reach the ONNX graph."""

from dataclasses import dataclass

import numpy as np

LEAF = -1


@dataclass(frozen=True)
class Tree:
    """Nodes in arrays, node 0 the root. `left` is the child of a true condition; `left[i]` is LEAF for a leaf, whose answer is `value[i]`."""

    feature: np.ndarray
    # float32, since that is what ONNX compares.
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_goes_left: np.ndarray
    value: np.ndarray
    # The class whose score the leaves add to.
    target: int


@dataclass(frozen=True)
class Ensemble:
    trees: list[Tree]
    # "BRANCH_LEQ": left when value <= threshold; "BRANCH_LT": left when value < threshold.
    condition: str
    # Added to the sum of the leaves: one number for two classes or a number, else one a class.
    base_scores: list[float]
    # Whether leaves are added up as doubles. A probability forgives what float32 loses on the way; a number near zero, the
    # difference of great ones, does not.
    exact: bool = False

    @property
    def targets(self) -> int:
        return len(self.base_scores)


def snap_down(thresholds: np.ndarray) -> np.ndarray:
    """The greatest float32 not above each threshold.

    LightGBM and scikit-learn keep thresholds as doubles, ONNX as float32. For a float32 value x and any double t, x <= t holds exactly
    when x <= snap_down(t), so the native model and the snapped one send every float32 row to the same leaf: the native model's own
    probabilities are those of the snapped model. Rounding to the nearest instead moves rows across the threshold (0.04 of probability seen).
    """
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    above = near.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
