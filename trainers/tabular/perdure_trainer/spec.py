"""The training specification: what the caller asks for, checked before anything is read or written."""

import json
import re
from dataclasses import dataclass

from .errors import TrainerError
from .tasks import LABEL_TYPES

FEATURE_TYPES = ("number", "integer", "boolean", "string", "timestamp", "vector")
ALGORITHMS = ("lightgbm", "xgboost", "sklearn", "catboost")
# The graph's outputs by task; a feature of the same name would be the same ONNX value.
_OUTPUTS = {
    "binary": ("label", "probabilities"),
    "multiclass": ("label", "probabilities"),
    "regression": ("value", "quantiles"),
    "ranking": ("score",),
}
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_FIELDS = {
    "specVersion", "model", "task", "algorithm", "parameters", "seed", "features", "label", "group", "quantiles", "outOfFold",
    "trainFiles", "holdoutFiles", "threads", "memoryMb",
}  # fmt: skip


@dataclass(frozen=True)
class Feature:
    name: str
    type: str
    nullable: bool
    # Of a vector.
    length: int = 1

    @property
    def is_string(self) -> bool:
        return self.type == "string"

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return self.length

    @property
    def tells_missing(self) -> bool:
        """Whether an input of the graph beside its own says where it is missing: no value of its type can."""
        return self.nullable and self.type in ("integer", "boolean", "timestamp")


@dataclass(frozen=True)
class OutOfFold:
    folds: int
    seed: int


@dataclass(frozen=True)
class Spec:
    model: str
    task: str
    algorithm: str
    parameters: dict
    seed: int
    features: tuple[Feature, ...]
    label_name: str
    label_type: str
    # In the order of the probabilities; None: the sorted values of the training rows.
    label_classes: tuple | None
    # Of a ranking: the column whose rows are put in order together.
    group: str | None
    # Of a regression: probabilities, rising.
    quantiles: tuple[float, ...]
    # Whether and how to score the training rows by models that have not seen them.
    out_of_fold: OutOfFold | None
    train_files: tuple[str, ...]
    holdout_files: tuple[str, ...]
    threads: int
    memory_mb: int


def read_spec(path: str) -> Spec:
    """Raises TrainerError `spec-invalid` naming the field."""
    try:
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
    except (OSError, ValueError) as error:
        raise TrainerError("spec-invalid", f"The specification {path} cannot be read: {error}. It must be one JSON object.") from error
    _require(isinstance(raw, dict), "specification", "must be one JSON object")
    # The version first: a later one may have fields that this program does not know.
    _require(raw.get("specVersion") == 2, "specVersion", f"is {raw.get('specVersion')!r}, and this trainer understands 2")
    unknown = sorted(set(raw) - _FIELDS)
    _require(not unknown, ", ".join(unknown), "is not a field of the specification; remove it")
    _require(isinstance(raw.get("model"), str) and raw["model"], "model", "must be the model's name")
    task = raw.get("task")
    choices = ", ".join(LABEL_TYPES)
    _require(task in LABEL_TYPES, "task", f"is {task!r}, and this trainer makes {choices}; for another, write a trainer of your own")
    _require(raw.get("algorithm") in ALGORITHMS, "algorithm", f"is {raw.get('algorithm')!r}; choose one of {', '.join(ALGORITHMS)}")
    _require(isinstance(raw.get("parameters"), dict), "parameters", "must be an object, {} for the defaults")
    label_name, label_type, classes = _label(raw.get("label"), task)
    features = _features(raw.get("features"), task)
    _require(label_name not in {feature.name for feature in features}, "label.name", f"{label_name} is also a feature; remove it from features")
    return Spec(
        model=raw["model"],
        task=task,
        algorithm=raw["algorithm"],
        parameters=raw["parameters"],
        seed=_integer(raw, "seed", 0, 2_147_483_647),
        features=features,
        label_name=label_name,
        label_type=label_type,
        label_classes=classes,
        group=_group(raw, task),
        quantiles=_quantiles(raw, task),
        out_of_fold=_out_of_fold(raw),
        train_files=_files(raw, "trainFiles"),
        holdout_files=_files(raw, "holdoutFiles"),
        threads=_integer(raw, "threads", 1, 64),
        memory_mb=_integer(raw, "memoryMb", 64, 16_777_216),
    )


def _group(raw: dict, task: str) -> str | None:
    group = raw.get("group")
    if task != "ranking":
        _require(group is None, "group", f"is for the task ranking, and this one is {task}; remove it")
        return None
    _require(isinstance(group, str) and group, "group", "must be the column whose rows are ranked together")
    return group


