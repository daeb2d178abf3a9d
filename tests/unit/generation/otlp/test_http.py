"""OTLP/HTTP as the specification has it: forms, packings, refusals, partial success."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_generation.otlp.buffer import Buffer, Patience
from candor_generation.otlp.exports import Exports
from candor_generation.otlp.http import OtlpHttp
from candor_generation.otlp.joiner import Joiner
from candor_generation.otlp.mapping import Names
from candor_kit.errors import EDGE, Refusal, Unavailable
from candor_kit.transaction import Caller, Tx
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette

from .exports import CAPTURES, CHAT, captured_traces, event, logs, span, traces

PROTOBUF = {"content-type": "application/x-protobuf", "authorization": "Bearer good"}
JSON = {"content-type": "application/json; charset=utf-8", "authorization": "Bearer good"}
LIMIT = 100_000


class Endpoint:
    """The endpoints, with a record of what was recorded, and no database: nothing here has to wait."""

    def __init__(self) -> None:
        self.recorded: list[RecordRequest] = []
        self.calls = 0
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        buffer = Buffer(lambda purpose: purpose.encode().ljust(32), Patience())
        joiner = Joiner(self._transaction, buffer, self._record, Names(), limit=0)
        exports = Exports(self._authenticate, self._record, self._transaction, buffer, joiner, Names())
        app = Starlette(routes=OtlpHttp(exports, LIMIT).routes())
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://candor")

    async def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return await self.client.post(path, content=body, headers=headers)

    async def traces(self, request: ExportTraceServiceRequest, headers: dict[str, str] = PROTOBUF) -> httpx.Response:
        return await self.post("/v1/traces", request.SerializeToString(), headers)

    @staticmethod
    def _authenticate(authorization: str | None) -> Caller:
        if authorization is None:
            raise EDGE.refusal("UNAUTHENTICATED", "send a token")
        return Caller("shop", frozenset({"backend"} if authorization.endswith("good") else {"auditor"}))

    async def _record(self, requests: Sequence[RecordRequest], caller: Caller) -> Sequence[RecordResponse | Refusal]:
        assert caller.name == "shop"
        self.calls += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure
        self.recorded.extend(requests)
        return [self._answer(request) for request in requests]

    @staticmethod
    def _answer(request: RecordRequest) -> RecordResponse | Refusal:
        if request.subject == "reused":
            return EDGE.refusal("COMMAND_ID_REUSED", "this command_id was used before with another body")
        return RecordResponse(generation_id=request.command_id)

    def _transaction(self) -> AbstractAsyncContextManager[Tx]:
        raise AssertionError("nothing here has to wait")


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def status_of(answer: httpx.Response) -> tuple[str, str]:
    """The reason and the message of the google.rpc.Status that answers."""
    if answer.headers["content-type"] == "application/json":
        found = json.loads(answer.content)
        return found["details"][0]["reason"], found["message"]
    assert answer.headers["content-type"] == "application/x-protobuf"
    status = Status.FromString(answer.content)
    info = ErrorInfo()
    status.details[0].Unpack(info)
    return info.reason, status.message


async def test_full_success_leaves_partial_success_unset(endpoint: Endpoint) -> None:
    answer = await endpoint.traces(captured_traces("openinference-0.1"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer.content).HasField("partial_success")
    assert len(endpoint.recorded) == 5
    assert endpoint.calls == 1


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs"])
async def test_an_empty_export_succeeds(endpoint: Endpoint, path: str) -> None:
    answer = await endpoint.post(path, b"", PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert endpoint.calls == 0


async def test_gzip_is_unpacked(endpoint: Endpoint) -> None:
    body = gzip.compress((CAPTURES / "openllmetry-0.47.traces.pb").read_bytes())
    answer = await endpoint.post("/v1/traces", body, {**PROTOBUF, "content-encoding": "gzip"})
    assert answer.status_code == 200
    assert len(endpoint.recorded) == 5


async def test_json_with_its_hexadecimal_ids_is_the_same_export(endpoint: Endpoint) -> None:
    request = captured_traces("openinference-0.1")
    await endpoint.traces(request)
    value = json.loads(json_format.MessageToJson(request))
    for made, written in zip(
        request.resource_spans[0].scope_spans, value["resourceSpans"][0]["scopeSpans"], strict=True
    ):
        for one, item in zip(made.spans, written["spans"], strict=True):
            item.update(traceId=one.trace_id.hex().upper(), spanId=one.span_id.hex(), kind=int(one.kind), unknown=1)
            item["parentSpanId"] = one.parent_span_id.hex()
    answer = await endpoint.post("/v1/traces", json.dumps(value).encode(), JSON)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/json", b"{}")
    assert endpoint.recorded[:5] == endpoint.recorded[5:]


async def test_a_mixed_export_is_a_partial_success(endpoint: Endpoint) -> None:
    said = {name: value for name, value in CHAT.items() if not name.endswith(".messages")}
    said["gen_ai.completion.0.content"] = "Hi."
    nobody = {name: value for name, value in said.items() if name != "user.id"}
    request = traces(
        span(said),
        span({**said, "user.id": "anna@example.com"}, span_id=b"\2" * 8),
        span({**said, "user.id": "reused"}, span_id=b"\3" * 8),
        span(nobody, span_id=b"\4" * 8),
        span({"http.route": "/"}, span_id=b"\5" * 8),
    )
    answer = await endpoint.traces(request)
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 3
    assert [request.output for request in endpoint.recorded] == ["Hi.", "Hi."]
    for word in ("NO_SUBJECT", "COMMAND_ID_REUSED", "subject: user.id"):
        assert word in partial.error_message
    assert "anna@example.com" not in partial.error_message


async def test_logs_answer_in_their_own_message(endpoint: Endpoint) -> None:
    wrong = event("gen_ai.choice", {"message": {"content": "Hi."}})
    wrong.trace_id = b"\1"
    answer = await endpoint.post("/v1/logs", logs(wrong).SerializeToString(), PROTOBUF)
    partial = ExportLogsServiceResponse.FromString(answer.content).partial_success
    assert (partial.rejected_log_records, partial.error_message.split(":")[1].strip()) == (1, "INVALID_ID")


@pytest.mark.parametrize(
    ("headers", "body", "code", "reason"),
    [
        ({"content-type": "application/x-protobuf"}, b"", 401, "UNAUTHENTICATED"),
        ({**PROTOBUF, "authorization": "Bearer other"}, b"", 403, "WRONG_ROLE"),
        (PROTOBUF, b"\xff\xff", 400, "MALFORMED"),
        (JSON, b"[]", 400, "MALFORMED"),
        ({**PROTOBUF, "content-type": "text/plain"}, b"", 415, "MALFORMED"),
        ({**PROTOBUF, "content-encoding": "br"}, b"", 415, "MALFORMED"),
        ({**PROTOBUF, "content-encoding": "gzip"}, b"not gzip", 400, "MALFORMED"),
        (PROTOBUF, bytes(LIMIT + 1), 413, "TOO_LARGE"),
        ({**JSON, "content-encoding": "gzip"}, gzip.compress(bytes(10 * LIMIT)), 413, "TOO_LARGE"),
    ],
)
async def test_refusals_are_a_status(
    endpoint: Endpoint, headers: dict[str, str], body: bytes, code: int, reason: str
) -> None:
    answer = await endpoint.post("/v1/traces", body, headers)
    assert answer.status_code == code
    found, message = status_of(answer)
    assert found == reason
    assert message


async def test_a_database_that_is_away_asks_for_the_same_export_later(endpoint: Endpoint) -> None:
    endpoint.failure = Unavailable("the database")
    answer = await endpoint.traces(captured_traces("openllmetry-0.47"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert status_of(answer)[0] == "UNAVAILABLE"


async def test_what_would_have_to_wait_when_no_more_may_is_to_be_sent_again(endpoint: Endpoint) -> None:
    answer = await endpoint.post("/v1/logs", (CAPTURES / "events-2.4.logs.pb").read_bytes(), PROTOBUF)
    assert answer.status_code == 503
    assert endpoint.calls == 0


async def test_more_exports_at_once_than_memory_is_set_aside_for_are_to_be_sent_again(endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    body = captured_traces("openllmetry-0.47")
    first = [asyncio.create_task(endpoint.traces(body)) for _ in range(8)]
    while endpoint.calls < 8:
        await asyncio.wait(first, timeout=0.01)
    answer = await endpoint.traces(body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    endpoint.gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*first)} == {200}
    assert (await endpoint.traces(body)).status_code == 200


async def test_a_fault_of_ours_is_a_status_too(endpoint: Endpoint) -> None:
    endpoint.failure = ZeroDivisionError("secret")
    answer = await endpoint.traces(captured_traces("openllmetry-0.47"))
    assert answer.status_code == 500
    assert status_of(answer)[0] == "INTERNAL"
    assert b"secret" not in answer.content


async def test_metrics_and_other_methods_are_not_taken(endpoint: Endpoint) -> None:
    assert (await endpoint.post("/v1/metrics", b"", PROTOBUF)).status_code == 404
    refused: Any = await endpoint.client.get("/v1/traces")
    assert refused.status_code == 405
