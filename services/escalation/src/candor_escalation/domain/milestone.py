"""Milestones: the instants at which a running clock makes itself heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_escalation.domain.clock import Clock

HALF = "half"
QUARTER = "quarter"
HOUR_LEFT = "hour_left"
DUE = "due"
OVERDUE = "overdue"

PAGING = frozenset({DUE, OVERDUE})
"""The milestones that page again, whoever acknowledged before."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Milestone:
    """One of a clock's milestones. ``revision`` counts up when the clock is counted from another anchor.

    ``drill``: nothing has happened.
    """

    clock_id: str
    incident_id: str
    kind: str
    revision: int
    due_at: datetime
    reached_at: datetime | None = None
    drill: bool = False


def schedule(clock: Clock, now: datetime) -> list[Milestone]:
    """The milestones of a clock that is counted now: fractions of the time that remains until ``strict_due``.

    Half and a quarter of it left, one hour left if more than two remain, due, and overdue. Where nothing remains only
    the last two stand, and are reached at once.
    """
    instants: dict[str, datetime] = {}
    remaining = clock.strict_due - now
    if remaining > timedelta(0):
        instants[HALF] = now + remaining / 2
        instants[QUARTER] = now + remaining * 3 / 4
    if remaining > 2 * _HOUR:
        instants[HOUR_LEFT] = clock.strict_due - _HOUR
    instants[DUE] = clock.strict_due
    instants[OVERDUE] = overdue_at(clock.strict_due, clock.legal_latest, remaining)
    return [Milestone(clock.clock_id, clock.incident_id, kind, clock.revision, at) for kind, at in instants.items()]


def overdue_at(strict_due: datetime, legal_latest: datetime | None, remaining: timedelta) -> datetime:
    """When the last instant that the law allows has passed; at least a moment after the due date.

    The moment is a quarter of what remained, one minute at least and one hour at most: on-call is paged at the due
    date first.
    """
    moment = min(max(remaining / 4, timedelta(minutes=1)), _HOUR)
    return max(strict_due + moment, legal_latest or strict_due)
