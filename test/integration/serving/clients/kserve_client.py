"""Talks to a gateway with the real kserve client, REST and gRPC, and prints what it got as one JSON object. Usage: kserve_client.py URL HOST:PORT ROWS.json"""

import asyncio
import json
import logging
import sys

import grpc
import httpx
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

from flight_tensors import MODEL, datatype_of, read_columns

logging.disable(logging.CRITICAL)
url, address, rows_file = sys.argv[1:4]
columns = read_columns(rows_file)


def request(binary, leave_out=None):
    inputs = []
    for name, array in columns.items():
        if name == leave_out:
            continue
        tensor = InferInput(name, list(array.shape), datatype_of(array))
        # Without binary tensors the client writes NaN as null, which means missing too.
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    return InferRequest(model_name=MODEL, infer_inputs=inputs, request_id="kserve-1")


def answer(response):
    by_name = {output.name: output.as_numpy() for output in response.outputs}
    return {
        "version": response.model_version,
        "id": response.id,
        "label": by_name["label"].tolist(),
        "labelType": str(by_name["label"].dtype),
        "probabilities": by_name["probabilities"].tolist(),
    }


async def error_of(call):
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return {"status": error.code().name, "message": error.details()}
    except httpx.HTTPStatusError as error:
        return {"status": str(error.response.status_code), "message": str(error)}
    return None


async def main():
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    grpc_client = InferenceGRPCClient(address)
    print(
        json.dumps(
            {
                "rest": {
                    "live": await rest.is_server_live(url),
                    "ready": await rest.is_server_ready(url),
                    "modelReady": await rest.is_model_ready(url, MODEL),
                    "binary": answer(await rest.infer(url, request(True), model_name=MODEL)),
                    "json": answer(await rest.infer(url, request(False), model_name=MODEL)),
                    "missing": await error_of(rest.infer(url, request(True, "carrier"), model_name=MODEL)),
                },
                "grpc": {
                    "live": await grpc_client.is_server_live(),
                    "ready": await grpc_client.is_server_ready(),
                    "modelReady": await grpc_client.is_model_ready(MODEL),
                    "raw": answer(await grpc_client.infer(request(True))),
                    "typed": answer(await grpc_client.infer(request(False), headers=(("x-perdure-key", "k"),))),
                    "missing": await error_of(grpc_client.infer(request(False, "carrier"))),
                },
            }
        )
    )


asyncio.run(main())
