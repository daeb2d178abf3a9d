"""What becomes a record, what does not and why."""

from __future__ import annotations

import json

import pytest
from candor.generation.v1 import model_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor_generation.otlp import translation
from candor_generation.otlp.mapping import Names
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.translation import Undecided
from candor_kit import validation
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from .exports import CHAT, RESOURCE, START, chat, event, logs, span, traces

# Made of the definition by other means: 48 bits of milliseconds, 0111, 12 bits of SHA-256, 10, its next 62 bits.
KNOWN = "01a2041b-60b9-7e79-bd43-c1aa7fdaa33a"


def only(*spans: Span, resource: dict[str, object] | None = None, names: Names | None = None) -> RecordRequest:
    translated = translation.of_traces(traces(*spans, resource=resource or RESOURCE), names or Names())
    assert translated.refused == [], translated.refused
    (ready,) = translated.ready
    validation.check(ready.request)
    return ready.request


def why(*spans: Span, resource: dict[str, object] | None = None) -> Unusable:
    translated = translation.of_traces(traces(*spans, resource=RESOURCE if resource is None else resource), Names())
    assert (translated.ready, translated.waiting, translated.ignored) == ([], [], 0)
    (unusable,) = translated.refused
    return unusable


def test_a_generation_id_is_a_uuid7_of_the_start_and_the_ids() -> None:
    request = only(chat())
    assert request.command_id == KNOWN
    assert only(chat()).command_id == request.command_id
    assert only(span(CHAT, span_id=b"\x01" * 8)).command_id != request.command_id
    assert only(span(CHAT, start=START + 10**6)).command_id != request.command_id


@pytest.mark.parametrize(
    "ids", [(b"", b"\1" * 8), (b"\1" * 15, b"\1" * 8), (b"\0" * 16, b"\1" * 8), (b"\1" * 16, b"\1" * 9)]
)
def test_ids_of_a_wrong_length_are_refused(ids: tuple[bytes, bytes]) -> None:
    wrong = chat()
    wrong.trace_id, wrong.span_id = ids
    assert why(wrong).why is Why.INVALID_ID


def test_a_span_without_a_start_is_refused() -> None:
    assert why(span(CHAT, start=0)).why is Why.NO_TIME


def test_the_last_instant_that_a_span_can_tell_is_still_a_time() -> None:
    assert only(span(CHAT, start=2**64 - 1)).occurred_at.seconds == (2**64 - 1) // 10**9


@pytest.mark.parametrize(
    ("name", "reason"),
    [("user.id", Why.NO_SUBJECT), ("gen_ai.request.model", Why.NO_MODEL)],
)
def test_what_is_missing_is_named(name: str, reason: Why) -> None:
    assert why(chat(None, name)).why is reason


def test_a_resource_without_service_name_names_no_product() -> None:
    assert why(chat(), resource={"host.name": "a"}).why is Why.NO_PRODUCT


@pytest.mark.parametrize("value", ["anna@example.com", "张三", "a b", "x" * 129])
def test_a_subject_is_never_bent(value: str) -> None:
    unusable = why(chat({"user.id": value}))
    assert unusable.why is Why.INVALID_FIELD
    assert unusable.message.startswith("subject: user.id")
    assert value not in unusable.message


def test_the_subject_is_the_first_name_that_has_a_value_wherever_it_stands() -> None:
    with_session = chat({"session.id": "s-1"}, "user.id")
    assert only(with_session).subject == "s-1"
    assert only(with_session, resource={**RESOURCE, "user.id": 7}).subject == "7"
    assert only(chat({"acct": "a-1"}), names=Names(subjects=("acct",))).subject == "a-1"


