"""What an export brings: spans and log records, each with its scope and its resource, as one thing that can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from candor_generation.otlp.dialects import DETAILS, EVENTS, Event
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.values import Attributes, attributes_of, plain, text_of

SPAN, LOG = b"S", b"L"


@dataclass(frozen=True)
class Context:
    """Where spans and log records come from."""

    resource: Resource
    scope: InstrumentationScope

    @cached_property
    def layers(self) -> tuple[Attributes, Attributes]:
        """The attributes of the scope, then of the resource."""
        return attributes_of(self.scope.attributes), attributes_of(self.resource.attributes)


@dataclass(frozen=True)
class SpanPiece:
    """A span."""

    context: Context
    span: Span

    @cached_property
    def attributes(self) -> Attributes:
        """The span's own attributes."""
        return attributes_of(self.span.attributes)

    @property
    def name(self) -> bytes:
        """Trace id and span id."""
        return self.span.trace_id + self.span.span_id

    @property
    def failed(self) -> bool:
        """Whether the call failed, so that there may be no answer."""
        return self.span.status.code == Status.STATUS_CODE_ERROR or "error.type" in self.attributes

    def events(self) -> list[Event]:
        """The span's own events that tell of what was said."""
        return [
            Event(event.name, None, attributes_of(event.attributes))
            for event in self.span.events
            if event.name in EVENTS
        ]

    def kept(self) -> bytes:
        """The span with all it needs, as bytes that `opened` reads."""
        message = ResourceSpans(resource=self.context.resource)
        message.scope_spans.add(scope=self.context.scope).spans.append(self.span)
        return SPAN + message.SerializeToString(deterministic=True)


@dataclass(frozen=True)
class LogPiece:
    """A log record that is an event of `EVENTS`."""

    context: Context
    record: LogRecord
    event_name: str

    @cached_property
    def attributes(self) -> Attributes:
        """The record's own attributes."""
        return attributes_of(self.record.attributes)

    @property
    def name(self) -> bytes:
        """Trace id and span id."""
        return self.record.trace_id + self.record.span_id

    @property
    def nanos(self) -> int:
        """When it was made, or else when it was observed; nanoseconds since 1970."""
        return self.record.time_unix_nano or self.record.observed_time_unix_nano

    @property
    def whole(self) -> bool:
        """Whether it tells of a call all by itself."""
        return self.event_name == DETAILS

    def event(self) -> Event:
        """What it says."""
        return Event(self.event_name, plain(self.record.body), self.attributes)

    def kept(self) -> bytes:
        """The record with all it needs, as bytes that `opened` reads."""
        message = ResourceLogs(resource=self.context.resource)
        message.scope_logs.add(scope=self.context.scope).log_records.append(self.record)
        return LOG + message.SerializeToString(deterministic=True)


def spans_in(request: ExportTraceServiceRequest) -> Iterator[SpanPiece]:
    """Every span of an export."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            context = Context(resource.resource, scope.scope)
            for span in scope.spans:
                yield SpanPiece(context, span)


def events_in(request: ExportLogsServiceRequest) -> Iterator[LogPiece]:
    """Every log record of an export that is an event of a call to a model."""
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            context = Context(resource.resource, scope.scope)
            for record in scope.log_records:
                name = event_name(record)
                if name in EVENTS:
                    yield LogPiece(context, record, name)


def event_name(record: LogRecord) -> str:
    """The name of an event: a field since OTLP 1.5, an attribute before."""
    if record.event_name:
        return record.event_name
    return next((text_of(plain(pair.value)) for pair in record.attributes if pair.key == "event.name"), "")


def opened(data: bytes) -> SpanPiece | LogPiece:
    """Read what `kept` wrote.

    Raises:
        Unusable: UNREADABLE, another version of this service wrote it.
    """
    try:
        if data[:1] == SPAN:
            spans = ResourceSpans.FromString(data[1:])
            scope_spans = spans.scope_spans[0]
            return SpanPiece(Context(spans.resource, scope_spans.scope), scope_spans.spans[0])
        logs = ResourceLogs.FromString(data[1:])
        scope_logs = logs.scope_logs[0]
        record = scope_logs.log_records[0]
        return LogPiece(Context(logs.resource, scope_logs.scope), record, event_name(record))
    except (DecodeError, IndexError) as error:
        raise Unusable(Why.UNREADABLE, "what was kept cannot be read") from error
