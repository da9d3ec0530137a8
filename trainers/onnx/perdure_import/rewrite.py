"""Inputs by feature and outputs by task, around a graph that stays as it is."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NUMERIC = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL}
# What exporters call the one output of a regressor, and the two of a classifier.
USUAL = {"label": ("label", "output_label"), "probabilities": ("probabilities", "output_probability")}


class Refusal(Exception):
    """Why a file is not taken: it names what is wrong and what to do."""


def rewrite(spec):
    """`spec`: model (path), features [{name, element, width}], outputs [{name, width, probability}], label, classes, map. Returns the bytes."""
    with open(spec["model"], "rb") as file:
        given = file.read()
    model = onnx.load_model_from_string(given)
    names = {value.name for value in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in names]
    if _fits(spec, inputs, model.graph.output):
        return given
    _private_names(model.graph, spec, inputs)
    adopted_inputs, first = _adopt_inputs(spec, inputs)
    last, outputs = _adopt_outputs(spec, model.graph)
    nodes = [*first, *model.graph.node, *last.nodes]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(last.constants)
    kept = [value for value in model.graph.input if value.name in names]
    del model.graph.input[:]
    model.graph.input.extend([*adopted_inputs, *kept])
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    _drop_unused_domains(model)
    return model.SerializeToString(deterministic=True)


def _described(value):
    if not value.type.HasField("tensor_type"):
        return {"name": value.name.removeprefix("given/"), "type": "no tensor", "shape": []}
    tensor = value.type.tensor_type
    return {
        "name": value.name.removeprefix("given/"),
        "type": TensorProto.DataType.Name(tensor.elem_type).lower(),
        "shape": [one.dim_value if one.HasField("dim_value") else -1 for one in tensor.shape.dim],
    }


def _text(described):
    return f"{described['name']} {described['type']} {described['shape']}"


def _listed(values):
    return ", ".join(_text(_described(one)) for one in values) or "none"


def _fits(spec, inputs, outputs):
    """Whether a file needs no change at all: then its bytes stay."""
    if spec.get("map"):
        return False
    wanted = {one["name"]: one for one in spec["features"]}
    found = {one["name"]: one for one in map(_described, inputs)}
    if set(wanted) != set(found) or any(found[name]["type"] != one["element"] or found[name]["shape"] != [-1, one["width"]] for name, one in wanted.items()):
        return False
    given = {one["name"]: one for one in map(_described, outputs)}
    right = all(given.get(one["name"], {}).get("type") == "float" and given[one["name"]]["shape"] in ([-1, one["width"]], [-1, -1]) for one in spec["outputs"])
    return right and (not spec["label"] or given.get("label", {}).get("type") in ("int64", "string"))


# --- inputs


def _adopt_inputs(spec, inputs):
    features = {one["name"]: one for one in spec["features"]}
    mapped = (spec.get("map") or {}).get("inputs")
    columns = mapped if mapped is not None else _guessed_inputs(features, inputs)
    unknown = sorted(set(columns) - {one.name.removeprefix("given/") for one in inputs})
    if unknown:
        raise Refusal(f"map.inputs names {', '.join(unknown)}, and the model takes {_listed(inputs)}")
    nodes, used = [], []
    for value in inputs:
        name = value.name.removeprefix("given/")
        if name not in columns:
            raise Refusal(f"the model takes the input {_text(_described(value))}, which is no feature of the contract: {_remedy(features, inputs)}")
        wanted = [columns[name]] if isinstance(columns[name], str) else list(columns[name])
        for feature in wanted:
            if feature not in features:
                raise Refusal(f"map.inputs.{name} names {feature}, which is no feature of the contract: it has {', '.join(features)}")
        used += wanted
        nodes += _input_nodes(value, wanted, features)
    # What says that a value is missing, or how long a list is, a model made elsewhere need not know.
    missing = [name for name in features if name not in used and ":" not in name]
    if missing:
        raise Refusal(f"no input of the model takes {', '.join(missing)}: it takes {_listed(inputs)}")
    if len(set(used)) < len(used):
        raise Refusal("map.inputs names a feature twice")
    kinds = {"float": TensorProto.FLOAT, "string": TensorProto.STRING, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
    return [helper.make_tensor_value_info(name, kinds[one["element"]], ["N", one["width"]]) for name, one in features.items()], nodes


def _guessed_inputs(features, inputs):
    names = {one.name.removeprefix("given/") for one in inputs}
    if names in (set(features), {name for name in features if ":" not in name}):
        return {name: name for name in names}
    raise Refusal(f"the model takes {_listed(inputs)}, and the contract has the features {', '.join(features)}: {_remedy(features, inputs)}")


def _remedy(features, inputs):
    name = inputs[0].name.removeprefix("given/") if inputs else "INPUT"
    some = ", ".join(f'"{one}"' for one in list(features)[:3])
    return f'say with --map which feature each column of an input is: {{"inputs": {{"{name}": [{some}, …]}}}}, in the order in which it was trained'


def _input_nodes(value, wanted, features):
    described = _described(value)
    kind, shape = value.type.tensor_type.elem_type, described["shape"]
    name = value.name.removeprefix("given/")
    if described["type"] == "no tensor" or len(shape) not in (1, 2) or shape[0] != -1:
        raise Refusal(f"the input {_text(described)} is none of rows: export the model with a free first dimension")
    width = shape[1] if len(shape) == 2 else 1
    given = sum(features[one]["width"] for one in wanted)
    if width not in (-1, given):
        many = f"{len(wanted)} features are named for it" + ("" if given == len(wanted) else f", with {given} numbers")
        raise Refusal(f"the input {_text(described)} has {width} columns, and {many}")
    text = kind == TensorProto.STRING
    wrong = [one for one in wanted if (features[one]["element"] == "string") != text]
    if wrong or (not text and kind not in NUMERIC):
        raise Refusal(f"the input {_text(described)} cannot take {', '.join(wrong or wanted)} of the type {features[(wrong or wanted)[0]]['element']}")
    nodes, parts = [], []
    target = "float" if kind != TensorProto.INT64 else "int64"
    for feature in wanted:
        part = feature
        if not text and features[feature]["element"] != target and len(wanted) > 1:
            part = f"adopted/{name}/{feature}"
            nodes.append(helper.make_node("Cast", [feature], [part], to=TensorProto.FLOAT if target == "float" else TensorProto.INT64))
        parts.append(part)
    joined = parts[0]
    if len(parts) > 1:
        joined = f"adopted/{name}/matrix"
        nodes.append(helper.make_node("Concat", parts, [joined], axis=1))
    if len(shape) == 1:
        nodes.append(helper.make_node("Flatten", [joined], [f"adopted/{name}/flat"], axis=1))
        nodes.append(helper.make_node("Squeeze", [f"adopted/{name}/flat"], [f"adopted/{name}/row"]))
        joined = f"adopted/{name}/row"
    if text:
        nodes.append(helper.make_node("Identity", [joined], [value.name]))
    else:
        nodes.append(helper.make_node("Cast", [joined], [value.name], to=kind))
    return nodes


# --- outputs


class _Added:
    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operator, inputs, output, domain="", **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def constant(self, value, name):
        self.constants.append(numpy_helper.from_array(value, name))
        return name


def _adopt_outputs(spec, graph):
    added, outputs = _Added(), []
    given = {one.name.removeprefix("given/"): one for one in graph.output}
    mapped = (spec.get("map") or {}).get("outputs") or {}
    unknown = sorted(set(mapped) - set(given))
    if unknown:
        raise Refusal(f"map.outputs names {', '.join(unknown)}, and the model gives {_listed(graph.output)}")
    targets = {(one if isinstance(one, str) else one["as"]): name for name, one in mapped.items()}
    wanted_names = [one["name"] for one in spec["outputs"]] + (["label"] if spec["label"] else [])
    strange = sorted(set(targets) - set(wanted_names))
    if strange:
        raise Refusal(f"map.outputs names {', '.join(strange)}, and a model of this task gives {', '.join(wanted_names)}")
    used = set(targets.values())
    for wanted in spec["outputs"]:
        name = wanted["name"]
        source = targets.get(name) or _usual(name, given, used, spec)
        if source is None:
            one = next(iter(given), "OUTPUT")
            raise Refusal(
                f"no output of the model is {name} with {wanted['width']} numbers a row: it gives {_listed(graph.output)}. "
                f'Say with --map which it is: {{"outputs": {{"{one}": "{name}"}}}}'
            )
        used.add(source)
        how = mapped.get(source)
        _adopt_numbers(added, graph, given[source], wanted, None if isinstance(how, str) or how is None else how.get("apply"))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", wanted["width"]]))
    if spec["label"]:
        outputs.insert(0, _adopt_label(added, given, targets.get("label") or _usual("label", given, used, spec), spec))
    return added, outputs


def _usual(name, given, used, spec):
    for usual in (name, *USUAL.get(name, ())):
        if usual in given and usual not in used:
            return usual
    left = [one for one in given if one not in used]
    only = name != "label" and len(spec["outputs"]) == 1
    return left[0] if only and len(left) == 1 else None


def _adopt_numbers(added, graph, value, wanted, apply):
    name, width = wanted["name"], wanted["width"]
    source, described = value.name, _described(value)
    if described["type"] == "no tensor":
        # scikit-learn's exporter wraps chances in a list of maps: what goes in is the matrix.
        maps = [node for node in graph.node if node.op_type == "ZipMap" and value.name in node.output]
        if not maps:
            raise Refusal(f"the output {described['name']} is no tensor: export the model without it")
        source = maps[0].input[0]
        graph.node.remove(maps[0])
    elif value.type.tensor_type.elem_type not in NUMERIC or len(described["shape"]) > 2:
        raise Refusal(f"the output {_text(described)} holds no numbers a row: {name} needs {width}")
    chances = wanted["probability"]
    columns = described["shape"][-1] if len(described["shape"]) == 2 else 1
    narrow = chances and width == 2 and described["type"] != "no tensor" and columns == 1
    if described["type"] != "no tensor" and columns not in (-1, width) and not narrow:
        raise Refusal(f"the output {_text(described)} has {columns} numbers a row, and {name} needs {width}")
    at = added.add("Cast", [source], f"adopted/{name}/float", to=TensorProto.FLOAT)
    shape = added.constant(np.array([-1, 1 if narrow else width], np.int64), f"adopted/{name}/shape")
    at = added.add("Reshape", [at, shape], f"adopted/{name}/rows")
    if apply == "softmax":
        at = added.add("Softmax", [at], f"adopted/{name}/softmax", axis=1)
    elif apply == "sigmoid":
        at = added.add("Sigmoid", [at], f"adopted/{name}/sigmoid")
    elif apply is not None:
        raise Refusal(f"map.outputs.{value.name.removeprefix('given/')}.apply is {apply!r}: it may be softmax or sigmoid")
    if narrow:
        one = added.constant(np.array([1], np.float32), f"adopted/{name}/one")
        no = added.add("Sub", [one, at], f"adopted/{name}/no")
        at = added.add("Concat", [no, at], f"adopted/{name}/both", axis=1)
    added.add("Identity", [at], name)


def _adopt_label(added, given, source, spec):
    """What the model says itself, or else the likeliest of the contract's classes."""
    classes = spec["classes"]
    value = given.get(source) if source else None
    kind = value.type.tensor_type.elem_type if value is not None else None
    if kind in (TensorProto.INT64, TensorProto.INT32, TensorProto.STRING, TensorProto.BOOL) and len(_described(value)["shape"]) <= 2:
        flat = added.constant(np.array([-1], np.int64), "adopted/label/shape")
        shaped = added.add("Reshape", [value.name, flat], "adopted/label/rows")
        target = TensorProto.STRING if kind == TensorProto.STRING else TensorProto.INT64
        added.add("Cast", [shaped], "label", to=target)
        return helper.make_tensor_value_info("label", target, ["N"])
    if not classes:
        raise Refusal("the model gives no label, and the contract names no classes: list them in contract.label.classes")
    text = isinstance(classes[0], str)
    values = added.constant(np.array(classes, dtype=object if text else np.int64), "adopted/label/classes")
    place = added.add("ArgMax", ["probabilities"], "adopted/label/place", axis=1, keepdims=0)
    added.add("Gather", [values, place], "label", axis=0)
    return helper.make_tensor_value_info("label", TensorProto.STRING if text else TensorProto.INT64, ["N"])


