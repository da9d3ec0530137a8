"""Writes an ONNX model for the contract of flight-delay whose answer can be computed by hand.

    logit = bias + 0.02 * dep_delay + 0.01 * temp + (0.5 if carrier is UA, 0 otherwise)      (a missing temp counts as 0)
    probabilities = [1 - s, s] with s = sigmoid(logit); label = s > 0.5

Usage: make_model.py OUT.onnx BIAS [WORK [TRAP LIMIT]]
    WORK repeats a matrix product of about a millisecond that many times, to make the model slow.
    TRAP springs for rows whose dep_delay exceeds LIMIT: `hang` is a loop without end, `memory` asks for 16 GiB.
"""

import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

STRINGS = ["carrier", "origin", "dest"]
NUMBERS = (
    "dow sched_dep_min sched_arr_min distance temp dewp humid wind_dir wind_speed wind_gust precip pressure visib plane_age seats dep_delay"
).split()
WEIGHTS = {"dep_delay": 0.02, "temp": 0.01}


def build(bias, work=0, trap=None, limit=0.0):
    nodes, initializers = [], []

    def constant(name, value):
        initializers.append(numpy_helper.from_array(value, name))
        return name

    constant("zero", np.array([0], np.float32))
    terms = []
    for name in NUMBERS:
        nodes.append(helper.make_node("IsNaN", [name], [f"{name}_missing"]))
        nodes.append(helper.make_node("Where", [f"{name}_missing", "zero", name], [f"{name}_filled"]))
        weight = constant(f"{name}_weight", np.array([WEIGHTS.get(name, 0)], np.float32))
        nodes.append(helper.make_node("Mul", [f"{name}_filled", weight], [f"{name}_term"]))
        terms.append(f"{name}_term")
    for name in STRINGS:
        keys, values = (["UA"], [0.5]) if name == "carrier" else (["-"], [0.0])
        nodes.append(
            helper.make_node("LabelEncoder", [name], [f"{name}_term"], domain="ai.onnx.ml", keys_strings=keys, values_floats=values, default_float=0.0)
        )
        terms.append(f"{name}_term")
    terms.append(constant("bias", np.array([bias], np.float32)))
    if work:
        side = constant("side", np.full((256, 256), 1e-9, np.float32))
        previous = side
        for step in range(work):
            nodes.append(helper.make_node("MatMul", [previous, side], [f"product{step}"]))
            nodes.append(helper.make_node("Mul", [f"product{step}", "noise"], [f"scaled{step}"]))
            previous = f"scaled{step}"
        # Depends on an input, so that it cannot be folded away, and is too small to matter.
        nodes.insert(0, helper.make_node("ReduceMax", ["distance"], ["noise"], keepdims=0))
        nodes.append(helper.make_node("ReduceMin", [previous], ["waste"], keepdims=0))
        terms.append("waste")
    if trap:
        constant("limit", np.array(limit, np.float32))
        nodes.append(helper.make_node("ReduceMax", ["dep_delay_filled"], ["worst"], keepdims=0))
        nodes.append(helper.make_node("Greater", ["worst", "limit"], ["sprung"]))
        constant("much", np.array([2**62 if trap == "hang" else 2**32], np.int64))
        constant("little", np.array([1], np.int64))
        nodes.append(helper.make_node("Where", ["sprung", "much", "little"], ["amount"]))
        if trap == "hang":
            body = helper.make_graph(
                [helper.make_node("Identity", ["on"], ["on_out"]), helper.make_node("Mul", ["held", "held"], ["held_out"])],
                "body",
                [
                    helper.make_tensor_value_info("turn", TensorProto.INT64, []),
                    helper.make_tensor_value_info("on", TensorProto.BOOL, []),
                    helper.make_tensor_value_info("held", TensorProto.FLOAT, [1]),
                ],
                [
                    helper.make_tensor_value_info("on_out", TensorProto.BOOL, []),
                    helper.make_tensor_value_info("held_out", TensorProto.FLOAT, [1]),
                ],
            )
            constant("go_on", np.array(True))
            nodes.append(helper.make_node("Loop", ["amount", "go_on", "zero"], ["trapped"], body=body))
        else:
            nodes.append(helper.make_node("ConstantOfShape", ["amount"], ["filler"], value=numpy_helper.from_array(np.array([0], np.float32))))
            nodes.append(helper.make_node("ReduceMax", ["filler"], ["trapped"], keepdims=0))
        terms.append("trapped")
    nodes.append(helper.make_node("Sum", terms, ["logit"]))
    nodes.append(helper.make_node("Sigmoid", ["logit"], ["positive"]))
    constant("one", np.array([1], np.float32))
    nodes.append(helper.make_node("Sub", ["one", "positive"], ["negative"]))
    nodes.append(helper.make_node("Concat", ["negative", "positive"], ["probabilities"], axis=1))
    nodes.append(helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0))

    inputs = [helper.make_tensor_value_info(name, TensorProto.STRING, ["rows", 1]) for name in STRINGS]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 1]) for name in NUMBERS]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]
    graph = helper.make_graph(nodes, "by-hand", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)], ir_version=8)
    checker.check_model(model)
    return model


if __name__ == "__main__":
    trap, limit = (sys.argv[4], float(sys.argv[5])) if len(sys.argv) > 4 else (None, 0.0)
    save(build(float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0, trap, limit), sys.argv[1])
