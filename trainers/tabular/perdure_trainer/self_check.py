"""A first look at the converted model with onnx's own interpreter. The gate over the whole holdout belongs to the caller, in the runtime that serves."""

import numpy as np
import onnx
import onnx.reference
from onnx.reference.ops.aionnxml.op_tree_ensemble_regressor import TreeEnsembleRegressor as _Trees

from .dataset import Dataset
from .errors import TrainerError

_DOUBLES = ("base_values", "nodes_values", "target_weights")


class TreeEnsembleRegressor(_Trees):
    """onnx's own, which does not read trees that are given as tensors of doubles."""

    op_domain = "ai.onnx.ml"

    def _run(self, X, **attributes):
        for name in _DOUBLES:
            doubles = attributes.pop(f"{name}_as_tensor")
            if doubles is not None:
                attributes[name] = doubles
        (sums,) = super()._run(X, **attributes)
        return (sums.astype(np.float32),)


_TOLERANCE = 1e-5


def check_sample(model: onnx.ModelProto, data: Dataset, native: np.ndarray) -> float:
    """The greatest difference of an answer on evenly spaced rows, of numbers beyond 1 relative to them. Raises TrainerError `parity` above 1e-5."""
    outputs = [value.name for value in model.graph.output if value.name != "label"]
    answers = np.hstack(onnx.reference.ReferenceEvaluator(model, new_ops=[TreeEnsembleRegressor]).run(outputs, data.sample_inputs))
    difference = float((np.abs(answers - native[data.sample]) / np.maximum(1, np.abs(native[data.sample]))).max())
    if not difference <= _TOLERANCE:
        raise TrainerError("parity", f"The ONNX model differs from the native one by {difference:g} on a sample. This is a fault of the trainer.")
    return difference
