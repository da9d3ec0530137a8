"""python -m perdure_trainer SPEC.json OUT_DIR"""

import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
import traceback

from .errors import as_trainer_error
from .lifeline import watch_parent
from .memory_limit import limit_memory
from .progress import Progress
from .spec import Spec, read_spec
from .tasks import Answers, answers_of


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("Usage: python -m perdure_trainer SPEC.json OUT_DIR", file=sys.stderr)
        return 2
    watch_parent()
    progress = Progress()
    try:
        spec = read_spec(arguments[0])
        limit_memory(spec.memory_mb)
        train(spec, arguments[1], progress)
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets a line that says so
        report = as_trainer_error(error)
        if report.code in ("internal", "out-of-memory"):
            traceback.print_exception(error, limit=8)
        progress.failed(report.code, report.message)
        return 1
    progress.done()
    return 0


def train(spec: Spec, out_dir: str, progress: Progress) -> None:
    from .parameters import resolve

    clock = _Clock()
    # Imported now: each library takes a second and memory, and only one is needed.
    algorithm = importlib.import_module(f".algorithms.train_{spec.algorithm}", __package__)
    parameters = resolve(spec.parameters, algorithm.parameters_for(spec.parameters, spec.task), spec.algorithm)
    from . import graph as onnx_graph
    from .dataset import load
    from .fitting import fit_task, gains_of, predict, predict_out_of_fold
    from .metrics import score
    from .self_check import check_sample

    data = load(spec, progress)
    clock.lap("load")

    fits = 1 + (spec.out_of_fold.folds if spec.out_of_fold else 0)
    progress.report("fit", 0, f"{spec.algorithm} on {len(data.train)} rows and {len(spec.features)} features")
    models = fit_task(algorithm, data, parameters, spec, lambda fraction, message: progress.report("fit", fraction / fits, message))
    out_of_fold = None
    if spec.out_of_fold:
        out_of_fold = predict_out_of_fold(
            algorithm, data, parameters, spec, lambda fraction, message: progress.report("fit", (1 + fraction * (fits - 1)) / fits, message)
        )
    clock.lap("fit")

    progress.report("convert", 0, "writing the model as an ONNX graph")
    builder = onnx_graph.GraphBuilder()
    matrix = onnx_graph.add_encoding(builder, data.encoding)
    onnx_graph.add_outputs(builder, spec, [model.add_to_graph(builder, matrix) for model in models], data.classes)
    model = onnx_graph.finish(builder, spec, data.classes)
    clock.lap("convert")

    progress.report("verify", 0, f"scoring {len(data.holdout)} rows held out")
    native = predict(models, data.holdout, spec)
    metrics = score(data, predict(models, data.train, spec), spec)
    difference = check_sample(model, data, native)
    clock.lap("verify")

    progress.report("write", 0, "writing the results")
    os.makedirs(out_dir, exist_ok=True)
    _write(out_dir, "model.onnx", model.SerializeToString(deterministic=True))
    names = answers_of(spec.task, data.classes, spec.quantiles)
    _write_answers(out_dir, "holdout-native.parquet", native, names)
    if out_of_fold is not None:
        _write_answers(out_dir, "out-of-fold.parquet", out_of_fold, names)
    clock.lap("write")
    result = {
        "specVersion": 2,
        "task": spec.task,
        "algorithm": spec.algorithm,
        "parameters": parameters,
        "rowsTrained": len(data.train),
        "rowsHeldOut": len(data.holdout),
        "trainMetrics": metrics,
        "featureImportances": _shares(gains_of(models), data.encoding.columns),
        **({"classes": list(data.classes)} if data.classes else {}),
        "onnx": _signature(model, onnx_graph),
        "parityOnSample": difference,
        "libraries": _versions(algorithm.LIBRARIES),
        "durationsMs": clock.laps_ms,
    }
    # Last: where the result is, everything else is whole.
    _write(out_dir, "result.json", json.dumps(result, allow_nan=False, indent=2).encode())
    progress.report("write", 1, "done")


class _Clock:
    def __init__(self):
        self.laps_ms: dict[str, int] = {}
        self._last = time.monotonic()

    def lap(self, phase: str) -> None:
        now = time.monotonic()
        self.laps_ms[phase] = round((now - self._last) * 1000)
        self._last = now


def _shares(gains, columns: list[str]) -> list[dict]:
    """Each feature's share of the whole gain, greatest first; all zero where the model uses none."""
    sums = dict.fromkeys(columns, 0.0)
    for name, gain in zip(columns, gains.astype("float64"), strict=True):
        sums[name] += float(gain)
    # Added up in the same order: a share is never more than the whole.
    total = sum(sums.values())
    shares = [(name, gain / total if total > 0 else 0.0) for name, gain in sums.items()]
    return [{"feature": name, "share": share} for name, share in sorted(shares, key=lambda one: (-one[1], one[0]))]


def _signature(model, onnx_graph) -> dict:
    from onnx import TensorProto

    def described(value):
        tensor = value.type.tensor_type
        return {
            "name": value.name,
            "type": TensorProto.DataType.Name(tensor.elem_type),
            "shape": [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim],
        }

    return {
        "opset": onnx_graph.OPSET,
        "mlOpset": onnx_graph.ML_OPSET,
        "ir": onnx_graph.IR_VERSION,
        "inputs": [described(value) for value in model.graph.input],
        "outputs": [described(value) for value in model.graph.output],
    }


def _versions(libraries: tuple[str, ...]) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in ("numpy", "pyarrow", "onnx", *libraries):
        for distribution in (name, f"{name}-cpu"):
            try:
                versions[name] = importlib.metadata.version(distribution)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return versions


def _write_answers(out_dir: str, name: str, answers, columns: Answers) -> None:
    """Native answers, a column each, DOUBLE."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {column: answers[:, place] for column, place in zip(columns.names, columns.places, strict=True)}
    path = os.path.join(out_dir, name)
    pq.write_table(pa.table(table), f"{path}.part")
    os.replace(f"{path}.part", path)


def _write(out_dir: str, name: str, content: bytes) -> None:
    """Whole or not at all: a killed trainer leaves no half file under the final name."""
    path = os.path.join(out_dir, name)
    with open(f"{path}.part", "wb") as file:
        file.write(content)
    os.replace(f"{path}.part", path)


if __name__ == "__main__":
    # Without the interpreter's slow teardown: native threads may be running, and everything is written.
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
