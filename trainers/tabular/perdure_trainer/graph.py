"""The ONNX graph: raw features in, the task's outputs out, with all preprocessing inside."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .encoding import UNSEEN, Encoding, reach
from .spec import Feature, Spec
from .tasks import CLASSIFIERS
from .trees import LEAF, Ensemble

OPSET = 17
ML_OPSET = 3
IR_VERSION = 8
# No feature can have a name with a slash, so inner values never collide with inputs.
_MATRIX, _SCORES = "inner/matrix", "inner/scores"


class GraphBuilder:
    """Collects nodes and constants. Names are counted, never random: the same model gives the same bytes."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(
        self, operator: str, inputs: list[str], output: str | None = None, domain: str = "", more_outputs: Sequence[str] = (), **attributes
    ) -> str:
        name = output or f"inner/{operator.lower()}-{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name, *more_outputs], name=f"node-{len(self.nodes)}", domain=domain, **attributes))
        return name

    def constant(self, value: np.ndarray) -> str:
        name = f"inner/constant-{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name


def add_encoding(graph: GraphBuilder, encoding: Encoding) -> str:
    """Every feature as float32 columns, in the specification's order: the same matrix as `Encoding` makes. Returns its name."""
    columns = []
    levels = encoding.levels
    for feature in encoding.features:
        if not feature.is_string:
            columns.append(_number(graph, feature, encoding))
            continue
        # An encoder must have an entry: with no level at all, the missing one stands for itself.
        keys = levels[feature.name] or [""]
        codes = [float(code) for code in range(len(keys))] if levels[feature.name] else [UNSEEN]
        columns.append(
            graph.add("LabelEncoder", [feature.name], domain="ai.onnx.ml", keys_strings=keys, values_floats=codes, default_float=UNSEEN)
        )
    return graph.add("Concat", columns, _MATRIX, axis=1)


def _number(graph: GraphBuilder, feature: Feature, encoding: Encoding) -> str:
    if feature.type in ("number", "vector"):
        return feature.name
    value = feature.name
    if feature.name in encoding.bases:
        base = encoding.bases[feature.name]
        low, high = (graph.constant(np.array([bound], np.int64)) for bound in reach(base))
        within = graph.add("Min", [graph.add("Max", [value, low]), high])
        value = graph.add("Sub", [within, graph.constant(np.array([base], np.int64))])
    if feature.type == "timestamp":
        seconds = graph.add("Cast", [value], to=TensorProto.DOUBLE)
        value = graph.add("Div", [seconds, graph.constant(np.array([1e6], np.float64))])
    value = graph.add("Cast", [value], to=TensorProto.FLOAT)
    if not feature.tells_missing:
        return value
    return graph.add("Where", [f"{feature.name}:missing", graph.constant(np.array([np.nan], np.float32)), value])


def add_ensemble(graph: GraphBuilder, matrix: str, ensemble: Ensemble) -> str:
    """The sums of the leaves, [N, 1] for two classes, else [N, classes]. Returns their name."""
    trees = ensemble.trees
    sizes = [len(tree.left) for tree in trees]
    leaf = [tree.left == LEAF for tree in trees]

    def joined(field, kind):
        return np.concatenate([np.asarray(getattr(tree, field)) for tree in trees]).astype(kind)

    def numbers(name, values):
        if not ensemble.exact:
            return {name: values.astype(np.float32).tolist()}
        return {f"{name}_as_tensor": numpy_helper.from_array(values.astype(np.float64), name)}

    if ensemble.exact:
        matrix = graph.add("Cast", [matrix], to=TensorProto.DOUBLE)
    is_leaf = np.concatenate(leaf)
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    targets = np.repeat([tree.target for tree in trees], sizes)
    splits = ~is_leaf
    return graph.add(
        "TreeEnsembleRegressor",
        [matrix],
        None if ensemble.exact else _SCORES,
        domain="ai.onnx.ml",
        n_targets=ensemble.targets,
        aggregate_function="SUM",
        post_transform="NONE",
        **numbers("base_values", np.array(ensemble.base_scores, np.float64)),
        nodes_treeids=tree_ids.tolist(),
        nodes_nodeids=node_ids.tolist(),
        nodes_featureids=np.where(splits, joined("feature", np.int64), 0).tolist(),
        nodes_modes=np.where(splits, ensemble.condition, "LEAF").tolist(),
        **numbers("nodes_values", np.where(splits, joined("threshold", np.float32), np.float32(0))),
        nodes_truenodeids=np.where(splits, joined("left", np.int64), 0).tolist(),
        nodes_falsenodeids=np.where(splits, joined("right", np.int64), 0).tolist(),
        nodes_missing_value_tracks_true=np.where(splits, joined("missing_goes_left", np.int64), 0).tolist(),
        target_treeids=tree_ids[is_leaf].tolist(),
        target_nodeids=node_ids[is_leaf].tolist(),
        target_ids=targets[is_leaf].tolist(),
        **numbers("target_weights", joined("value", np.float64)[is_leaf]),
    )


