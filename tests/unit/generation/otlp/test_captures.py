"""What real instrumentations send, in every dialect, becomes the very same records.

Each capture is one program: a chat with system instructions, one with two choices, one with tool calls, a streamed one,
one with a picture, and a call that fails. Captured from opentelemetry-instrumentation-genai-openai 1.3b0 (`current-*`),
opentelemetry-instrumentation-openai-v2 2.1b0 and 2.4b0 (`events-*`), opentelemetry-instrumentation-openai 0.47.5 and
0.62.4 (`openllmetry-*`), openinference-instrumentation-openai 0.1.66.
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import pytest
from candor.generation.v1 import model_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor_generation.otlp import translation
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.pieces import SpanPiece, spans_in
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.translation import Piece, Undecided
from candor_kit.ids import time_of
from google.protobuf.timestamp_pb2 import Timestamp

from .exports import captured_logs, captured_traces

ON_SPANS = ["current-span", "current-both", "openllmetry-0.62", "openllmetry-0.47", "openinference-0.1"]
APART = ["current-event", "events-2.1", "events-2.4"]
PICTURE = (
    "[user]\nWhat is this?\n[image]\n"
    "image/png sha256:4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6 8 bytes"
)
TOOLS = (
    "[user]\nWeather?\n[assistant]\n[tool_call get_weather call_1]\n"
    '{"city":"上海"}\n[tool]\n[tool_call_response call_1]\nsunny\n[assistant]\nSunny.\n[user]\nAnd Beijing?'
)
EXPECTED = [
    ("[system]\nBe brief.\n[user]\nHello", "Hello! How can I help?"),
    ("Hello", "[assistant 1]\nHello! How can I help?\n[assistant 2]\nHi there."),
    (TOOLS, '[assistant]\n[tool_call get_weather call_2]\n{"city":"北京"}'),
    ("你好", "你好，世界"),
    (PICTURE, "Hello! How can I help?"),
]


def calls(name: str) -> list[SpanPiece]:
    """The spans of the five calls that were answered, in their order."""
    spans = [piece for piece in spans_in(captured_traces(name)) if not piece.span.name.startswith("GET")]
    return [piece for piece in spans if not piece.failed]


def expected(piece: SpanPiece, prompt: str, output: str) -> RecordRequest:
    nanos = piece.span.start_time_unix_nano
    return RecordRequest(
        subject="user-7",
        occurred_at=Timestamp(seconds=nanos // 10**9, nanos=nanos % 10**9),
        provider="openai",
        model="example-7b-2026",
        product="chat-app",
        locale="zh-CN",
        modality=model_pb2.MODALITY_TEXT,
        prompt=prompt,
        output=output,
    )


def check(found: list[RecordRequest], name: str) -> None:
    spans = calls(name)
    assert len(found) == len(spans) == len(EXPECTED)
    for request, piece, (prompt, output) in zip(found, spans, EXPECTED, strict=True):
        identifier = UUID(request.command_id)
        assert time_of(identifier).timestamp() * 1000 == piece.span.start_time_unix_nano // 10**6
        want = expected(piece, prompt, output)
        want.command_id = request.command_id
        # OpenAI's arguments are a text, which some dialects hand on as it is and others as an object.
        request.output = request.output.replace('{"city": "北京"}', '{"city":"北京"}')
        if name.startswith("openllmetry") and request.prompt == "":
            want.prompt = ""  # OpenLLMetry leaves pictures, and the text beside them, out.
        assert request == want
    assert len({request.command_id for request in found}) == len(found)


@pytest.mark.parametrize("name", ON_SPANS)
def test_content_on_spans_is_recorded_at_once(name: str) -> None:
    translated = translation.of_traces(captured_traces(name), Names())
    check([item.request for item in translated.ready], name)
    assert translated.waiting == []
    assert translated.refused == []
    assert translated.ignored == 2  # the web request, and the call that failed


def parts_apart(name: str) -> dict[bytes, list[Piece]]:
    spans = translation.of_traces(captured_traces(name), Names())
    events = translation.of_logs(captured_logs(name), Names())
    assert (spans.ready, events.ready, spans.refused, events.refused) == ([], [], [], [])
    parts: dict[bytes, list[Piece]] = defaultdict(list)
    for piece in (*spans.waiting, *events.waiting):
        parts[piece.name].append(piece)
    return parts


@pytest.mark.parametrize("name", APART)
def test_content_in_events_is_joined_with_its_span(name: str) -> None:
    parts = parts_apart(name)
    outcomes = [translation.join(pieces, Names(), waited=False) for pieces in parts.values()]
    check([item for item in outcomes if isinstance(item, RecordRequest)], name)
    assert [item for item in outcomes if not isinstance(item, RecordRequest)] == [Undecided.NOTHING_GENERATED]


@pytest.mark.parametrize("name", APART)
def test_a_span_without_its_events_waits_and_so_do_events_without_their_span(name: str) -> None:
    for pieces in parts_apart(name).values():
        if any(isinstance(piece, SpanPiece) and piece.failed for piece in pieces):
            continue
        for piece in pieces:
            assert translation.join([piece], Names(), waited=False) is Undecided.WAIT


def test_events_on_another_span_are_set_aside_with_the_reason() -> None:
    """OpenLLMetry tells the answer of a streamed call on the span around it, where no record belongs."""
    reasons = []
    for pieces in parts_apart("openllmetry-events").values():
        try:
            outcome = translation.join(pieces, Names(), waited=True)
        except Unusable as unusable:
            reasons.append(unusable.why)
        else:
            assert isinstance(outcome, RecordRequest | Undecided)
    assert sorted(reasons) == [Why.NO_OUTPUT, Why.NO_SPAN]


@pytest.mark.parametrize("name", ON_SPANS)
def test_a_retried_export_is_the_same_commands(name: str) -> None:
    first, second = (translation.of_traces(captured_traces(name), Names()).ready for _ in range(2))
    assert [item.request.SerializeToString(deterministic=True) for item in first] == [
        item.request.SerializeToString(deterministic=True) for item in second
    ]


def test_the_span_and_its_event_of_one_call_tell_the_same() -> None:
    """Where both carry the content, the event alone gives the record of the span, but for what only the span knows."""
    names = Names(subjects=("gen_ai.response.id",))
    spans = translation.of_traces(captured_traces("current-both"), names)
    events = translation.of_logs(captured_logs("current-both"), names)
    answered = [piece for piece in events.waiting if "error.type" not in piece.attributes]
    for item, piece in zip(spans.ready, answered, strict=True):
        assert item.repeated
        alone = translation.join([piece], names, waited=True)
        assert isinstance(alone, RecordRequest)
        assert (alone.prompt, alone.output, alone.model) == (
            item.request.prompt,
            item.request.output,
            item.request.model,
        )
