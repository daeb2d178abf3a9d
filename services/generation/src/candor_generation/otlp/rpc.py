"""OTLP/gRPC: the Export calls of TraceService and LogsService.

Spec: OTLP/gRPC
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import grpc
from candor_kit.errors import STATUS_DETAILS_KEY, Refusal
from candor_kit.transaction import Caller
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from candor_generation.otlp.encoding import Form, decode
from candor_generation.otlp.exports import RETRY_AFTER_SECONDS, Exports, refusal_of

TRACES = trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"].full_name
LOGS = logs_service_pb2.DESCRIPTOR.services_by_name["LogsService"].full_name
M = TypeVar("M", bound=Message)
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def generic_handlers(exports: Exports) -> list[grpc.GenericRpcHandler]:
    """Return the handlers of both services, to be added to the server; `TRACES` and `LOGS` are their names."""
    return [
        _handler(TRACES, exports, trace_service_pb2.ExportTraceServiceRequest, exports.traces),
        _handler(LOGS, exports, logs_service_pb2.ExportLogsServiceRequest, exports.logs),
    ]


def _handler(
    service: str, exports: Exports, message: type[M], export: Callable[[M, Caller], Awaitable[Message]]
) -> grpc.GenericRpcHandler:
    async def call(raw: bytes, context: _Context) -> bytes:
        try:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            caller = exports.admit(metadata.get("authorization"))
            with exports.turn():
                reply = await export(await asyncio.to_thread(decode, raw, Form.BINARY, message), caller)
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            await _abort(context, refusal_of(error, service))
        else:
            return reply.SerializeToString()
        raise AssertionError  # abort has raised

    return grpc.method_handlers_generic_handler(service, {"Export": grpc.unary_unary_rpc_method_handler(call)})


async def _abort(context: _Context, refusal: Refusal) -> None:
    status = refusal.to_status()
    if refusal.status is grpc.StatusCode.UNAVAILABLE:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER_SECONDS)))
    await context.abort(refusal.status, refusal.message, ((STATUS_DETAILS_KEY, status.SerializeToString()),))
