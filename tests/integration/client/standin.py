"""A generation service that answers as it is told, and can be away: what a real one is hard to be made to do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from candor.generation.v1 import label_pb2, model_pb2, screening_pb2, service_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

RECORD: dict[str, Any] = {
    "subject": "account-1042",
    "provider": "acme",
    "model": "acme-7b",
    "product": "chat",
    "locale": "en",
    "prompt": "Why is the sky blue?",
    "output": "Air scatters blue light more.",
}


@dataclass(frozen=True)
class Refusal:
    """An answer of Candor's that refuses."""

    status: grpc.StatusCode
    reason: str
    field: str = ""

    def details(self) -> tuple[tuple[str, bytes], ...]:
        status = status_pb2.Status(code=self.status.value[0], message="no")
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=self.reason, domain="candor.edge.v1"))
        bad = error_details_pb2.BadRequest()
        bad.field_violations.add(field=self.field, description="is wrong")
        status.details.add().Pack(bad)
        return (("grpc-status-details-bin", status.SerializeToString()),)


@dataclass
class StandIn:
    """Records what it is sent, by id, as the service does."""

    script: list[grpc.StatusCode | Refusal] = field(default_factory=list)
    refused_outputs: dict[str, Refusal] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    wanted_token: str = ""
    calls: list[str] = field(default_factory=list)
    records: dict[str, service_pb2.RecordRequest] = field(default_factory=dict)
    labelled: list[label_pb2.LabelHeader] = field(default_factory=list)
    address: str = ""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._server: grpc.Server | None = None

    def record(self, request: service_pb2.RecordRequest, context: Any) -> service_pb2.RecordResponse:
        with self._lock:
            self.calls.append(request.command_id)
            token = dict(context.invocation_metadata()).get("authorization", "")
            self.tokens.append(token)
            answer = self.script.pop(0) if self.script else self.refused_outputs.get(request.output)
            if answer is None and self.wanted_token and token != f"Bearer {self.wanted_token}":
                answer = Refusal(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
            if answer is None:
                first = self.records.setdefault(request.command_id, request)
                assert first == request, "the same id with another body"
        if isinstance(answer, Refusal):
            context.set_trailing_metadata(answer.details())
            context.abort(answer.status, "no")
        if answer is not None:
            context.abort(answer, "away")
        return service_pb2.RecordResponse(
            generation_id=request.command_id,
            label=model_pb2.Label(json='{"AIGC":{}}', explicit_text="AI generated"),
            verdict=model_pb2.Verdict(
                decision=model_pb2.DECISION_REVIEW,
                hits=[model_pb2.Hit(feature_id="f", category="c", in_prompt=True, start=4, end=7)],
            ),
        )

    def screen(self, request: screening_pb2.ScreenRequest, context: Any) -> screening_pb2.ScreenResponse:
        with self._lock:
            answer = self.script.pop(0) if self.script else None
        if answer is not None:
            context.abort(answer, "away")
        is_bad = "bad" in request.prompt + request.output
        decision = model_pb2.DECISION_BLOCK if is_bad else model_pb2.DECISION_ALLOW
        return screening_pb2.ScreenResponse(verdict=model_pb2.Verdict(decision=decision), library_version=7)

    def label(
        self, requests: Iterator[label_pb2.LabelRequest], context: Any
    ) -> Iterator[label_pb2.LabelResponse]:  # fmt: skip
        header = next(requests).header
        self.labelled.append(header)
        if header.media_type == "text/unknown":
            refusal = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "MEDIA_TYPE_UNKNOWN", "media_type")
            context.set_trailing_metadata(refusal.details())
            context.abort(refusal.status, "no")
        content = b"".join(request.chunk for request in requests)
        out = b"label:" + content
        answer = label_pb2.LabelledHeader(
            label=model_pb2.Label(json=header.generation_id),
            unlabelled_sha256=hashlib.sha256(content).digest(),
            labelled_sha256=bytes(32) if header.media_type == "text/broken" else hashlib.sha256(out).digest(),
            labelled_size=len(out),
        )
        yield label_pb2.LabelResponse(header=answer)
        for start in range(0, len(out), 100_000):
            yield label_pb2.LabelResponse(chunk=out[start : start + 100_000])

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers([
            _handler("GenerationService", "Record", _unary(self.record, service_pb2.RecordRequest)),
            _handler("ScreeningService", "Screen", _unary(self.screen, screening_pb2.ScreenRequest)),
            _handler("LabelService", "Label", _streams(self.label, label_pb2.LabelRequest)),
        ])  # fmt: skip
        port = self._server.add_insecure_port(self.address or "127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()
            self._server = None


def _handler(service: str, method: str, handler: Any) -> Any:
    return grpc.method_handlers_generic_handler(f"candor.generation.v1.{service}", {method: handler})


def _unary(call: Callable[..., Any], request: type[Message]) -> Any:
    return grpc.unary_unary_rpc_method_handler(call, request.FromString, lambda answer: answer.SerializeToString())


def _streams(call: Callable[..., Any], request: type[Message]) -> Any:
    return grpc.stream_stream_rpc_method_handler(call, request.FromString, lambda answer: answer.SerializeToString())


@contextmanager
def standing_in() -> Iterator[StandIn]:
    service = StandIn()
    service.start()
    try:
        yield service
    finally:
        service.stop()
