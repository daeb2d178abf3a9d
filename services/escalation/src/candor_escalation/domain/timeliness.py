"""Whether a report was in time: from when it counts, when it was due, when it was sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.report import Submission

OPEN = "open"
IN_TIME = "in_time"
IN_LEGAL_TIME = "in_legal_time"
LATE = "late"


@dataclass(frozen=True)
class Timeliness:
    """``submitted_at`` is that of the first submission; ``seconds_left`` to what on-call works to, negative past it."""

    punctuality: str
    submitted_at: datetime | None
    seconds_left: int


def timeliness(clock: Clock, submissions: Iterable[Submission], now: datetime) -> Timeliness:
    """How the first submission, or while there is none the present, stands to the clock's two dates.

    Who reports later than the law allows has to say why with the report; so the page says which of the two was missed.
    Source: GDPR 33(1)
    """
    submitted_at = min((submission.submitted_at for submission in submissions), default=None)
    at = submitted_at or now
    left = int((clock.strict_due - at).total_seconds())
    return Timeliness(punctuality(clock, at, open_=submitted_at is None), submitted_at, left)


def punctuality(clock: Clock, at: datetime, *, open_: bool) -> str:
    """How an instant stands to the clock's two dates. ``open_``: nothing was done by then."""
    latest = max(clock.strict_due, clock.legal_latest or clock.strict_due)
    if at > latest:
        return LATE
    if open_:
        return OPEN
    return IN_TIME if at <= clock.strict_due else IN_LEGAL_TIME
