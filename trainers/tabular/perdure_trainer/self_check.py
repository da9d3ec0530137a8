"""A first look at the converted model with onnx's own interpreter. The gate over the whole holdout belongs to the caller, in the runtime that serves."""

import numpy as np
import onnx
import onnx.reference

from .errors import TrainerError
from .spec import Spec

_SAMPLE_ROWS = 32
_TOLERANCE = 1e-5


def check_sample(model: onnx.ModelProto, matrix: np.ndarray, native: np.ndarray, levels: dict[str, list[str]], spec: Spec) -> float:
    """The greatest difference of a probability on evenly spaced rows. Raises TrainerError `parity` above 1e-5."""
    rows = np.unique(np.linspace(0, len(matrix) - 1, min(_SAMPLE_ROWS, len(matrix))).astype(int))
    inputs = {}
    for index, feature in enumerate(spec.features):
        column = matrix[rows, index : index + 1]
        if feature.is_string:
            known = levels[feature.name]
            inputs[feature.name] = np.array([[known[int(code)] if code >= 0 else ""] for code in column[:, 0]], dtype=object)
        else:
            inputs[feature.name] = column
    _, probabilities = onnx.reference.ReferenceEvaluator(model).run(["label", "probabilities"], inputs)
    difference = float(np.abs(probabilities - native[rows]).max())
    if not difference <= _TOLERANCE:
        raise TrainerError("parity", f"The ONNX model differs from the native one by {difference:g} on a sample. This is a fault of the trainer.")
    return difference
