"""Writes the Wisconsin diagnostic breast cancer data, which scikit-learn carries, as one Parquet file.

    .tools/trainers/bin/python models/tumour/prepare.py OUT_DIR
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_breast_cancer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    out_dir = parser.parse_args().out_dir
    data = load_breast_cancer()
    rows = len(data.target)
    columns = {
        "sample": pa.array(range(1, rows + 1), pa.int64()),
        # The source names no day. The study was published in 1993.
        "taken_at": pa.array(np.full(rows, np.datetime64("1993-01-01", "us"))),
        **{name.replace(" ", "_"): pa.array(values, pa.float64()) for name, values in zip(data.feature_names, data.data.T, strict=True)},
        "malignant": pa.array(data.target == list(data.target_names).index("malignant")),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    target = out_dir / "samples.parquet"
    pq.write_table(pa.table(columns), target, compression="zstd")
    print(f"{target}: {rows} samples, {int((data.target == 0).sum())} malignant")


if __name__ == "__main__":
    main()
