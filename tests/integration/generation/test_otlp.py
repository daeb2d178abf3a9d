"""OTLP end to end: real OpenTelemetry exporters, real sockets, a real PostgreSQL; calls whose parts come apart.

The first tests stand the endpoints on a recorder that remembers what it was given, so that every order of arrival can
be played with a clock of their own; the last ones go through the deployment to the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time_ns
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest
from candor.generation.v1.service_pb2 import RecordRequest, RecordResponse
from candor_generation.otlp import rpc
from candor_generation.otlp.buffer import Buffer, Patience
from candor_generation.otlp.exports import Exports
from candor_generation.otlp.http import OtlpHttp
from candor_generation.otlp.identity import generation_id
from candor_generation.otlp.joiner import Joiner
from candor_generation.otlp.mapping import Names
from candor_kit import database, http
from candor_kit.errors import EDGE, Refusal, Unavailable
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Caller, Transactions, Tx
from candor_stack import LocalStack
from candor_stack.ports import Ports
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from starlette.applications import Starlette

from .backend import Backend, until

CAPTURES = Path(__file__).parents[2] / "unit" / "generation" / "otlp" / "captures"
HEADERS = {"authorization": "Bearer backend", "content-type": "application/x-protobuf"}
PATIENCE = Patience()


def captured_traces(name: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((CAPTURES / f"{name}.traces.pb").read_bytes())


def captured_logs(name: str) -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest.FromString((CAPTURES / f"{name}.logs.pb").read_bytes())


@dataclass
class Clock:
    """A clock that is set."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def passes(self, time: timedelta) -> None:
        self.at += time


@dataclass
class Recorder:
    """Records as the service does: once an id, the same answer to a repeat, another body refused."""

    taken: dict[str, bytes] = field(default_factory=dict)
    requests: list[RecordRequest] = field(default_factory=list)
    away: bool = False
    given: int = 0

    async def record(self, requests: Sequence[RecordRequest], caller: Caller) -> Sequence[RecordResponse | Refusal]:
        assert caller == Caller("shop", frozenset({"backend"}))
        if self.away:
            raise Unavailable("the database")
        return [self._one(request) for request in requests]

    def _one(self, request: RecordRequest) -> RecordResponse | Refusal:
        self.given += 1
        body = request.SerializeToString(deterministic=True)
        first = self.taken.setdefault(request.command_id, body)
        if first != body:
            return EDGE.refusal("COMMAND_ID_REUSED", "this command_id was used before with another body")
        if len(self.taken) > len(self.requests):
            self.requests.append(request)
        return RecordResponse(generation_id=request.command_id)

    @property
    def outputs(self) -> list[str]:
        return sorted(request.output for request in self.requests)


