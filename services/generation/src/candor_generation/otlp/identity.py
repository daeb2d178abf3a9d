"""The id of the generation that a span tells of: the same for every retry of the export."""

from __future__ import annotations

import hashlib
from uuid import UUID

from candor_generation.otlp.reasons import Unusable, Why

_TRACE_BYTES, _SPAN_BYTES = 16, 8
_NANOS_PER_MILLI = 1_000_000
_MILLIS_MASK = (1 << 48) - 1


def check_ids(trace_id: bytes, span_id: bytes) -> None:
    """A span is told apart from all others by 16 and 8 bytes that are not all zero.

    Raises:
        Unusable: INVALID_ID.

    Spec: OTLP Span
    """
    if len(trace_id) != _TRACE_BYTES or not any(trace_id):
        raise Unusable(Why.INVALID_ID, "trace_id must be 16 bytes that are not all zero")
    if len(span_id) != _SPAN_BYTES or not any(span_id):
        raise Unusable(Why.INVALID_ID, "span_id must be 8 bytes that are not all zero")


def generation_id(nanos: int, name: bytes) -> str:
    """Return a UUIDv7 whose time is `nanos` and whose other 74 bits are of SHA-256 over `name`.

    Args:
        nanos: when the span started, nanoseconds since 1970; or, of an event that has no span, when it was made.
        name: trace id and span id.

    Raises:
        Unusable: NO_TIME.

    Spec: RFC 9562 5.7
    """
    if nanos <= 0:
        raise Unusable(Why.NO_TIME, "the span has no start time")
    bits = int.from_bytes(hashlib.sha256(b"candor otlp generation 1\n" + name).digest()[:10]) >> 6
    value = (nanos // _NANOS_PER_MILLI & _MILLIS_MASK) << 80 | 7 << 76 | (bits >> 62) << 64
    return str(UUID(int=value | 0b10 << 62 | bits & (1 << 62) - 1))
