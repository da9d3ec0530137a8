"""A fitted scikit-learn estimator as an ONNX graph with the inputs and outputs that Perdure serves."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

from .data import TEXTS

OPSETS = {"": 17, "ai.onnx.ml": 3}


def export(spec, model, medians, classes, quantile_offsets):
    task = spec["task"]
    # In doubles, as scikit-learn calculates: in float32 a small answer between great numbers loses its digits.
    inputs = [(one["name"], StringTensorType([None, 1]) if one["type"] in TEXTS else DoubleTensorType([None, 1])) for one in spec["features"]]
    options = {id(model): {"zipmap": False}} if classes else None
    made = to_onnx(model, initial_types=inputs, options=options, target_opset=OPSETS, name=spec["model"])
    graph = made.graph
    if classes:
        wanted = [("label", TensorProto.STRING if isinstance(classes[0], str) else TensorProto.INT64, ["N"]), ("probabilities", TensorProto.FLOAT, ["N", len(classes)])]
    elif task == "embedding":
        wanted = [("embedding", TensorProto.FLOAT, ["N", spec["length"]])]
    else:
        wanted = [("score" if task == "ranking" else "value", TensorProto.FLOAT, ["N", 1])]
    _adopt_inputs(graph, spec, medians)
    for place, (name, kind, _) in enumerate(wanted):
        _rename(graph.node, graph.output[place].name, f"inner/{name}")
        graph.node.append(helper.make_node("Cast", [f"inner/{name}"], [name], to=kind))
    if len(quantile_offsets):
        graph.initializer.append(numpy_helper.from_array(quantile_offsets.astype(np.float64).reshape(1, -1), "inner/offsets"))
        graph.node.append(helper.make_node("Add", ["inner/value", "inner/offsets"], ["inner/quantiles"]))
        graph.node.append(helper.make_node("Cast", ["inner/quantiles"], ["quantiles"], to=TensorProto.FLOAT))
        wanted.append(("quantiles", TensorProto.FLOAT, ["N", len(quantile_offsets)]))
    del graph.output[:]
    graph.output.extend(helper.make_tensor_value_info(*one) for one in wanted)
    onnx.checker.check_model(made)
    return made


KINDS = {"number": TensorProto.FLOAT, "integer": TensorProto.INT64, "boolean": TensorProto.BOOL}


def _adopt_inputs(graph, spec, medians):
    """Callers send each type as itself. A missing number is NaN; of the others an input beside it says that one is missing."""
    features = {one["name"]: one for one in spec["features"]}
    first, beside = [], []
    for value in graph.input:
        name, feature = value.name, features[value.name]
        if value.type.tensor_type.elem_type != TensorProto.DOUBLE:
            continue
        value.type.tensor_type.elem_type = KINDS[feature["type"]]
        _rename(graph.node, name, f"inner/{name}")
        wide, missing = f"inner/{name}/wide", f"inner/{name}/missing"
        first.append(helper.make_node("Cast", [name], [wide], to=TensorProto.DOUBLE))
        if feature["type"] == "number":
            first.append(helper.make_node("IsNaN", [name], [missing]))
        elif feature["nullable"]:
            missing = f"{name}:missing"
            beside.append(helper.make_tensor_value_info(missing, TensorProto.BOOL, ["N", 1]))
        else:
            missing = None
        if missing is None:
            first.append(helper.make_node("Identity", [wide], [f"inner/{name}"]))
            continue
        graph.initializer.append(numpy_helper.from_array(np.array([[medians[name]]], np.float64), f"inner/{name}/median"))
        first.append(helper.make_node("Where", [missing, f"inner/{name}/median", wide], [f"inner/{name}"]))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*first, *nodes])
    graph.input.extend(beside)


def _rename(nodes, old, new):
    for node in nodes:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == old:
                    names[place] = new


def signature_of(model):
    def described(value):
        tensor = value.type.tensor_type
        shape = [one.dim_value if one.HasField("dim_value") else -1 for one in tensor.shape.dim]
        return {"name": value.name, "type": TensorProto.DataType.Name(tensor.elem_type), "shape": shape}

    opsets = {one.domain: one.version for one in model.opset_import}
    return {
        "opset": opsets.get("", 0),
        "mlOpset": opsets.get("ai.onnx.ml", 0),
        "ir": model.ir_version,
        "inputs": [described(value) for value in model.graph.input],
        "outputs": [described(value) for value in model.graph.output],
    }
