"""Talks to a gateway with the real tritonclient and prints what it got as one JSON object. Usage: triton_client.py HOST:PORT ROWS.json"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, rows_file = sys.argv[1:3]
rows = json.load(open(rows_file))
client = triton.InferenceServerClient(address, concurrency=4)
MODEL = "flight-delay"
out = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "modelReady": client.is_model_ready(MODEL),
    "versionReady": client.is_model_ready(MODEL, "1"),
    "unknownReady": client.is_model_ready("nobody"),
    "server": client.get_server_metadata(),
    "model": client.get_model_metadata(MODEL),
    "versionModel": client.get_model_metadata(MODEL, "1"),
    "index": client.get_model_repository_index(),
}


def tensors(binary):
    made = []
    for spec in out["model"]["inputs"]:
        values = [row[spec["name"]] for row in rows]
        if spec["datatype"] == "BYTES":
            array = np.array([[value.encode()] for value in values], dtype=np.object_)
        else:
            array = np.array([[np.nan if value is None else value] for value in values], dtype=np.float32)
        tensor = triton.InferInput(spec["name"], list(array.shape), spec["datatype"])
        # JSON knows no NaN: a row with a missing value goes as binary.
        tensor.set_data_from_numpy(array, binary_data=binary or bool(spec["datatype"] == "FP32" and np.isnan(array).any()))
        made.append(tensor)
    return made


def answer(result):
    response = result.get_response()
    return {
        "version": response["model_version"],
        "id": response["id"],
        "label": result.as_numpy("label").tolist(),
        "labelType": str(result.as_numpy("label").dtype),
        "probabilities": result.as_numpy("probabilities").tolist(),
    }


out["binary"] = answer(client.infer(MODEL, tensors(True), request_id="triton-1"))
out["json"] = answer(
    client.infer(
        MODEL,
        tensors(False),
        request_id="triton-1",
        outputs=[triton.InferRequestedOutput("probabilities", binary_data=False), triton.InferRequestedOutput("label", binary_data=True)],
    )
)
out["explicit"] = answer(client.infer(MODEL, tensors(True), model_version="1", headers={"X-Perdure-Key": "k"}))
out["gzip"] = answer(client.infer(MODEL, tensors(True), request_compression_algorithm="gzip", response_compression_algorithm="gzip"))
out["deflate"] = answer(client.infer(MODEL, tensors(True), request_compression_algorithm="deflate"))
pending = [client.async_infer(MODEL, tensors(True), request_id=f"async-{number}") for number in range(8)]
out["async"] = [answer(one.get_result()) for one in pending]


def error_of(call):
    try:
        call()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


out["errors"] = {
    "missing": error_of(lambda: client.infer(MODEL, tensors(True)[1:])),
    "unknownModel": error_of(lambda: client.infer("nobody", tensors(True))),
    "unknownVersion": error_of(lambda: client.infer(MODEL, tensors(True), model_version="99")),
    "late": error_of(lambda: client.infer(MODEL, tensors(True), timeout=1)),
    "load": error_of(lambda: client.load_model(MODEL)),
    "unload": error_of(lambda: client.unload_model(MODEL)),
    "unknownOutput": error_of(lambda: client.infer(MODEL, tensors(True), outputs=[triton.InferRequestedOutput("nothing")])),
}
print(json.dumps(out))