@pytest.mark.parametrize(
    ("told", "field", "found"),
    [
        ({"gen_ai.provider.name": "Azure AI (EU)"}, "provider", "Azure-AI-EU"),
        ({"gen_ai.provider.name": "_OTHER"}, "provider", "OTHER"),
        ({"gen_ai.request.model": "@cf/meta/llama 3"}, "model", "cf/meta/llama-3"),
        ({"gen_ai.response.model": "example-7b-0613"}, "model", "example-7b-0613"),
        ({"gen_ai.request.model": "m" * 200}, "model", "m" * 128),
        ({"user.locale": "zh_CN.UTF-8"}, "locale", "zh-CN"),
        ({"user.locale": "EN"}, "locale", "en"),
        ({"user.locale": "C"}, "locale", "und"),
        ({"gen_ai.output.type": "json"}, "modality", model_pb2.MODALITY_TEXT),
        ({"gen_ai.output.type": "speech"}, "modality", model_pb2.MODALITY_AUDIO),
        ({"gen_ai.output.type": "image"}, "modality", model_pb2.MODALITY_IMAGE),
    ],
)
def test_names_are_bent_into_the_schema(told: dict[str, object], field: str, found: object) -> None:
    assert getattr(only(chat(told)), field) == found


def test_products_are_lower_case() -> None:
    assert only(chat(), resource={"service.name": "unknown_service:Python 3"}).product == "unknown_service-python-3"
    assert why(chat(), resource={"service.name": "聊天"}).message.startswith("product:")


def test_a_provider_that_is_not_told_is_unknown() -> None:
    assert only(chat(None, "gen_ai.provider.name")).provider == "unknown"


