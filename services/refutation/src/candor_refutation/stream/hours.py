"""What the spread table holds: one hour per claim, as bytes, and how records of candor.refutation.v1 change it."""

import json
from collections.abc import Iterable, Mapping

from candor.refutation.v1.facts_pb2 import ClaimMatched, SpreadDetected
from candor_kit import envelope, metrics
from candor_kit.errors import Refusal

from candor_refutation import codec
from candor_refutation.domain.spread import Hour, Levels

_RECORDS = metrics.counter("spread_records", "Records that the spread table read, by result.", ("result",))
_MATCHED = ClaimMatched.DESCRIPTOR.full_name
_DETECTED = SpreadDetected.DESCRIPTOR.full_name


def encode(hour: Hour) -> bytes:
    """Write an hour."""
    value = {
        "automatic": hour.automatic, "review": hour.review, "peak": hour.peak, "announced": hour.announced
    }  # fmt: skip
    return json.dumps(value, separators=(",", ":")).encode()


def decode(value: bytes | None) -> Hour:
    """Read an hour; what was never written, or cannot be read, is an empty one: the table is only a view."""
    if not value:
        return Hour()
    try:
        fields = json.loads(value)
        level, minute = fields["peak"]
        return Hour(
            automatic=_buckets(fields["automatic"]),
            review=_buckets(fields["review"]),
            peak=(int(level), int(minute)),
            announced=int(fields["announced"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        _RECORDS.labels("lost").inc()
        return Hour()


def _buckets(fields: Mapping[str, int]) -> dict[int, int]:
    return {int(minute): int(count) for minute, count in fields.items()}


def changed(
    hour: Hour, levels: Levels, key: bytes, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Hour | None:
    """Return the hour of the claim `key` after a record; None when the record changes nothing, whatever it is."""
    try:
        after = _apply(hour, levels, key, value, envelope.read(headers))
    except (Refusal, ValueError, OverflowError):
        _RECORDS.labels("malformed").inc()
        return None
    _RECORDS.labels("counted" if after else "skipped").inc()
    return after


def _apply(hour: Hour, levels: Levels, key: bytes, value: bytes | None, head: envelope.Envelope) -> Hour | None:
    if head.type == _DETECTED:
        detected = envelope.decode(value, head.content_type, SpreadDetected)
        return hour.announced_at(detected.level) if detected.claim_id.encode() == key else None
    if head.type == _MATCHED:
        matched = envelope.decode(value, head.content_type, ClaimMatched)
        band = codec.band_of(matched.band)
        if band is not None and matched.claim_id.encode() == key:
            return hour.counted(codec.time_of(matched.occurred_at), band, levels)
    return None
