"""Rows of flights as numpy arrays, one a feature, for the scripts that ask a gateway with clients of others."""

import json

import numpy as np

MODEL = "flight-delay"


def read_columns(rows_file):
    """Feature name to its values as an array of shape [rows, 1]: strings as bytes, numbers as FP32 with NaN for missing."""
    rows = json.load(open(rows_file))
    columns = {}
    for name, first in rows[0].items():
        if isinstance(first, str):
            columns[name] = np.array([[row[name].encode()] for row in rows], dtype=np.object_)
        else:
            columns[name] = np.array([[np.nan if row[name] is None else row[name]] for row in rows], dtype=np.float32)
    return columns


def datatype_of(array):
    return "BYTES" if array.dtype == np.object_ else "FP32"
