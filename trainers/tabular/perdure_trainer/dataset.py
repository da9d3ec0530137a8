"""Parquet files to a matrix: float32, one column a feature, missing as NaN, string levels as ordinal codes."""

import os
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import TrainerError
from .labels import read_groups, read_labels
from .progress import Progress
from .spec import Feature, Spec

# The code of an unseen or missing level. It is the same in the ONNX graph.
UNSEEN = -1.0


@dataclass(frozen=True)
class Dataset:
    train: np.ndarray
    # Places in `classes`, int64; where the task has no classes the label itself, float64.
    train_labels: np.ndarray
    # Of a ranking: the number of each row's group, in the order of their first rows.
    train_groups: np.ndarray | None
    holdout: np.ndarray
    # For each string feature its sorted levels in the training rows; the code of a level is its place.
    levels: dict[str, list[str]]
    classes: tuple

    def of_rows(self, chosen: np.ndarray) -> "Dataset":
        """The same with these training rows only."""
        groups = None if self.train_groups is None else self.train_groups[chosen]
        return replace(self, train=np.asfortranarray(self.train[chosen]), train_labels=self.train_labels[chosen], train_groups=groups)


def load(spec: Spec, progress: Progress) -> Dataset:
    pa.set_cpu_count(spec.threads)
    features = [feature.name for feature in spec.features]
    beside = [spec.label_name, *([spec.group] if spec.group else [])]
    total = len(spec.train_files) + len(spec.holdout_files)
    tables = []
    for index, path in enumerate(spec.train_files + spec.holdout_files):
        progress.report("load", index / total, f"reading file {index + 1} of {total}")
        # Of the holdout only what the model sees: whoever evaluates keeps its labels.
        tables.append(_read(path, [*features, *(beside if index < len(spec.train_files) else [])]))
    train, holdout = (_concatenate(part) for part in (tables[: len(spec.train_files)], tables[len(spec.train_files) :]))
    for table, field in ((train, "trainFiles"), (holdout, "holdoutFiles")):
        if table.num_rows == 0:
            raise TrainerError("data-empty", f"{field} has no rows. Widen the window.")
    levels = {feature.name: _levels(train[feature.name]) for feature in spec.features if feature.is_string}
    labels, classes = read_labels(train[spec.label_name], spec)
    result = Dataset(
        train=_matrix(train, spec.features, levels, "trainFiles"),
        train_labels=labels,
        train_groups=read_groups(train[spec.group], labels, spec) if spec.group else None,
        holdout=_matrix(holdout, spec.features, levels, "holdoutFiles"),
        levels=levels,
        classes=classes,
    )
    progress.report("load", 1, f"{train.num_rows} rows to train on, {holdout.num_rows} held out")
    return result


def _read(path: str, columns: list[str]) -> pa.Table:
    name = os.path.basename(path)
    try:
        # ParquetFile, and not read_table: that one invents columns from folder names such as month=2013-01.
        file = pq.ParquetFile(path)
        absent = [column for column in columns if column not in file.schema_arrow.names]
        if absent:
            raise TrainerError("column-missing", f"{name} has no column {', '.join(absent)}. Write it, or take it out of the contract.")
        columns = list(dict.fromkeys(columns))
        return file.read(columns=columns).select(columns)
    except MemoryError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise TrainerError("data-unreadable", f"{name} cannot be read as Parquet: {str(error)[:300]}. Write the file again.") from error


def _concatenate(tables: list[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise TrainerError("data-invalid", f"The files disagree about a column's type: {str(error)[:300]}. Write them with one schema.") from error


def _levels(column: pa.ChunkedArray) -> list[str]:
    text = _as_text(column)
    # Sorted by code point, as Python does: the same on every machine and in every locale.
    return sorted(level for level in pc.unique(text).to_pylist() if level)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _matrix(table: pa.Table, features: tuple[Feature, ...], levels: dict[str, list[str]], field: str) -> np.ndarray:
    # Column by column in memory, as the boosters read it.
    matrix = np.empty((table.num_rows, len(features)), dtype=np.float32, order="F")
    for index, feature in enumerate(features):
        column = table[feature.name]
        if feature.is_string:
            text = _as_text(column)
            missing = pc.sum(pc.equal(pc.fill_null(text, ""), "")).as_py()
            codes = pc.index_in(text, value_set=pa.array(levels[feature.name], pa.string()))
            matrix[:, index] = pc.fill_null(codes, int(UNSEEN)).to_numpy()
        else:
            if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
                raise TrainerError("data-invalid", f"{field}: the number feature {feature.name} is of type {column.type}. Write it as FLOAT.")
            values = pc.fill_null(column.cast(pa.float32(), safe=False), float("nan")).to_numpy()
            if np.isinf(values).any():
                raise TrainerError("data-invalid", f"{field}: feature {feature.name} has an infinite value. Remove the row or make it missing.")
            missing = int(np.isnan(values).sum())
            matrix[:, index] = values
        if missing and not feature.nullable:
            raise TrainerError(
                "data-invalid", f"{field}: feature {feature.name} is missing in {missing} rows and not nullable. Remove them or make it nullable."
            )
    return matrix
