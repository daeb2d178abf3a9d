"""The periods that logs are cut into, so that what the law no longer asks for can be dropped whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LATEST_ID = timedelta(days=35)
"""How long after it was made an id is still taken, and so how long a log stays open after its period."""

_LETTERS = {1: "m", 3: "q", 6: "h", 12: "y"}
LENGTHS = tuple(_LETTERS)
"""The lengths in months that a period can have: each divides a year."""


@dataclass(frozen=True)
class Period:
    """A span of time from `starts_at` to before `ends_at`; both are midnight UTC of the first of a month."""

    starts_at: datetime
    ends_at: datetime
    name: str


def period_of(at: datetime, months: int) -> Period:
    """The period of that length which a moment lies in: "2026h2", "2026q4", "2026m11", "2026y1".

    Raises:
        ValueError: there is no such length.
    """
    if months not in _LETTERS:
        raise ValueError(f"a period has {', '.join(map(str, LENGTHS))} months, not {months}")
    utc = at.astimezone(UTC)
    number = (utc.month - 1) // months
    starts_at = datetime(utc.year, number * months + 1, 1, tzinfo=UTC)
    year, month = divmod(number * months + months, 12)
    ends_at = datetime(utc.year + year, month + 1, 1, tzinfo=UTC)
    return Period(starts_at, ends_at, f"{utc.year:04d}{_LETTERS[months]}{number + 1}")


def first_id(at: datetime) -> str:
    """The smallest UUIDv7 that was made at a moment or later.

    Source: RFC 9562 5.7
    """
    milliseconds = -(-int(at.timestamp() * 1_000_000) // 1000)
    text = f"{milliseconds:012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-000000000000"


def droppable_at(ends_at: datetime, retention: timedelta) -> datetime:
    """When a period may be dropped: nothing can come to it any more, and its youngest record was kept long enough.

    Source: Generative AI Labelling Measures 9; AI Act 19(1)
    """
    return ends_at + max(LATEST_ID, timedelta()) + retention