def _quantiles(raw: dict, task: str) -> tuple[float, ...]:
    quantiles = raw.get("quantiles", [])
    right = isinstance(quantiles, list) and all(isinstance(one, float) and 0 < one < 1 for one in quantiles)
    _require(right, "quantiles", "must be a list of probabilities between 0 and 1")
    _require(quantiles == sorted(set(quantiles)), "quantiles", "must rise from one to the next")
    _require(not quantiles or task == "regression", "quantiles", f"are for the task regression, and this one is {task}; remove them")
    return tuple(quantiles)


def _out_of_fold(raw: dict) -> OutOfFold | None:
    asked = raw.get("outOfFold")
    if asked is None:
        return None
    _require(isinstance(asked, dict) and set(asked) == {"folds", "seed"}, "outOfFold", "must have exactly folds and seed")
    return OutOfFold(_integer(asked, "folds", 2, 20), _integer(asked, "seed", 0, 2_147_483_647))


def _label(raw, task: str) -> tuple[str, str, tuple | None]:
    _require(isinstance(raw, dict), "label", "must be an object with name and type")
    unknown = sorted(set(raw) - {"name", "type", "classes"})
    _require(not unknown, f"label.{', '.join(unknown)}", "is not a field of the label; remove it")
    _require(isinstance(raw.get("name"), str) and raw["name"], "label.name", "must be the label's column")
    label_type = raw.get("type")
    _require(label_type in LABEL_TYPES[task], "label.type", f"is {label_type!r}; {task} takes {' or '.join(LABEL_TYPES[task])}")
    if label_type == "boolean":
        _require("classes" not in raw or raw["classes"] == [False, True], "label.classes", "of a boolean label can only be [false, true]")
        return raw["name"], label_type, (0, 1)
    classes = raw.get("classes")
    if classes is None:
        return raw["name"], label_type, None
    _require(task == "multiclass", "label.classes", f"are for the task multiclass, and this one is {task}; remove them")
    kind = int if label_type == "integer" else str
    right_kind = isinstance(classes, list) and all(isinstance(one, kind) and not isinstance(one, bool) for one in classes)
    _require(right_kind and len(set(classes)) == len(classes) >= 2, "label.classes", f"must be at least two different {label_type} values")
    return raw["name"], label_type, tuple(classes)


def _features(raw, task: str) -> tuple[Feature, ...]:
    _require(isinstance(raw, list) and raw, "features", "must be a list with at least one feature")
    features = []
    for index, one in enumerate(raw):
        at = f"features[{index}]"
        _require(isinstance(one, dict) and {"name", "type", "nullable"} <= set(one), at, "must have name, type and nullable")
        name = one["name"]
        named = isinstance(name, str) and _COLUMN_NAME.fullmatch(name)
        _require(named, f"{at}.name", "must be 1 to 63 letters, digits and underscores, not starting with a digit")
        _require(name not in _OUTPUTS[task], f"{at}.name", f"{name} is the name of an output of the model; rename the feature")
        _require(
            one["type"] in FEATURE_TYPES,
            f"{at}.type",
            f"is {one['type']!r}, and this trainer takes {', '.join(FEATURE_TYPES)}; for another, write a trainer of your own",
        )
        own = {"name", "type", "nullable", *(["length"] if one["type"] == "vector" else [])}
        _require(set(one) == own, at, f"must have exactly {', '.join(sorted(own))}")
        _require(isinstance(one["nullable"], bool), f"{at}.nullable", "must be true or false")
        _require(all(name != other.name for other in features), f"{at}.name", f"{name} is there twice; remove one")
        length = _integer(one, "length", 1, 16_384) if one["type"] == "vector" else 1
        features.append(Feature(name, one["type"], one["nullable"], length))
    return tuple(features)


def _files(raw: dict, field: str) -> tuple[str, ...]:
    files = raw.get(field)
    _require(isinstance(files, list) and files and all(isinstance(one, str) for one in files), field, "must list at least one Parquet file")
    for index, one in enumerate(files):
        _require(one.startswith("/"), f"{field}[{index}]", f"must be an absolute path, not {one}")
    return tuple(files)


def _integer(raw: dict, field: str, low: int, high: int) -> int:
    value = raw.get(field)
    right = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _require(right, field, f"is {value!r}; it must be a whole number from {low} to {high}")
    return value


def _require(right, field: str, problem: str) -> None:
    if not right:
        raise TrainerError("spec-invalid", f"{field} {problem}.")
