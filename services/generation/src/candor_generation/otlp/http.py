"""OTLP/HTTP: POST /v1/traces and /v1/logs.

Spec: OTLP/HTTP
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from candor_kit.errors import EDGE, Refusal
from candor_kit.transaction import Caller
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from candor_generation.otlp.encoding import Form, decode, encode, form_of, read
from candor_generation.otlp.exports import RETRY_AFTER_SECONDS, Exports, refusal_of

M = TypeVar("M", bound=Message)
_STATUSES = {
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 413,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.INTERNAL: 500,
}


@dataclass(frozen=True)
class _Unsupported(Exception):
    """The body is in a form or packed in a way that is not taken."""

    message: str
    headers: dict[str, str]


@dataclass(frozen=True)
class OtlpHttp:
    """The two endpoints.

    Attributes:
        exports: takes what comes in.
        limit: most bytes of a body, packed and unpacked; the specification recommends 20 MiB.
    """

    exports: Exports
    limit: int = 20 * 1024 * 1024

    def routes(self) -> list[Route]:
        """The routes, to be served beside the others."""
        return [
            Route("/v1/traces", _Signal(self, ExportTraceServiceRequest, self.exports.traces).answer, methods=["POST"]),
            Route("/v1/logs", _Signal(self, ExportLogsServiceRequest, self.exports.logs).answer, methods=["POST"]),
        ]


@dataclass(frozen=True)
class _Signal(Generic[M]):
    """One endpoint."""

    http: OtlpHttp
    message: type[M]
    export: Callable[[M, Caller], Awaitable[Message]]

    async def answer(self, request: Request) -> Response:
        """Take one export; whatever goes wrong is answered with a google.rpc.Status."""
        form = form_of(request.headers.get("content-type"))
        try:
            reply = await self._take(request, form)
        except ClientDisconnect:
            return Response(status_code=400)
        except _Unsupported as unsupported:
            return _refused(EDGE.refusal("MALFORMED", unsupported.message), form, 415, unsupported.headers)
        except Exception as error:  # noqa: BLE001 - translated, never swallowed
            return _refused(refusal_of(error, request.url.path), form)
        return Response(encode(reply, form or Form.BINARY), media_type=(form or Form.BINARY).value)

    async def _take(self, request: Request, form: Form | None) -> Message:
        caller = self.http.exports.admit(request.headers.get("authorization"))
        if form is None:
            raise _Unsupported(
                f"send Content-Type {Form.BINARY} or {Form.JSON}", {"Accept": f"{Form.BINARY}, {Form.JSON}"}
            )
        packing = request.headers.get("content-encoding", "").strip().lower()
        if packing not in {"", "identity", "gzip"}:
            raise _Unsupported("send Content-Encoding gzip or none", {"Accept-Encoding": "gzip"})
        with self.http.exports.turn():
            body = await read(request.stream(), gzip=packing == "gzip", limit=self.http.limit)
            return await self.export(await asyncio.to_thread(decode, body, form, self.message), caller)


def _refused(
    refusal: Refusal, form: Form | None, status: int | None = None, headers: dict[str, str] | None = None
) -> Response:
    code = status or _STATUSES.get(refusal.status, 400)
    given = dict(headers or {})
    if refusal.status is grpc.StatusCode.UNAVAILABLE:
        given["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if refusal.status is grpc.StatusCode.UNAUTHENTICATED:
        given["WWW-Authenticate"] = "Bearer"
    chosen = form or Form.BINARY
    return Response(encode(refusal.to_status(), chosen), code, given, chosen.value)
