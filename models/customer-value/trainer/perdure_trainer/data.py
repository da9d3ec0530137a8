"""Parquet files to what a scikit-learn estimator takes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .contract import Refusal

NUMBERS = ("number", "integer", "boolean")
TEXTS = ("string", "text")


def read_features(spec, files):
    """A frame with a column a feature: doubles with NaN for missing, or text with '' for missing."""
    names = [feature["name"] for feature in spec["features"]]
    table = pa.concat_tables([pq.read_table(file, columns=names) for file in files], promote_options="default")
    frame = {}
    for feature in spec["features"]:
        column = table.column(feature["name"])
        if feature["type"] in NUMBERS:
            frame[feature["name"]] = column.cast(pa.float32() if feature["type"] == "number" else pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
        elif feature["type"] in TEXTS:
            frame[feature["name"]] = np.array([value or "" for value in column.to_pylist()], dtype=object)
        else:
            raise Refusal("data-invalid", f"data.py: the feature {feature['name']} is a {feature['type']}, which this trainer does not read yet.")
    return pd.DataFrame(frame)


def medians_of(frame):
    """What stands in for a missing number: the median of the training rows, as float32; 0 where none is there."""
    numbers = frame.select_dtypes("number")
    return {name: float(np.float32(np.nan_to_num(numbers[name].median()))) for name in numbers}


def read_labels(spec, files):
    """The label of each training row; those of the holdout are not for a trainer to see."""
    name = spec["label"]["name"]
    values = pa.concat_tables([pq.read_table(file, columns=[name]) for file in files], promote_options="default").column(name)
    if values.null_count:
        raise Refusal("label-invalid", f"The label {name} is missing in {values.null_count} training rows.")
    if spec["label"]["type"] == "string":
        return np.array(values.to_pylist(), dtype=object)
    return np.array(values.to_pylist(), dtype=np.float64 if spec["label"]["type"] == "number" else np.int64)
