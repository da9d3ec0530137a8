"""Models as exporters of others write them, over the features a, b, c: foreign_models.py FOLDER"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, INT64, STRING = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.STRING
WEIGHTS = np.array([[2.0], [-1.0], [0.5]], np.float32)


def save(name, nodes, inputs, outputs, constants=(), domains=()):
    def info(values):
        return [helper.make_tensor_value_info(*one) if isinstance(one, tuple) else one for one in values]

    graph = helper.make_graph(nodes, name, info(inputs), info(outputs), [numpy_helper.from_array(value, key) for key, value in constants])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3), *(helper.make_opsetid(one, 1) for one in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(model, f"{sys.argv[1]}/{name}.onnx")
    return model


def linear(source, output):
    return helper.make_node("LinearRegressor", [source], [output], domain="ai.onnx.ml", coefficients=[2.0, -1.0, 0.5], intercepts=[1.0], targets=1)


# scikit-learn's own exporter: one matrix, `variable`.
save("sklearn-matrix", [linear("X", "variable")], [("X", FLOAT, [None, 3])], [("variable", FLOAT, [None, 1])])
# One input a column, by other names; an inner value has the name of a feature.
save(
    "columns",
    [helper.make_node("Concat", ["A", "B", "C"], ["a"], axis=1), linear("a", "variable")],
    [("A", FLOAT, [None, 1]), ("B", FLOAT, [None, 1]), ("C", FLOAT, [None, 1])],
    [("variable", FLOAT, [None, 1])],
)
# PyTorch: `input`, `output`, a named dimension, unused operator sets of an optimiser.
gemm = helper.make_node("Gemm", ["input", "weights", "bias"], ["output"])
gemm_constants = [("weights", WEIGHTS), ("bias", np.array([1.0], np.float32))]
save("torch", [gemm], [("input", FLOAT, ["batch", 3])], [("output", FLOAT, ["batch", 1])], gemm_constants, ["com.microsoft.nchwc"])
save("fixed-batch", [gemm], [("input", FLOAT, [1, 3])], [("output", FLOAT, [1, 1])], gemm_constants)
# As they should be: nothing to change.
save(
    "fitting",
    [helper.make_node("Concat", ["a", "b", "c"], ["inner"], axis=1), linear("inner", "value")],
    [("a", FLOAT, ["N", 1]), ("b", FLOAT, ["N", 1]), ("c", FLOAT, ["N", 1])],
    [("value", FLOAT, ["N", 1])],
)
half = [("weights", WEIGHTS.astype(np.float16)), ("bias", np.array([1.0], np.float16))]
save("float16", [gemm], [("input", HALF, ["batch", 3])], [("output", HALF, ["batch", 1])], half)
save(
    "quantised",
    [
        helper.make_node("DynamicQuantizeLinear", ["input"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "weights", "zero"], ["product"]),
        helper.make_node("Cast", ["product"], ["wide"], to=FLOAT),
        helper.make_node("Mul", ["scale", "step"], ["scales"]),
        helper.make_node("Mul", ["wide", "scales"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["output"]),
    ],
    [("input", FLOAT, ["batch", 3])],
    [("output", FLOAT, ["batch", 1])],
    [("weights", np.round(WEIGHTS / 2 * 127).astype(np.int8)), ("step", np.array(2 / 127, np.float32)), ("bias", np.array([1.0], np.float32))],
)
# scikit-learn's classifier with its list of maps.
classifier = helper.make_node(
    "LinearClassifier", ["X"], ["label", "chances"], domain="ai.onnx.ml", classlabels_strings=["blue", "green", "red"],
    coefficients=[1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0], intercepts=[0.0, 0, 0], multi_class=1, post_transform="SOFTMAX",
)  # fmt: skip
maps = helper.make_tensor_sequence_value_info("output_probability", FLOAT, None)
maps.type.CopyFrom(onnx.TypeProto())
maps.type.sequence_type.elem_type.map_type.key_type = STRING
maps.type.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = FLOAT
save(
    "zipmap",
    [
        classifier,
        helper.make_node("Identity", ["label"], ["output_label"]),
        helper.make_node("ZipMap", ["chances"], ["output_probability"], domain="ai.onnx.ml", classlabels_strings=["blue", "green", "red"]),
    ],
    [("X", FLOAT, [None, 3])],
    [("output_label", STRING, [None]), maps],
)
save("logits", [helper.make_node("Identity", ["input"], ["logits"])], [("input", FLOAT, ["batch", 3])], [("logits", FLOAT, ["batch", 3])])
# What must not get in.
save("stranger", [helper.make_node("Boom", ["input"], ["output"], domain="evil")], [("input", FLOAT, ["batch", 3])], [("output", FLOAT, ["batch", 1])], domains=["evil"])
outside = save("outside", [gemm], [("input", FLOAT, ["batch", 3])], [("output", FLOAT, ["batch", 1])], gemm_constants)
tensor = outside.graph.initializer[0]
tensor.ClearField("raw_data")
tensor.data_location = TensorProto.EXTERNAL
tensor.external_data.add(key="location", value="/etc/passwd")
with open(f"{sys.argv[1]}/outside.onnx", "wb") as file:
    file.write(outside.SerializeToString())
