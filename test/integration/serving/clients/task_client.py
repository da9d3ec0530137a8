"""Asks models of one number `x` with the real tritonclient and prints their outputs as one JSON object. Usage: task_client.py HOST:PORT GRPC-HOST:PORT MODELS XS"""

import json
import sys

import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http

http_address, grpc_address, models, xs = sys.argv[1:5]
x = np.array([[value] for value in json.loads(xs)], dtype=np.float32)
http = over_http.InferenceServerClient(http_address)
grpc = over_grpc.InferenceServerClient(grpc_address)


def values(array):
    """Of a text its characters; numbers as they are."""
    return [value.decode() if isinstance(value, bytes) else value for value in array.ravel().tolist()]


def answer(result, specs):
    arrays = {spec["name"]: result.as_numpy(spec["name"]) for spec in specs}
    return {name: {"shape": list(array.shape), "type": str(array.dtype), "data": values(array)} for name, array in arrays.items()}


def ask(model):
    specs = http.get_model_metadata(model)["outputs"]
    binary = over_http.InferInput("x", list(x.shape), "FP32")
    binary.set_data_from_numpy(x)
    text = over_http.InferInput("x", list(x.shape), "FP32")
    text.set_data_from_numpy(x, binary_data=False)
    as_text = [over_http.InferRequestedOutput(spec["name"], binary_data=False) for spec in specs]
    raw = over_grpc.InferInput("x", list(x.shape), "FP32")
    raw.set_data_from_numpy(x)
    return {
        "metadata": {spec["name"]: [spec["datatype"], spec["shape"]] for spec in specs},
        "grpcMetadata": {one.name: [one.datatype, list(one.shape)] for one in grpc.get_model_metadata(model).outputs},
        "binary": answer(http.infer(model, [binary]), specs),
        "json": answer(http.infer(model, [text], outputs=as_text), specs),
        "grpc": answer(grpc.infer(model, [raw]), specs),
    }


print(json.dumps({model: ask(model) for model in json.loads(models)}))
