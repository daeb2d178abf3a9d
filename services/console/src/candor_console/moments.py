"""Times as a person reads them: UTC to the minute, and how long is left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Text = Callable[..., str]


class Urgency(StrEnum):
    """How pressing a due date is; it decides colour and order, never a rule."""

    CALM = "calm"
    SOON = "soon"
    OVERDUE = "overdue"


def utc(at: datetime) -> str:
    """Like `2026-11-22 13:30 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(at: datetime) -> str:
    """For the `datetime` attribute and the page's countdown: `2026-11-22T13:30:05Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(length: timedelta, text: Text) -> str:
    """The two largest units of a length, rounded down: `2 d 3 h`, `1 h 12 min`, `45 s`. The sign is dropped."""
    seconds = int(abs(length.total_seconds()))
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    if days:
        return text("span.days_hours", days=days, hours=hours)
    if hours:
        return text("span.hours_minutes", hours=hours, minutes=minutes)
    if minutes:
        return text("span.minutes", minutes=minutes)
    return text("span.seconds", seconds=seconds)


def left(due: datetime, now: datetime, text: Text) -> str:
    """How long is left, or since when it is overdue."""
    words = span(due - now, text)
    return text("left.overdue", span=words) if due < now else text("left.left", span=words)


def ago(at: datetime, now: datetime, text: Text) -> str:
    """How long ago something was."""
    return text("ago", span=span(now - at, text))


def urgency(due: datetime, now: datetime, begun: datetime | None = None) -> Urgency:
    """Overdue; soon when less than an hour or a quarter of the period (counted from `begun`) is left; else calm."""
    if due < now:
        return Urgency.OVERDUE
    short = timedelta(hours=1)
    if begun is not None and begun < due:
        short = max(short, (due - begun) / 4)
    return Urgency.SOON if due - now < short else Urgency.CALM


def used(begun: datetime, due: datetime, now: datetime) -> int:
    """Per cent of a period that have passed, 0 to 100."""
    if due <= begun:
        return 100
    return min(100, max(0, int(100 * ((now - begun) / (due - begun)))))
