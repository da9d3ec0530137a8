"""What really happened, column by column: classes as places, numbers as they are, groups of a ranking."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .errors import TrainerError
from .spec import Spec
from .tasks import CLASSIFIERS


def read_labels(column: pa.ChunkedArray, spec: Spec) -> tuple[np.ndarray, tuple]:
    """Places and the classes that they are places in; or numbers and no classes. Raises TrainerError where nothing can be learned from them."""
    if column.null_count:
        raise TrainerError("label-invalid", f"{_at(spec)} is missing in {column.null_count} rows. Leave rows without a label out.")
    return _places(column, spec) if spec.task in CLASSIFIERS else (_numbers(column, spec), ())


def read_groups(column: pa.ChunkedArray, labels: np.ndarray, spec: Spec) -> np.ndarray:
    """The number of each row's group. Raises TrainerError where no group has rows to be told apart."""
    if column.null_count:
        raise TrainerError("data-invalid", f"trainFiles: group {spec.group} is missing in {column.null_count} rows. Leave them out.")
    groups = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    ordered = labels[order]
    if not (np.maximum.reduceat(ordered, starts) > np.minimum.reduceat(ordered, starts)).any():
        raise TrainerError(
            "label-constant",
            f"No {spec.group} has two training rows with different {spec.label_name}: there is no order to learn in {len(starts)} groups of "
            f"{len(groups)} rows. Group by a column whose rows compete, or widen the window.",
        )
    return groups


def _at(spec: Spec) -> str:
    return f"trainFiles: label {spec.label_name}"


def _places(column: pa.ChunkedArray, spec: Spec) -> tuple[np.ndarray, tuple]:
    values = _class_values(column, spec)
    classes = spec.label_classes or tuple(sorted(values.unique().to_pylist()))
    found = pc.index_in(values, value_set=pa.array(classes, values.type))
    if found.null_count:
        strange = [value for value in values.unique().to_pylist() if value not in classes][:3]
        raise TrainerError("label-invalid", f"{_at(spec)} has the value {strange[0]!r}, which is not one of {list(classes)}.")
    places = found.to_numpy().astype(np.int64)
    seen = np.unique(places)
    if len(seen) < 2:
        raise TrainerError(
            "one-class",
            f"Every training row has the label {spec.label_name} = {classes[seen[0]]}. A classifier needs both; widen the window or check the label.",
        )
    if len(seen) < len(classes):
        absent = ", ".join(str(classes[place]) for place in range(len(classes)) if place not in seen)
        raise TrainerError(
            "class-absent",
            f"{_at(spec)}: no training row is of the class {absent}, which contract.label.classes lists. A model cannot know what it has never "
            "seen: widen the window, or take the class out.",
        )
    return places, classes


def _class_values(column: pa.ChunkedArray, spec: Spec) -> pa.ChunkedArray:
    if spec.label_type == "string":
        return column.cast(pa.string())
    if not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)):
        raise TrainerError("label-invalid", f"{_at(spec)} is {spec.label_type} in the specification and {column.type} in the file. Make them agree.")
    return column.cast(pa.int64())


def _numbers(column: pa.ChunkedArray, spec: Spec) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
        raise TrainerError("label-invalid", f"{_at(spec)} is {spec.label_type} in the specification and {kind} in the file. Make them agree.")
    values = (column.cast(pa.int8()) if pa.types.is_boolean(kind) else column).cast(pa.float64()).to_numpy()
    strange = int((~np.isfinite(values)).sum())
    if strange:
        raise TrainerError("label-invalid", f"{_at(spec)} is not a finite number in {strange} rows. Leave them out.")
    if spec.task == "regression" and values.min() == values.max():
        raise TrainerError(
            "label-constant", f"Every training row has the label {spec.label_name} = {values[0]:g}: there is nothing to learn. Check the label."
        )
    return values
