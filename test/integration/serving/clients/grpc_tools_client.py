"""Asks a gateway what probes and tools ask, with the health checking and reflection packages of gRPC. Usage: grpc_tools_client.py HOST:PORT"""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
health = health_pb2_grpc.HealthStub(channel)
State = health_pb2.HealthCheckResponse.ServingStatus


def check(service):
    try:
        return State.Name(health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status)
    except grpc.RpcError as error:
        return error.code().name


def first_of_watch(service):
    call = health.Watch(health_pb2.HealthCheckRequest(service=service), timeout=10)
    state = State.Name(next(call).status)
    call.cancel()
    return state


def reflect(name):
    """Services by one name of the reflection service; the messages of both are the same."""
    method = channel.stream_stream(
        f"/grpc.reflection.{name}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    (response,) = method(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10)
    return [service.name for service in response.list_services_response.service]


database = ProtoReflectionDescriptorDatabase(channel)
pool = DescriptorPool(database)
service = pool.FindServiceByName("inference.GRPCInferenceService")
request = pool.FindMessageTypeByName("inference.ModelInferRequest")
method = database.FindFileContainingSymbol("inference.GRPCInferenceService.ModelInfer")
try:
    database.FindFileContainingSymbol("inference.Nothing")
    unknown = None
except KeyError as error:
    unknown = str(error)

print(
    json.dumps(
        {
            "check": {name: check(name) for name in ["", "inference.GRPCInferenceService", "nobody"]},
            "watch": {name: first_of_watch(name) for name in ["", "nobody"]},
            "services": {name: reflect(name) for name in ["v1", "v1alpha"]},
            "methods": sorted(method.name for method in service.methods),
            "fields": sorted(field.name for field in request.fields),
            "file": method.name,
            "unknown": unknown,
        }
    )
)
