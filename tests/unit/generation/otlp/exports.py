"""Exports made by hand, and those captured from instrumentations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

CAPTURES = Path(__file__).parent / "captures"
TRACE_ID, SPAN_ID = bytes(range(1, 17)), bytes(range(1, 9))
START = 1_795_365_232_825_594_506
CHAT: Mapping[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "example-7b",
    "user.id": "user-7",
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hello"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hi."}]}]',
}
RESOURCE: Mapping[str, object] = {"service.name": "chat"}


def any_value(value: object) -> AnyValue:
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case str():
            made.string_value = value
        case bytes():
            made.bytes_value = value
        case list():
            made.array_value.CopyFrom(ArrayValue(values=[any_value(item) for item in value]))
        case dict():
            made.kvlist_value.CopyFrom(KeyValueList(values=pairs(value)))
    return made


def pairs(attributes: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(attributes: Mapping[str, object], *, span_id: bytes = SPAN_ID, start: int = START) -> Span:
    return Span(trace_id=TRACE_ID, span_id=span_id, start_time_unix_nano=start, attributes=pairs(attributes))


def chat(changes: Mapping[str, object] | None = None, *without: str) -> Span:
    """A chat in the current conventions, with changes, without some attributes."""
    given = {**CHAT, **(changes or {})}
    return span({name: value for name, value in given.items() if name not in without})


def traces(*spans: Span, resource: Mapping[str, object] = RESOURCE) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(pairs(resource))
    resource_spans.scope_spans.add().spans.extend(spans)
    return request


def event(
    name: str, body: object = None, attributes: Mapping[str, object] | None = None, *, at: int = START
) -> LogRecord:
    return LogRecord(
        event_name=name,
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        time_unix_nano=at,
        body=any_value(body) if body is not None else None,
        attributes=pairs(attributes or {}),
    )


def logs(*records: LogRecord, resource: Mapping[str, object] = RESOURCE) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(pairs(resource))
    resource_logs.scope_logs.add().log_records.extend(records)
    return request


def captured_traces(name: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((CAPTURES / f"{name}.traces.pb").read_bytes())


def captured_logs(name: str) -> ExportLogsServiceRequest:
    return ExportLogsServiceRequest.FromString((CAPTURES / f"{name}.logs.pb").read_bytes())
