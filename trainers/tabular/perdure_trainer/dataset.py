"""Parquet files to a matrix: float32, missing as NaN, string levels as ordinal codes."""

import os
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .encoding import Encoding, graph_inputs, learn
from .errors import TrainerError
from .labels import read_groups, read_labels
from .progress import Progress
from .spec import Spec

# Rows of the holdout that are kept as they were read, to try the graph on.
_SAMPLE_ROWS = 32


@dataclass(frozen=True)
class Dataset:
    train: np.ndarray
    # Places in `classes`, int64; where the task has no classes the label itself, float64.
    train_labels: np.ndarray
    # Of a ranking: the number of each row's group, in the order of their first rows.
    train_groups: np.ndarray | None
    holdout: np.ndarray
    encoding: Encoding
    # Evenly spaced places in the holdout, and these rows as the graph gets them.
    sample: np.ndarray
    sample_inputs: dict[str, np.ndarray]
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
    encoding = learn(train, spec.features)
    sample = np.unique(np.linspace(0, holdout.num_rows - 1, min(_SAMPLE_ROWS, holdout.num_rows)).astype(int))
    labels, classes = read_labels(train[spec.label_name], spec)
    result = Dataset(
        train=encoding.matrix(train, "trainFiles"),
        train_labels=labels,
        train_groups=read_groups(train[spec.group], labels, spec) if spec.group else None,
        holdout=encoding.matrix(holdout, "holdoutFiles"),
        encoding=encoding,
        sample=sample,
        sample_inputs=graph_inputs(holdout.take(pa.array(sample)), spec.features),
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