def test_an_output_of_pictures_says_its_modality_itself() -> None:
    output = [
        {"role": "assistant", "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""}]}
    ]
    request = only(chat({"gen_ai.output.messages": json.dumps(output)}))
    assert request.modality == model_pb2.MODALITY_IMAGE
    assert request.output.startswith("[assistant]\n[image]\nimage/png sha256:e3b0c442")


def test_structured_messages_are_the_same_as_their_json() -> None:
    names = ("gen_ai.input.messages", "gen_ai.output.messages")
    structured = {name: json.loads(str(CHAT[name])) for name in names}
    assert only(chat(structured)) == only(chat())


def test_instructions_come_first() -> None:
    request = only(chat({"gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]'}))
    assert request.prompt == "[system]\nBe brief.\n[user]\nHello"


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "GET"},
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"},
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.output.messages": CHAT["gen_ai.output.messages"]},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
        {"openinference.span.kind": "CHAIN", "output.value": "x"},
        {"llm.request.type": "embedding"},
        {"gen_ai.agent.name": "a"},
    ],
)
def test_spans_of_no_generation_are_ignored(attributes: dict[str, object]) -> None:
    translated = translation.of_traces(traces(span(attributes)), Names())
    assert (translated.ready, translated.waiting, translated.refused, translated.ignored) == ([], [], [], 1)


def test_an_operation_nobody_knows_counts_when_it_has_an_answer() -> None:
    assert only(chat({"gen_ai.operation.name": "responses"})).output == "Hi."


def test_an_empty_answer_is_no_generation() -> None:
    output = '[{"role":"assistant","parts":[{"type":"text","content":""}],"finish_reason":"content_filter"}]'
    translated = translation.of_traces(traces(chat({"gen_ai.output.messages": output})), Names())
    assert translated.ready == []
    assert len(translated.waiting) == 1
    with pytest.raises(Unusable, match="NO_CONTENT"):
        translation.join(translated.waiting, Names(), waited=True)


def test_content_cut_by_a_limit_is_refused() -> None:
    unusable = why(chat({"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"te'}))
    assert unusable.why is Why.MALFORMED_CONTENT
    assert "gen_ai.output.messages" in unusable.message


@pytest.mark.parametrize(("text", "field"), [("\\ud83d", "output"), ("\\u0000", "output"), ("x" * 524_289, "output")])
def test_text_that_cannot_be_stored_is_refused_with_its_field(text: str, field: str) -> None:
    output = f'[{{"role":"assistant","parts":[{{"type":"text","content":"{text}"}}]}}]'
    unusable = why(chat({"gen_ai.output.messages": output}))
    assert unusable.why is Why.INVALID_FIELD
    assert unusable.message.startswith(field)


def test_events_on_the_span_itself_are_read() -> None:
    made = chat(None, "gen_ai.input.messages", "gen_ai.output.messages")
    for name, content in (
        ("gen_ai.user.message", {"content": "Hello"}),
        ("gen_ai.choice", {"message": {"content": "Hi."}, "index": 0}),
    ):
        made.events.add(name=name).attributes.add(key="gen_ai.event.content").value.string_value = json.dumps(content)
    assert only(made) == only(chat())


def test_events_of_the_first_conventions_are_read() -> None:
    made = chat(None, "gen_ai.input.messages", "gen_ai.output.messages")
    prompt = made.events.add(name="gen_ai.content.prompt").attributes.add(key="gen_ai.prompt")
    prompt.value.string_value = '[{"role":"user","content":"Hello"}]'
    completion = made.events.add(name="gen_ai.content.completion").attributes.add(key="gen_ai.completion")
    completion.value.string_value = '[{"role":"assistant","content":"Hi."}]'
    assert only(made) == only(chat())


def test_a_mixed_export_is_told_apart() -> None:
    spans = [chat(), chat(None, "user.id"), span({"http.route": "/"}), chat(None, "gen_ai.output.messages")]
    translated = translation.of_traces(traces(*spans), Names())
    assert [len(translated.ready), len(translated.refused), translated.ignored, len(translated.waiting)] == [1, 1, 1, 1]


def test_the_whole_event_without_ids_is_recorded_by_its_bytes() -> None:
    record = event("gen_ai.client.inference.operation.details", None, CHAT)
    record.ClearField("trace_id")
    record.ClearField("span_id")
    first, second = (translation.of_logs(logs(record), Names()) for _ in range(2))
    assert first.ready[0].request == second.ready[0].request
    assert first.ready[0].request.output == "Hi."


def test_an_event_of_a_span_needs_the_ids_of_it() -> None:
    record = event("gen_ai.choice", {"message": {"content": "Hi."}})
    record.span_id = b"\1"
    assert [item.why for item in translation.of_logs(logs(record), Names()).refused] == [Why.INVALID_ID]


def test_log_records_of_something_else_are_ignored() -> None:
    translated = translation.of_logs(logs(event("http.request"), event("")), Names())
    assert (translated.ready, translated.waiting, translated.refused, translated.ignored) == ([], [], [], 2)


def test_all_the_choices_are_waited_for() -> None:
    spans = translation.of_traces(
        traces(
            chat(
                {"gen_ai.response.finish_reasons": ["stop", "stop"]}, "gen_ai.input.messages", "gen_ai.output.messages"
            )
        ),
        Names(),
    ).waiting
    second = event("gen_ai.choice", {"index": 1, "message": {"content": "two"}})
    first = event("gen_ai.choice", {"index": 0, "message": {"content": "one"}})
    one = [*spans, *translation.of_logs(logs(second), Names()).waiting]
    assert translation.join(one, Names(), waited=False) is Undecided.WAIT
    both = [*one, *translation.of_logs(logs(first), Names()).waiting]
    joined = translation.join(both, Names(), waited=False)
    assert isinstance(joined, RecordRequest)
    assert joined.output == "[assistant 1]\none\n[assistant 2]\ntwo"
    late = translation.join(one, Names(), waited=True)
    assert isinstance(late, RecordRequest)
    assert late.output == "two"


def test_a_call_that_failed_before_an_answer_generated_nothing() -> None:
    failed = chat({"error.type": "timeout"}, "gen_ai.input.messages", "gen_ai.output.messages")
    failed.status.code = Status.STATUS_CODE_ERROR
    waiting = translation.of_traces(traces(failed), Names()).waiting
    assert translation.join(waiting, Names(), waited=False) is Undecided.WAIT
    assert translation.join(waiting, Names(), waited=True) is Undecided.NOTHING_GENERATED
