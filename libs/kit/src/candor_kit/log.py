"""Structured logs that cannot hold a prompt, a key or an identity.

A line is a sentence and fields. Only fields named in `FIELDS` are written, others are named as dropped; an exception is
written as its type and the places it passed, never as its message, because a driver's message can quote a row.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, cast

import structlog
from opentelemetry import trace

# fmt: off
FIELDS = frozenset({
    "address", "answered", "applied", "attempt", "batch", "bytes", "calendar", "caller", "channel", "checksum",
    "claim_id", "clock_id", "code", "command_type", "component", "consumer", "contact_level", "count",
    "database", "deadline", "delay", "delivered", "domain", "duration", "epoch", "expected", "fact_type",
    "failures", "feature_id", "field", "file", "generation_id", "group", "grpc", "holder", "holder_id", "http",
    "incident_id", "kind", "kinds", "level", "library", "limit", "line", "listen", "locale", "log_index",
    "method", "migration", "milestone", "name", "notice_id", "offset", "origin", "pack_id", "page_id", "part",
    "partition", "parts", "period", "position", "purpose_id", "reason", "records", "request_id", "result",
    "retry_in", "right", "role", "rows", "seconds", "service", "signal", "size", "slot", "source", "sqlstate",
    "state", "status", "step", "task_id", "tasks", "topic", "total", "type", "unit", "url", "version", "window",
})
# fmt: on
_STANDARD = frozenset({"event", "level", "logger_name", "timestamp", "exception", "trace_id", "span_id", "exc_info"})
_LONGEST = 300


def configure(service: str, level: str) -> None:
    """Send JSON lines to standard output, and the libraries' own logs through the same sieve."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_service(service),
            _add_trace,
            _exception_without_message,
            _only_known_fields,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_LibraryHandler()], level=logging.WARNING, force=True)
    # While a broker is away it repeats itself many times a second; our own loops say that they wait, and for what.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(logger_name=name))


def places(error: BaseException) -> str:
    """Return an exception as its type and the places it passed, innermost last, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join([type(error).__name__, *(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-8:]))])


Event = MutableMapping[str, Any]


def _add_service(service: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: Event) -> Event:
        event["service"] = service
        return event

    return add


def _add_trace(_logger: object, _method: str, event: Event) -> Event:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def _exception_without_message(_logger: object, _method: str, event: Event) -> Event:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        event["exception"] = places(error)
        sqlstate = getattr(error, "sqlstate", None)
        if isinstance(sqlstate, str):
            event["sqlstate"] = sqlstate
    return event


def _only_known_fields(_logger: object, _method: str, event: Event) -> Event:
    kept = {key: _short(value) for key, value in event.items() if key in FIELDS or key in _STANDARD}
    dropped = sorted(set(event) - set(kept))
    if dropped:
        kept["dropped_fields"] = dropped
    return kept


def _short(value: object) -> object:
    return value[:_LONGEST] if isinstance(value, str) else value


class _LibraryHandler(logging.Handler):
    """A library's line keeps its logger, its place and its unfilled template: its arguments may quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get(record.name)
        error = record.exc_info[1] if record.exc_info else None
        log.log(record.levelno, str(record.msg), line=record.lineno, exc_info=error)
