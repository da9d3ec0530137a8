"""python -m perdure_trainer SPEC.json OUT_DIR: specification and Parquet in, an ONNX model out. What is yours to write is in model.py."""

import importlib.metadata
import io
import json
import os
import platform
import sys
import time
import traceback

from .contract import Messages, Refusal, end_with_parent, write_whole

LIBRARIES = ("scikit-learn", "skl2onnx", "onnx", "numpy", "pandas")


def main(arguments):
    if len(arguments) != 2:
        print("Usage: python -m perdure_trainer SPEC.json OUT_DIR", file=sys.stderr)
        return 2
    end_with_parent()
    messages = Messages()
    try:
        with open(arguments[0], encoding="utf-8") as file:
            train(json.load(file), arguments[1], messages)
    except Refusal as refusal:
        messages.end({"kind": "error", "code": refusal.code, "message": str(refusal)})
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it was, Perdure is told
        traceback.print_exc()
        code = "out-of-memory" if isinstance(error, MemoryError) else "internal"
        messages.end({"kind": "error", "code": code, "message": f"{type(error).__name__}: {error}"[:4000]})
        return 1
    messages.end({"kind": "done"})
    return 0


def train(spec, out_dir, messages):
    started = time.monotonic()
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from .answers import answers_of, quantile_offsets_of
    from .data import NUMBERS, medians_of, read_features, read_labels
    from .export import export, signature_of
    from .folds import answers_out_of_fold
    from .model import make_model

    messages.progress("load", 0, "reading the training rows")
    frame = read_features(spec, spec["trainFiles"])
    medians = medians_of(frame)
    frame = frame.fillna(medians)
    holdout = read_features(spec, spec["holdoutFiles"]).fillna(medians)
    labels = read_labels(spec, spec["trainFiles"]) if spec.get("label") else None
    numbers = [one["name"] for one in spec["features"] if one["type"] in NUMBERS]
    texts = [name for name in frame.columns if name not in numbers]

    def fitted(rows, answers):
        model = make_model(spec["task"], numbers, texts, spec["parameters"], spec["seed"], spec.get("length"))
        return model.fit(rows, answers)

    messages.progress("fit", 0, f"{len(frame)} rows and {len(frame.columns)} features")
    model = fitted(frame, labels)
    offsets = np.zeros(0) if labels is None else quantile_offsets_of(spec, model, frame, labels)
    classes = [one if isinstance(one, str) else int(one) for one in getattr(model, "classes_", [])]

    messages.progress("convert", 0, "writing the model as an ONNX graph")
    graph = export(spec, model, medians, classes, offsets)

    messages.progress("write", 0, f"answering {len(holdout)} rows held out")

    def write_answers(name, answers):
        buffer = io.BytesIO()
        pq.write_table(pa.table(answers), buffer)
        write_whole(out_dir, name, buffer.getvalue())

    write_answers("holdout-native.parquet", answers_of(spec, model, holdout, offsets))
    if spec.get("outOfFold"):
        write_answers("out-of-fold.parquet", answers_out_of_fold(spec, frame, labels, fitted, offsets))
    write_whole(out_dir, "model.onnx", graph.SerializeToString(deterministic=True))
    result = {
        "specVersion": spec["specVersion"],
        "task": spec["task"],
        "algorithm": "scikit-learn",
        "parameters": spec["parameters"],
        "rowsTrained": len(frame),
        "rowsHeldOut": len(holdout),
        "trainMetrics": {},
        "featureImportances": [],
        **({"classes": classes} if classes else {}),
        "onnx": signature_of(graph),
        "parityOnSample": 0,
        "libraries": {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in LIBRARIES}},
        "durationsMs": {"all": round((time.monotonic() - started) * 1000)},
    }
    # Last: where the result is, everything else is whole.
    write_whole(out_dir, "result.json", json.dumps(result, allow_nan=False).encode())


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
