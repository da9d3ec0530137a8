"""Talks to a gateway with the real tritonclient over gRPC and prints what it got as one JSON object. Usage: triton_grpc_client.py HOST:PORT ROWS.json"""

import json
import sys
from concurrent.futures import Future

import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from flight_tensors import MODEL, datatype_of, read_columns

address, rows_file = sys.argv[1:3]
columns = read_columns(rows_file)
client = triton.InferenceServerClient(address)


def tensors(leave_out=None):
    made = []
    for name, array in columns.items():
        if name == leave_out:
            continue
        tensor = triton.InferInput(name, list(array.shape), datatype_of(array))
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def answer(result):
    response = result.get_response()
    return {
        "version": response.model_version,
        "id": response.id,
        "label": result.as_numpy("label").tolist(),
        "labelType": str(result.as_numpy("label").dtype),
        "probabilities": result.as_numpy("probabilities").tolist(),
    }


def asynchronous(number):
    future = Future()
    client.async_infer(MODEL, tensors(), lambda result, error: future.set_exception(error) if error else future.set_result(result), request_id=f"async-{number}")
    return future


def error_of(call):
    try:
        call()
    except InferenceServerException as error:
        return {"status": str(error.status()), "message": error.message()}
    return None


metadata = client.get_model_metadata(MODEL, as_json=True)
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "modelReady": client.is_model_ready(MODEL),
            "versionReady": client.is_model_ready(MODEL, "1"),
            "unknownReady": client.is_model_ready("nobody"),
            "server": client.get_server_metadata(as_json=True),
            "model": metadata,
            "index": client.get_model_repository_index(as_json=True),
            "raw": answer(client.infer(MODEL, tensors(), request_id="triton-1")),
            "explicit": answer(client.infer(MODEL, tensors(), model_version="1", headers={"x-perdure-key": "k"}, client_timeout=10)),
            "gzip": answer(client.infer(MODEL, tensors(), compression_algorithm="gzip")),
            "deflate": answer(client.infer(MODEL, tensors(), compression_algorithm="deflate")),
            "outputs": [one.name for one in client.infer(MODEL, tensors(), outputs=[triton.InferRequestedOutput("probabilities")]).get_response().outputs],
            "async": [answer(one.result(30)) for one in [asynchronous(number) for number in range(8)]],
            "errors": {
                "missing": error_of(lambda: client.infer(MODEL, tensors("carrier"))),
                "unknownModel": error_of(lambda: client.infer("nobody", tensors())),
                "unknownVersion": error_of(lambda: client.infer(MODEL, tensors(), model_version="99")),
                "unknownOutput": error_of(lambda: client.infer(MODEL, tensors(), outputs=[triton.InferRequestedOutput("nothing")])),
                "late": error_of(lambda: client.infer(MODEL, tensors(), timeout=1)),
                "load": error_of(lambda: client.load_model(MODEL)),
                "unload": error_of(lambda: client.unload_model(MODEL)),
            },
        }
    )
)