@dataclass
class Otlp:
    """The endpoints on sockets of their own."""

    pool: database.Pool
    clock: Clock
    recorder: Recorder
    joiner: Joiner
    url: str
    target: str
    client: httpx.AsyncClient

    async def traces(self, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse:
        answer = await self.client.post(f"{self.url}/v1/traces", content=request.SerializeToString(), headers=HEADERS)
        assert answer.status_code == 200, answer.content
        return ExportTraceServiceResponse.FromString(answer.content)

    async def logs(self, request: ExportLogsServiceRequest) -> ExportLogsServiceResponse:
        answer = await self.client.post(f"{self.url}/v1/logs", content=request.SerializeToString(), headers=HEADERS)
        assert answer.status_code == 200, answer.content
        return ExportLogsServiceResponse.FromString(answer.content)

    async def settle(self) -> None:
        self.clock.passes(PATIENCE.settle)
        await self.joiner.step()

    async def give_up(self) -> None:
        self.clock.passes(PATIENCE.join)
        await self.joiner.step()

    async def states(self) -> dict[tuple[str, str], int]:
        """How many parts are in each state, by reason."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute("SELECT state, reason, count(*) AS n FROM otlp_part GROUP BY 1, 2")
            return {(row["state"], row["reason"]): row["n"] for row in await cursor.fetchall()}


def _authenticate(authorization: str | None) -> Caller:
    if authorization is None:
        raise EDGE.refusal("UNAUTHENTICATED", "send a token")
    return Caller("shop", frozenset({authorization.removeprefix("Bearer ")}))


@pytest.fixture
async def otlp(bare_stack: LocalStack, tmp_path: Path) -> AsyncIterator[Otlp]:
    name = f"otlp{uuid4().hex[:10]}"
    url = bare_stack.create_database(name)
    await database.migrate(url, {"generation": "candor_generation"})
    ports = Ports(tmp_path / "ports.json").choose(["grpc", "http"])
    clock, recorder, stop = Clock(), Recorder(), Stop()
    async with AsyncExitStack() as stack:
        stack.callback(bare_stack.drop_database, name)
        pool = await stack.enter_async_context(database.pool(url, 5))
        transactions = Transactions("generation", pool, clock, Wake())

        def transaction() -> AbstractAsyncContextManager[Tx]:
            return transactions.open(Caller("candor.generation.otlp"))

        buffer = Buffer(lambda purpose: purpose.encode().ljust(32), PATIENCE)
        joiner = Joiner(transaction, buffer, recorder.record, Names())
        exports = Exports(_authenticate, recorder.record, transaction, buffer, joiner, Names())
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(rpc.generic_handlers(exports))
        target = f"127.0.0.1:{ports['grpc']}"
        server.add_insecure_port(target)
        await server.start()
        stack.push_async_callback(server.stop, 0)
        app = Starlette(routes=OtlpHttp(exports).routes())
        serving = asyncio.create_task(http.serve(app, f"127.0.0.1:{ports['http']}", stop))
        stack.push_async_callback(asyncio.wait, [serving])
        stack.callback(stop.set)
        client = await stack.enter_async_context(httpx.AsyncClient())
        await until(lambda: _answers(client, f"http://127.0.0.1:{ports['http']}"))
        yield Otlp(pool, clock, recorder, joiner, f"http://127.0.0.1:{ports['http']}", target, client)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        await client.get(url)
    except httpx.TransportError:
        return False
    return True


ANSWERS = [
    "Hello! How can I help?",
    "Hello! How can I help?",
    "[assistant 1]\nHello! How can I help?\n[assistant 2]\nHi there.",
]


def chat(provider: TracerProvider, **attributes: Any) -> str:
    """Trace one call as the current conventions have it; return the id of its generation."""
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("GET /chat"), tracer.start_as_current_span("chat example-7b") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "example",
                "gen_ai.request.model": "example-7b",
                "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]',
                "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hi."}]}]',
                **attributes,
            }
        )
        context = span.get_span_context()
        assert isinstance(span, ReadableSpan)
        return generation_id(span.start_time or 0, context.trace_id.to_bytes(16) + context.span_id.to_bytes(8))


def tracing(exporter: SpanExporter) -> TracerProvider:
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def exporters(url: str, target: str, token: str) -> dict[str, Callable[[], SpanExporter]]:
    header = {"authorization": f"Bearer {token}"}
    return {
        "http": lambda: HttpExporter(endpoint=f"{url}/v1/traces", headers=header),
        "grpc": lambda: GrpcExporter(endpoint=target, insecure=True, headers=header),
    }


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_the_sdks_own_exporters_are_understood(otlp: Otlp, protocol: str) -> None:
    provider = tracing(exporters(otlp.url, otlp.target, "backend")[protocol]())
    identifier = await asyncio.to_thread(chat, provider, **{"user.id": "user-1"})
    await asyncio.to_thread(provider.shutdown)
    (request,) = otlp.recorder.requests
    assert request.command_id == identifier
    assert (request.subject, request.prompt, request.output, request.product) == ("user-1", "Hello", "Hi.", "shop")


@pytest.mark.parametrize("name", ["events-2.1", "events-2.4", "current-event"])
@pytest.mark.parametrize("order", ["logs first", "spans first", "one by one", "twice"])
async def test_events_and_spans_are_joined_whatever_comes_first(otlp: Otlp, name: str, order: str) -> None:
    traces, logs = captured_traces(name), captured_logs(name)
    if order == "one by one":
        for piece in _one_by_one(logs):
            await otlp.logs(piece)
            await otlp.joiner.step()
        await otlp.traces(traces)
    else:
        for _ in range(2 if order == "twice" else 1):
            for send in ("traces", "logs") if order == "spans first" else ("logs", "traces"):
                await otlp.traces(traces) if send == "traces" else await otlp.logs(logs)
    assert otlp.recorder.requests == []
    await otlp.settle()
    assert len(otlp.recorder.requests) == 5
    assert set(ANSWERS) <= set(otlp.recorder.outputs)
    assert {request.subject for request in otlp.recorder.requests} == {"user-7"}
    assert set(await otlp.states()) == {("told", "")}
    # The whole once more, long after: everything is known.
    await otlp.logs(logs)
    await otlp.traces(traces)
    await otlp.give_up()
    assert (len(otlp.recorder.requests), otlp.recorder.given) == (5, 5)
    assert set(await otlp.states()) == {("told", "")}


def _one_by_one(logs: ExportLogsServiceRequest) -> list[ExportLogsServiceRequest]:
    """The same records, each in an export of its own."""
    pieces = []
    for resource in logs.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                piece = ExportLogsServiceRequest()
                piece.resource_logs.add(resource=resource.resource).scope_logs.add(
                    scope=scope.scope
                ).log_records.append(record)
                pieces.append(piece)
    return pieces


@pytest.mark.parametrize("spans_first", [True, False])
async def test_a_call_told_on_its_span_and_in_its_event_is_recorded_once(otlp: Otlp, spans_first: bool) -> None:
    traces, logs = captured_traces("current-both"), captured_logs("current-both")
    if spans_first:
        await otlp.traces(traces)
        await otlp.logs(logs)
    else:
        await otlp.logs(logs)
        await otlp.traces(traces)
    assert len(otlp.recorder.requests) == 5
    await otlp.settle()
    await otlp.give_up()
    assert (len(otlp.recorder.requests), otlp.recorder.given) == (5, 5)
    assert set(await otlp.states()) == {("told", "")}


async def test_what_was_answered_is_joined_after_the_recorder_was_away(otlp: Otlp) -> None:
    await otlp.logs(captured_logs("events-2.4"))
    await otlp.traces(captured_traces("events-2.4"))
    otlp.recorder.away = True
    with pytest.raises(Unavailable):
        await otlp.settle()
    otlp.recorder.away = False
    await otlp.settle()
    assert len(otlp.recorder.requests) == 5


async def test_what_cannot_be_joined_is_set_aside_and_taken_up_again_with_the_rest(otlp: Otlp) -> None:
    await otlp.logs(captured_logs("events-2.4"))
    await otlp.settle()
    assert set(await otlp.states()) == {("waiting", "")}
    await otlp.give_up()
    assert set(await otlp.states()) == {("set_aside", "NO_SPAN"), ("set_aside", "NO_OUTPUT")}
    await otlp.traces(captured_traces("events-2.4"))
    await otlp.settle()
    assert len(otlp.recorder.requests) == 5
    assert set(await otlp.states()) == {("told", "")}


async def test_what_was_set_aside_is_taken_up_again_at_the_next_start(otlp: Otlp) -> None:
    """A backend that names its subjects otherwise is understood after a change of settings; nothing is sent again."""
    first = otlp.joiner
    otlp.joiner = replace(first, names=Names(subjects=("account.id",)))
    await otlp.logs(captured_logs("events-2.4"))
    await otlp.traces(captured_traces("events-2.4"))
    await otlp.settle()
    assert (await otlp.states())[("set_aside", "NO_SUBJECT")] == 21
    assert otlp.recorder.requests == []
    stop = Stop()
    running = asyncio.create_task(first.run(stop))
    await until(lambda: _recorded(otlp, 5))
    stop.set()
    await running
    assert set(await otlp.states()) == {("told", "")}


async def _recorded(otlp: Otlp, count: int) -> bool:
    return len(otlp.recorder.requests) == count and set(await otlp.states()) == {("told", "")}


async def test_a_span_whose_content_never_comes_warns_and_is_set_aside(otlp: Otlp) -> None:
    answer = await otlp.traces(captured_traces("events-2.4"))
    assert answer.partial_success.rejected_spans == 0
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in answer.partial_success.error_message
    await otlp.settle()
    await otlp.give_up()
    assert await otlp.states() == {("set_aside", "NO_CONTENT"): 5, ("told", ""): 1}
    otlp.clock.passes(PATIENCE.forget_after)
    await otlp.joiner.step()
    assert await otlp.states() == {}


async def test_a_span_whose_events_came_first_does_not_warn(otlp: Otlp) -> None:
    await otlp.logs(captured_logs("events-2.4"))
    assert not (await otlp.traces(captured_traces("events-2.4"))).HasField("partial_success")


async def test_the_whole_event_is_enough_when_its_span_was_not_sampled(otlp: Otlp) -> None:
    logs = captured_logs("current-event")
    for resource in logs.resource_logs:
        resource.resource.attributes.add(key="user.id").value.string_value = "user-9"
    await otlp.logs(logs)
    await otlp.settle()
    assert otlp.recorder.requests == []
    await otlp.give_up()
    assert {request.subject for request in otlp.recorder.requests} == {"user-9"}
    assert len(otlp.recorder.requests) == 5


async def test_a_message_that_comes_after_the_record_is_set_aside(otlp: Otlp) -> None:
    logs = captured_logs("events-2.4")
    late = _one_by_one(logs)[1]
    await otlp.logs(logs)
    await otlp.traces(captured_traces("events-2.4"))
    await otlp.settle()
    late.resource_logs[0].scope_logs[0].log_records[0].observed_time_unix_nano += 1
    await otlp.logs(late)
    await otlp.settle()
    assert (await otlp.states())[("set_aside", "LATE")] == 1
    assert len(otlp.recorder.requests) == 5


async def test_nothing_that_waits_can_be_read_in_the_table(otlp: Otlp) -> None:
    logs = captured_logs("events-2.4")
    await otlp.logs(logs)
    async with otlp.pool.connection() as connection:
        cursor = await connection.execute("SELECT place, digest, sealed FROM otlp_part")
        rows = await cursor.fetchall()
    trace_id = logs.resource_logs[0].scope_logs[0].log_records[0].trace_id
    stored = b"".join(value for row in rows for value in row.values())
    assert len(rows) == 17
    assert b"Hello" not in stored
    assert trace_id not in stored


async def test_parts_that_settle_at_different_times_are_not_joined_too_early(otlp: Otlp) -> None:
    logs = _one_by_one(captured_logs("events-2.4"))
    await otlp.traces(captured_traces("events-2.4"))
    for piece in logs[:-2]:
        await otlp.logs(piece)
    otlp.clock.passes(PATIENCE.settle - timedelta(seconds=1))
    await otlp.logs(logs[-2])
    otlp.clock.passes(timedelta(seconds=1))
    await otlp.joiner.step()
    assert len(otlp.recorder.requests) == 4
    await otlp.settle()
    assert len(otlp.recorder.requests) == 5


async def test_grpc_refuses_with_reasons(otlp: Otlp) -> None:
    async with grpc.aio.insecure_channel(otlp.target) as channel:
        export: Any = channel.unary_unary(f"/{rpc.TRACES}/Export")
        metadata = (("authorization", "Bearer backend"),)
        cases: list[tuple[bytes, Any, str, grpc.StatusCode]] = [
            (b"", None, "UNAUTHENTICATED", grpc.StatusCode.UNAUTHENTICATED),
            (b"", (("authorization", "Bearer auditor"),), "WRONG_ROLE", grpc.StatusCode.PERMISSION_DENIED),
            (b"\xff", metadata, "MALFORMED", grpc.StatusCode.INVALID_ARGUMENT),
        ]
        for body, given, reason, code in cases:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await export(body, metadata=given)
            refusal = Refusal.from_rpc(caught.value)
            assert refusal is not None
            assert (refusal.reason, caught.value.code()) == (reason, code)
        otlp.recorder.away = True
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await export((CAPTURES / "openinference-0.1.traces.pb").read_bytes(), metadata=metadata)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_logs_by_grpc_are_kept(otlp: Otlp) -> None:
    async with grpc.aio.insecure_channel(otlp.target) as channel:
        export: Any = channel.unary_unary(f"/{rpc.LOGS}/Export")
        body = captured_logs("events-2.4").SerializeToString()
        assert await export(body, metadata=(("authorization", "Bearer backend"),)) == b""
    assert await otlp.states() == {("waiting", ""): 17}


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_an_instrumented_backend_changes_one_endpoint(backend: Backend, protocol: str) -> None:
    """A span of the SDK becomes a record with its place in the log, and its evidence opens to what was said."""
    description = backend.deployment.description.services["generation"]
    token = backend.deployment.token("backend")
    exporter = exporters(backend.deployment.http("generation"), description.grpc, token)[protocol]()
    provider = tracing(exporter)
    identifier = await asyncio.to_thread(chat, provider, **{"user.id": backend.subject})
    await asyncio.to_thread(provider.shutdown)
    (fact,) = await backend.recorded(identifier)
    assert (fact.product, fact.model) == ("shop", "example-7b")
    evidence = await backend.evidence(identifier)
    assert evidence.opening.subject == backend.subject
    assert (evidence.opening.prompt, evidence.opening.output) == ("Hello", "Hi.")


async def test_events_that_come_apart_from_their_span_become_a_record(backend: Backend) -> None:
    """The older conventions: what was said comes as log records, who said it and when on the span."""
    now = time_ns()
    trace_id, span_id = uuid4().bytes, uuid4().bytes[:8]
    logs = captured_logs("events-2.4")
    scope = logs.resource_logs[0].scope_logs[0]
    del scope.log_records[3:]
    for record in scope.log_records:
        record.trace_id, record.span_id, record.observed_time_unix_nano = trace_id, span_id, now
    traces = captured_traces("events-2.4")
    spans = traces.resource_spans[0].scope_spans[0].spans
    del spans[1:]
    spans[0].trace_id, spans[0].span_id, spans[0].start_time_unix_nano = trace_id, span_id, now
    next(pair for pair in spans[0].attributes if pair.key == "user.id").value.string_value = backend.subject
    headers = {**HEADERS, "authorization": f"Bearer {backend.deployment.token('backend')}"}
    async with httpx.AsyncClient(base_url=backend.deployment.http("generation"), headers=headers) as client:
        for path, request in (("/v1/logs", logs), ("/v1/traces", traces)):
            answer = await client.post(path, content=request.SerializeToString())
            assert (answer.status_code, answer.content) == (200, b"")
    identifier = generation_id(now, trace_id + span_id)
    await backend.recorded(identifier)
    evidence = await backend.evidence(identifier)
    assert evidence.opening.prompt == "[system]\nBe brief.\n[user]\nHello"
    assert evidence.opening.output == "Hello! How can I help?"
