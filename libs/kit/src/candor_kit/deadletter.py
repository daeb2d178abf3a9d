"""Dead letters: what was refused on a topic, as it came, with the reason in its headers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from aiokafka import ConsumerRecord

from candor_kit import envelope
from candor_kit.errors import Refusal

PREFIX = "candor_"
LEFT_OUT = "candor_left_out"
# The topic of dead letters takes 2 MiB a record. A packed record can be far larger once it is unpacked.
_LARGEST = 1_500_000
_LONGEST = 1_000
# The headers that say what a record is.
_OWN = frozenset({"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"})


@dataclass(frozen=True)
class DeadLetter:
    """What goes to the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: envelope.Headers


def of(record: ConsumerRecord, refusal: Refusal, *, consumer: str, at: datetime) -> DeadLetter:
    """A record with its own headers, and why and where it was set aside.

    What the topic could not take is left out, so that nothing waits behind it: the header `candor_left_out` has the
    size of the value, and the others say where the record itself lies, until its topic forgets it.
    """
    headers = headers_of(record, refusal, consumer=consumer, at=at)
    if _size(record.key, record.value, headers) <= _LARGEST:
        # A record without key and value can come, and cannot be sent.
        nothing = record.key is None and record.value is None
        return DeadLetter(record.key, b"" if nothing else record.value, headers)
    kept = {name: part for name, part in headers if name.startswith(PREFIX) or (name in _OWN and len(part) <= _LONGEST)}
    key = record.key if len(record.key or b"") <= _LONGEST else None
    return DeadLetter(key, b"", [*kept.items(), (LEFT_OUT, str(len(record.value or b"")).encode())])


def _size(key: bytes | None, value: bytes | None, headers: envelope.Headers) -> int:
    return len(key or b"") + len(value or b"") + sum(len(name) + len(part) for name, part in headers)


def topic_of(service: str) -> str:
    """Return the dead-letter topic of a service."""
    return f"candor.{service}.dlq"


def headers_of(record: ConsumerRecord, refusal: Refusal, *, consumer: str, at: datetime) -> envelope.Headers:
    """Return the record's own headers, and why and where it was set aside."""
    violations = [[violation.field, violation.description] for violation in refusal.violations]
    added = {
        "candor_reason": refusal.reason,
        "candor_domain": refusal.domain,
        "candor_message": refusal.message,
        "candor_violations": json.dumps(violations, ensure_ascii=False),
        "candor_topic": record.topic,
        "candor_partition": str(record.partition),
        "candor_offset": str(record.offset),
        "candor_consumer": consumer,
        "candor_at": at.isoformat(),
    }
    own = [(name, value or b"") for name, value in record.headers if not name.startswith(PREFIX)]
    return own + [(name, value.encode()) for name, value in added.items()]
