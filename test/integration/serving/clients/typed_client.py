"""Sends a feature of each type with the real tritonclient, over HTTP as JSON and as bytes and over gRPC; prints the answers. Usage: typed_client.py HTTP GRPC"""

import json
import sys

import numpy as np
import tritonclient.grpc
import tritonclient.http

http_address, grpc_address = sys.argv[1:3]
MODEL = "typed"
ID = 2**60 + 1
MICROSECONDS = -1


def texts(*rows):
    return np.array([[text.encode() for text in row] for row in rows], dtype=np.object_)


# The second row is missing in everything; what stands there is not looked at.
missing = np.array([[False], [True]])
columns = {
    "id": np.array([[ID], [7]], dtype=np.int64),
    "id:missing": missing,
    "ok": np.array([[True], [True]]),
    "ok:missing": missing,
    "seen": np.array([[MICROSECONDS], [2**62]], dtype=np.int64),
    "seen:missing": missing,
    "pixels": np.array([[1.5, 2**-149], [3, 4]], dtype=np.float32),
    "pixels:missing": missing,
    "note": texts(["🍕\n"], [""]),
    "tags": texts(["b", "🍕", "x"], ["b", "b", "b"]),
    "tags:length": np.array([[2], [0]], dtype=np.int64),
    "tags:missing": missing,
}
datatypes = {"int64": "INT64", "bool": "BOOL", "float32": "FP32", "object": "BYTES"}


def tensors(module, **how):
    made = []
    for name, array in columns.items():
        tensor = module.InferInput(name, list(array.shape), datatypes[str(array.dtype)])
        tensor.set_data_from_numpy(array, **how)
        made.append(tensor)
    return made


http = tritonclient.http.InferenceServerClient(http_address)
grpc = tritonclient.grpc.InferenceServerClient(grpc_address)
out = {"inputs": http.get_model_metadata(MODEL)["inputs"]}
for kind, result in (
    ("json", http.infer(MODEL, tensors(tritonclient.http, binary_data=False))),
    ("binary", http.infer(MODEL, tensors(tritonclient.http, binary_data=True))),
    ("grpc", grpc.infer(MODEL, tensors(tritonclient.grpc))),
):
    out[kind] = result.as_numpy("embedding").tolist()
print(json.dumps(out))
