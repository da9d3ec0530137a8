"""Every feature as columns of float32: the same in numpy here and in the graph (`graph.add_encoding`)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import TrainerError
from .spec import Feature

# The code of an unseen or missing level. It is the same in the ONNX graph.
UNSEEN = -1.0
# Whole numbers up to this are float32 as they are.
_EXACT = 2**24
_MICROSECONDS = 1e6
_INT64 = np.iinfo(np.int64)
# How far from its base a whole number is told apart: a difference of two such fits into 64 bits.
_REACH = 2**62


@dataclass(frozen=True)
class Encoding:
    """What was learned from the training rows."""

    features: tuple[Feature, ...]
    # For each string feature its sorted levels; the code of a level is its place.
    levels: dict[str, list[str]]
    # What is subtracted, in 64 bits, from times and from integers that float32 does not hold: so neighbours stay apart.
    bases: dict[str, int]

    @property
    def columns(self) -> list[str]:
        """The feature of each column of the matrix."""
        return [feature.name for feature in self.features for _ in range(feature.width)]

    def matrix(self, table: pa.Table, field: str) -> np.ndarray:
        # Column by column in memory, as the boosters read it.
        matrix = np.empty((table.num_rows, len(self.columns)), dtype=np.float32, order="F")
        at = 0
        for feature in self.features:
            values = self._encoded(table[feature.name], feature, field)
            matrix[:, at : at + feature.width] = values.reshape(-1, feature.width)
            at += feature.width
        return matrix

    def _encoded(self, column: pa.ChunkedArray, feature: Feature, field: str) -> np.ndarray:
        if feature.is_string:
            text = as_text(column)
            _check_missing(pc.sum(pc.equal(pc.fill_null(text, ""), "")).as_py() or 0, feature, field)
            codes = pc.index_in(text, value_set=pa.array(self.levels[feature.name], pa.string()))
            return pc.fill_null(codes, int(UNSEEN)).to_numpy()
        raw = raw_values(column, feature, field)
        if feature.type in ("number", "vector"):
            return raw
        missing = column.is_null().to_numpy()
        return np.where(missing, np.float32("nan"), self._number(raw, feature))

    def _number(self, raw: np.ndarray, feature: Feature) -> np.ndarray:
        if feature.name not in self.bases:
            return raw.astype(np.float32)
        base, (low, high) = self.bases[feature.name], reach(self.bases[feature.name])
        difference = np.clip(raw, low, high) - np.int64(base)
        if feature.type == "timestamp":
            return (difference.astype(np.float64) / _MICROSECONDS).astype(np.float32)
        return difference.astype(np.float32)


def learn(table: pa.Table, features: tuple[Feature, ...]) -> Encoding:
    levels = {feature.name: _levels(table[feature.name]) for feature in features if feature.is_string}
    bases = {}
    for feature in features:
        if feature.type not in ("integer", "timestamp"):
            continue
        known = raw_values(table[feature.name].drop_null(), feature, "trainFiles")
        least, most = (int(known.min()), int(known.max())) if len(known) else (0, 0)
        if feature.type == "timestamp" or max(-least, most) > _EXACT:
            bases[feature.name] = least
    return Encoding(features, levels, bases)


def reach(base: int) -> tuple[int, int]:
    return max(base - _REACH, _INT64.min), min(base + _REACH, _INT64.max)


def raw_values(column: pa.ChunkedArray, feature: Feature, field: str) -> np.ndarray:
    """What the graph gets of a feature that is no string; 0 where one is missing that is not a number or vector."""
    at = f"{field}: feature {feature.name}"
    kind = column.type
    if feature.type == "number":
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
            raise TrainerError("data-invalid", f"{field}: the number feature {feature.name} is of type {kind}. Write it as FLOAT.")
        values = pc.fill_null(column.cast(pa.float32(), safe=False), float("nan")).to_numpy()
        if np.isinf(values).any():
            raise TrainerError("data-invalid", f"{at} has an infinite value. Remove the row or make it missing.")
        _check_missing(int(np.isnan(values).sum()), feature, field)
        return values
    _check_missing(column.null_count, feature, field)
    if feature.type == "vector":
        return _vectors(column, feature, at)
    fits = {"integer": pa.types.is_integer, "boolean": pa.types.is_boolean, "timestamp": pa.types.is_timestamp}[feature.type]
    if not fits(kind):
        raise TrainerError("data-invalid", f"{at} is a {feature.type} in the specification and {kind} in the file. Make them agree.")
    if feature.type == "boolean":
        return pc.fill_null(column, False).to_numpy()
    whole = column.cast(pa.timestamp("us")).cast(pa.int64()) if feature.type == "timestamp" else column.cast(pa.int64())
    return pc.fill_null(whole, 0).to_numpy()


def _vectors(column: pa.ChunkedArray, feature: Feature, at: str) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise TrainerError("data-invalid", f"{at} is a vector in the specification and {kind} in the file. Write a list of FLOAT.")
    lengths = pc.unique(pc.drop_null(pc.list_value_length(column))).to_pylist()
    if lengths not in ([], [feature.length]):
        raise TrainerError("data-invalid", f"{at} has vectors of {sorted(lengths)} numbers instead of {feature.length}. Write them all with one length.")
    numbers = pc.fill_null(pc.list_flatten(column).cast(pa.float32(), safe=False), float("nan")).to_numpy()
    if not np.isfinite(numbers).all():
        raise TrainerError("data-invalid", f"{at} has a vector with a number that is missing or not finite. Leave the whole vector empty.")
    vectors = np.full((len(column), feature.length), np.nan, dtype=np.float32)
    vectors[column.is_valid().to_numpy()] = numbers.reshape(-1, feature.length)
    return vectors


def graph_inputs(table: pa.Table, features: tuple[Feature, ...]) -> dict[str, np.ndarray]:
    """Rows as a caller would send them to the graph."""
    inputs = {}
    for feature in features:
        column = table[feature.name]
        if feature.is_string:
            inputs[feature.name] = np.array([[text or ""] for text in as_text(column).to_pylist()], dtype=object)
            continue
        inputs[feature.name] = raw_values(column, feature, "holdoutFiles").reshape(-1, feature.width)
        if feature.tells_missing:
            inputs[f"{feature.name}:missing"] = column.is_null().to_numpy().reshape(-1, 1)
    return inputs


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _levels(column: pa.ChunkedArray) -> list[str]:
    # Sorted by code point, as Python does: the same on every machine and in every locale.
    return sorted(level for level in pc.unique(as_text(column)).to_pylist() if level)


def _check_missing(missing: int, feature: Feature, field: str) -> None:
    if missing and not feature.nullable:
        raise TrainerError(
            "data-invalid", f"{field}: feature {feature.name} is missing in {missing} rows and not nullable. Remove them or make it nullable."
        )
