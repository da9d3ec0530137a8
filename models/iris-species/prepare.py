"""Writes Fisher's iris data, which scikit-learn carries, as one Parquet file.

    .tools/trainers/bin/python models/iris-species/prepare.py OUT_DIR
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_iris

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    out_dir = parser.parse_args().out_dir
    data = load_iris()
    rows = len(data.target)
    columns = {
        "flower": pa.array(range(1, rows + 1), pa.int64()),
        # The source names no day. The measurements were published in 1936.
        "measured_at": pa.array(np.full(rows, np.datetime64("1936-01-01", "us"))),
        **{name: pa.array(values, pa.float64()) for name, values in zip(NAMES, data.data.T, strict=True)},
        "species": pa.array([str(data.target_names[place]) for place in data.target]),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    target = out_dir / "flowers.parquet"
    pq.write_table(pa.table(columns), target, compression="zstd")
    print(f"{target}: {rows} flowers")


if __name__ == "__main__":
    main()
