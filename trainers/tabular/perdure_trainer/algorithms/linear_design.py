"""Standardised numbers with a column that says missing, and one column a string level: what the linear models are fitted on."""

import numpy as np
from onnx import TensorProto

from ..dataset import Dataset
from ..errors import TrainerError
from ..graph import GraphBuilder
from ..spec import Spec

# One column a level: beyond this the design matrix is the wrong tool.
_MOST_LEVELS = 1000


class Design:
    """The columns that a linear model sees, made in the same order in numpy and in the graph."""

    def __init__(self, data: Dataset, spec: Spec, estimator: str):
        for name, levels in data.encoding.levels.items():
            if len(levels) > _MOST_LEVELS:
                raise TrainerError(
                    "data-invalid", f"Feature {name} has {len(levels)} levels, and {estimator} takes {_MOST_LEVELS}. Use hist-gradient-boosting."
                )
        # Of each column of the matrix; None for numbers.
        known = data.encoding.levels
        self._levels = [len(known[name]) if name in known else None for name in data.encoding.columns]
        with np.errstate(invalid="ignore"):
            present = ~np.isnan(data.train)
        values = np.where(present, data.train, 0).astype(np.float64)
        counts = np.maximum(present.sum(axis=0), 1)
        means = values.sum(axis=0) / counts
        deviations = np.sqrt((np.where(present, values - means, 0) ** 2).sum(axis=0) / counts)
        # float32, as in the graph. A constant column keeps the scale 1.
        self._means = means.astype(np.float32)
        self._scales = np.where(deviations > 0, 1 / np.where(deviations > 0, deviations, 1), 1).astype(np.float32)

    def apply(self, matrix: np.ndarray) -> np.ndarray:
        blocks = []
        for index, levels in enumerate(self._levels):
            column = matrix[:, index : index + 1]
            if levels is None:
                missing = np.isnan(column)
                blocks += [(np.where(missing, self._means[index], column) - self._means[index]) * self._scales[index], missing.astype(np.float32)]
            elif levels:
                blocks.append((column == np.arange(levels, dtype=np.float32)).astype(np.float32))
        return np.hstack(blocks)

    def add_to_graph(self, graph: GraphBuilder, matrix: str, weights: np.ndarray, intercepts: np.ndarray, exact: bool = False) -> str:
        """The name of the scores. `exact`: added up as doubles, where they are the answer itself."""
        blocks = []
        for index, levels in enumerate(self._levels):
            column = graph.add("Gather", [matrix, graph.constant(np.array([index], np.int64))], axis=1)
            if levels is None:
                missing = graph.add("IsNaN", [column])
                mean = graph.constant(self._means[index : index + 1])
                centred = graph.add("Sub", [graph.add("Where", [missing, mean, column]), mean])
                blocks.append(graph.add("Mul", [centred, graph.constant(self._scales[index : index + 1])]))
                blocks.append(graph.add("Cast", [missing], to=1))
            elif levels:
                blocks.append(graph.add("Cast", [graph.add("Equal", [column, graph.constant(np.arange(levels, dtype=np.float32))])], to=1))
        design = graph.add("Concat", blocks, axis=1)
        kind = np.float64 if exact else np.float32
        if exact:
            design = graph.add("Cast", [design], to=TensorProto.DOUBLE)
        product = graph.add("MatMul", [design, graph.constant(weights.T.astype(kind))])
        scores = graph.add("Add", [product, graph.constant(intercepts.astype(kind))])
        return graph.add("Cast", [scores], to=TensorProto.FLOAT) if exact else scores

    def gains(self, weights: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Standard deviation of each feature's part of the score: what it moves."""
        parts = np.abs(weights).mean(axis=0) * self.apply(matrix).std(axis=0)
        widths = [2 if levels is None else levels for levels in self._levels]
        edges = np.concatenate([[0], np.cumsum(widths)])
        return np.array([parts[start:end].sum() for start, end in zip(edges[:-1], edges[1:], strict=True)])
