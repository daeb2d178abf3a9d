"""Whatever is sent, nothing but the declared refusal comes of it, and what comes of it holds to the schema."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from typing import Any, TypeVar

import pytest
from candor_generation.otlp import translation
from candor_generation.otlp.encoding import Form, decode, read
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.pieces import opened
from candor_generation.otlp.reasons import Unusable
from candor_kit import validation
from candor_kit.errors import Refusal
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .exports import CAPTURES, CHAT, chat, event, logs, span, traces

M = TypeVar("M", bound=Message)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = st.one_of(
    TEXT,
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none(),
    st.binary(max_size=8),
    st.sampled_from(["text", "blob"]),
)
KEYS = st.sampled_from(
    ["role", "parts", "content", "type", "tool_calls", "function", "name", "id", "message", "index", "arguments", "uri",
     "modality", "text", "image_url", "url", "input_audio", "data", "refusal", "mime_type"]
)  # fmt: skip
VALUES = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
JSONS = st.recursive(
    st.one_of(TEXT, st.integers(), st.floats(), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
).map(json.dumps)
NAMES = st.sampled_from(
    [*CHAT, "gen_ai.system_instructions", "gen_ai.prompt.0.content", "gen_ai.prompt.0",
     "gen_ai.prompt.0.tool_calls.0.name", "gen_ai.completion.0.content",
     "gen_ai.completion.99999999999999999999.content", "llm.input_messages.0.message.content",
     "llm.output_messages.0.message.contents.0.message_content.text", "llm.output_messages.0.message", "output.value",
     "openinference.span.kind", "llm.request.type", "error.type", "gen_ai.response.finish_reasons", "service.name",
     "gen_ai.output.type", "user.locale", "gen_ai.event.content", "gen_ai.request.choice.count", "event.name"]
)  # fmt: skip
ATTRIBUTES = st.dictionaries(NAMES, VALUES | JSONS, max_size=8)
EVENT_NAMES = st.sampled_from(["gen_ai.choice", "gen_ai.user.message", "gen_ai.client.inference.operation.details",
                               "gen_ai.content.prompt", "gen_ai.content.completion"])  # fmt: skip


def decoded(body: bytes, form: Form, message: type[M]) -> M:
    """What a body says; an empty export where it is refused, as any other exception would not be."""
    with contextlib.suppress(Refusal):
        return decode(body, form, message)
    return message()


def hold(translated: translation.Translated) -> None:
    """Every command holds to the schema, and what is kept is read back as it was."""
    for item in translated.ready:
        validation.check(item.request)
    for piece in translated.waiting:
        assert opened(piece.kept()).kept() == piece.kept()


@settings(max_examples=120, deadline=None)
@given(ATTRIBUTES, st.dictionaries(NAMES, VALUES, max_size=3), st.integers(0, 2**64 - 1))
def test_spans_of_any_shape(attributes: dict[str, object], resource: dict[str, object], start: int) -> None:
    given_attributes = {**CHAT, **attributes}
    hold(
        translation.of_traces(traces(span(given_attributes, start=start), span(attributes), resource=resource), Names())
    )


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(EVENT_NAMES, VALUES | JSONS, ATTRIBUTES), max_size=4), st.booleans(), st.booleans())
def test_events_of_any_shape(told: list[tuple[str, Any, dict[str, object]]], waited: bool, with_span: bool) -> None:
    translated = translation.of_logs(logs(*(event(*item) for item in told)), Names())
    hold(translated)
    spans = translation.of_traces(traces(chat(None, "gen_ai.output.messages")), Names()).waiting if with_span else []
    pieces = [*spans, *translated.waiting]
    if pieces:
        try:
            outcome = translation.join(pieces, Names(), waited=waited)
        except Unusable:
            return
        if not isinstance(outcome, translation.Undecided):
            validation.check(outcome)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(CAPTURES.iterdir())), st.data())
def test_captures_with_bytes_changed(capture: Any, data: st.DataObject) -> None:
    body = bytearray(capture.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    if ".traces" in capture.name:
        traced = decoded(bytes(body), Form.BINARY, ExportTraceServiceRequest)
        hold(translation.of_traces(traced, Names()))
    else:
        logged = decoded(bytes(body), Form.BINARY, ExportLogsServiceRequest)
        hold(translation.of_logs(logged, Names()))


OTLP_KEYS = st.sampled_from(
    ["resourceSpans", "resource", "scopeSpans", "spans", "attributes", "key", "value", "traceId", "spanId",
     "stringValue", "kvlistValue", "values", "intValue", "startTimeUnixNano", "kind", "events", "status", "code"]
)  # fmt: skip
OTLP_JSON = st.recursive(
    st.one_of(TEXT, st.integers(), st.floats(), st.booleans(), st.none(), st.just("0102")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(OTLP_KEYS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=120, deadline=None)
@given(OTLP_JSON | st.lists(st.dictionaries(OTLP_KEYS, OTLP_JSON)).map(lambda item: {"resourceSpans": item}))
def test_json_of_any_shape(value: Any) -> None:
    hold(translation.of_traces(decoded(json.dumps(value).encode(), Form.JSON, ExportTraceServiceRequest), Names()))


LONG_AFTER_9999 = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"%d"}]}]}]}' % 10**30


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"resourceSpans":' + b"[" * 300 + b"]" * 300 + b"}",
        b"\xff",
        b"1",
        b"{}x",
        LONG_AFTER_9999,
    ],
)
def test_json_that_is_no_export_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal, match="MALFORMED"):
        decode(body, Form.JSON, ExportTraceServiceRequest)


def test_messages_nested_too_deep_are_refused() -> None:
    for nested in ("[" * 100_000, "[" * 65 + "]" * 65, '[{"role":' * 70 + "1" + "}]" * 70):
        translated = translation.of_traces(traces(chat({"gen_ai.output.messages": nested})), Names())
        assert [item.why for item in translated.refused] == ["MALFORMED_CONTENT"]


def test_values_nested_as_deep_as_the_decoder_takes() -> None:
    value: object = "x"
    for _ in range(40):
        value = [value]
    request = traces(
        chat({"gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "q", "content": value}]}]})
    )
    again = ExportTraceServiceRequest.FromString(request.SerializeToString())
    translated = translation.of_traces(again, Names())
    hold(translated)
    assert "[[[" in translated.ready[0].request.output


def test_ten_thousand_spans_in_one_export() -> None:
    spans = [span(CHAT, span_id=number.to_bytes(8)) for number in range(1, 10_001)]
    started = time.process_time()
    translated = translation.of_traces(traces(*spans), Names())
    assert time.process_time() - started < 20
    assert len({item.request.command_id for item in translated.ready}) == 10_000
    assert translated.refused == []


async def chunks(*parts: bytes) -> Any:
    for part in parts:
        yield part


async def test_a_bomb_is_left_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(Refusal, match="TOO_LARGE"):
        await read(chunks(bomb), gzip=True, limit=1_000_000)
    assert await read(chunks(*(bomb[at : at + 1] for at in range(len(bomb)))), gzip=True, limit=50_000_000) == bytes(
        50_000_000
    )


async def test_gzip_that_is_cut_off_or_goes_on_is_refused() -> None:
    packed = gzip.compress(b"hello")
    assert await read(chunks(packed[:4], packed[4:]), gzip=True, limit=100) == b"hello"
    for wrong in ([packed[:-1]], [packed, packed], [packed + b"x"], [b"hello"]):
        with pytest.raises(Refusal, match="MALFORMED"):
            await read(chunks(*wrong), gzip=True, limit=100)
    with pytest.raises(Refusal, match="TOO_LARGE"):
        await read(chunks(bytes(101)), gzip=False, limit=100)
