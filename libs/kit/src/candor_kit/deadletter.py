"""Dead letters: what was refused on a topic, as it came, with the reason in its headers."""

from __future__ import annotations

import json
from datetime import datetime

from aiokafka import ConsumerRecord

from candor_kit import envelope
from candor_kit.errors import Refusal

PREFIX = "candor_"


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