# --- names


def _private_names(graph, spec, inputs):
    """The graph's own inputs and outputs give way to the contract's names, and so does any inner value of one of them."""
    wanted = {one["name"] for one in spec["features"]} | {one["name"] for one in spec["outputs"]} | {"label"}
    public = {one.name for one in inputs} | {one.name for one in graph.output}
    taken = wanted | public
    rename = {}
    for node in graph.node:
        for name in node.output:
            if name in taken:
                rename[name] = f"given/{name}"
    for value in [*graph.initializer]:
        if value.name in taken:
            rename[value.name] = f"given/{value.name}"
    for name in public:
        rename[name] = f"given/{name}"
    _rename(graph, rename)


def _rename(graph, rename):
    for values in (graph.input, graph.output, graph.initializer, graph.value_info):
        for value in values:
            value.name = rename.get(value.name, value.name)
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                names[place] = rename.get(name, name)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                if inner.node:
                    _rename(inner, rename)


def _drop_unused_domains(model):
    """Optimisers name operator sets that nothing uses, which a strict reader refuses."""
    used = set()

    def collect(graph):
        for node in graph.node:
            used.add("" if node.domain == "ai.onnx" else node.domain)
            for attribute in node.attribute:
                for inner in [attribute.g, *attribute.graphs]:
                    collect(inner)

    collect(model.graph)
    kept = [one for one in model.opset_import if ("" if one.domain == "ai.onnx" else one.domain) in used | {""}]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    if not any(one.domain in ("", "ai.onnx") for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", 17))