def add_outputs(graph: GraphBuilder, spec: Spec, scores: list[str], classes: tuple) -> None:
    """The task's outputs from the scores of its goals."""
    if spec.task in CLASSIFIERS:
        _add_classes(graph, scores[0], classes)
        return
    graph.add("Identity", [scores[0]], "score" if spec.task == "ranking" else "value")
    if len(scores) > 1:
        beside = graph.add("Concat", scores[1:], axis=1) if len(scores) > 2 else scores[1]
        # In order row by row: models fitted apart may cross.
        count = graph.constant(np.array([len(scores) - 1], np.int64))
        graph.add("TopK", [beside, count], "quantiles", more_outputs=["inner/places"], axis=1, largest=0, sorted=1)


def _add_classes(graph: GraphBuilder, scores: str, classes: tuple) -> None:
    """`probabilities` [N, classes] and `label` [N] from the scores."""
    if len(classes) == 2:
        positive = graph.add("Sigmoid", [scores])
        negative = graph.add("Sub", [graph.constant(np.array([1], np.float32)), positive])
        graph.add("Concat", [negative, positive], "probabilities", axis=1)
    else:
        graph.add("Softmax", [scores], "probabilities", axis=1)
    place = graph.add("ArgMax", ["probabilities"], axis=1, keepdims=0)
    values = np.array(classes, dtype=np.int64) if isinstance(classes[0], int) else np.array(classes, dtype=object)
    graph.add("Gather", [graph.constant(values), place], "label", axis=0)


def finish(graph: GraphBuilder, spec: Spec, classes: tuple) -> onnx.ModelProto:
    """The checked model. Nothing in it depends on time, place or chance."""
    inputs = [value for feature in spec.features for value in _inputs(feature)]
    body = helper.make_graph(graph.nodes, spec.model, inputs, _outputs(spec, classes), initializer=graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="perdure-tabular")
    onnx.checker.check_model(model)
    return model


_ELEMENTS = {
    "number": TensorProto.FLOAT,
    "vector": TensorProto.FLOAT,
    "string": TensorProto.STRING,
    "integer": TensorProto.INT64,
    "timestamp": TensorProto.INT64,
    "boolean": TensorProto.BOOL,
}


def _inputs(feature: Feature) -> list[onnx.ValueInfoProto]:
    own = helper.make_tensor_value_info(feature.name, _ELEMENTS[feature.type], ["N", feature.width])
    if not feature.tells_missing:
        return [own]
    return [own, helper.make_tensor_value_info(f"{feature.name}:missing", TensorProto.BOOL, ["N", 1])]


def _outputs(spec: Spec, classes: tuple) -> list[onnx.ValueInfoProto]:
    def numbers(name: str, width: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])

    if spec.task in CLASSIFIERS:
        label_type = TensorProto.INT64 if isinstance(classes[0], int) else TensorProto.STRING
        return [helper.make_tensor_value_info("label", label_type, ["N"]), numbers("probabilities", len(classes))]
    if spec.task == "ranking":
        return [numbers("score", 1)]
    return [numbers("value", 1), *([numbers("quantiles", len(spec.quantiles))] if spec.quantiles else [])]
