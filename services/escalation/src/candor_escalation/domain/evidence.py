"""Evidence: the generations an incident rests on are held while it is open, and as long after as the law asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CITATION = "PIPL 47(2); Cybersecurity Law 23(3); GDPR 17(3)"
REASON = "evidence of an open incident"

_AHEAD = timedelta(days=365)
"""For how long a hold is placed; it is prolonged when half of that has passed."""
_LONGEST_PAUSE = 300.0


@dataclass(frozen=True)
class Hold:
    """The legal hold of an incident, as generation was told of it; see the table evidence_hold."""

    incident_id: str
    hold_id: str
    held_until: datetime | None
    release_at: datetime | None
    released_at: datetime | None
    failures: int


def until(now: datetime) -> datetime:
    """Until when a hold is placed or prolonged now."""
    return now + _AHEAD


def prolong_at(held_until: datetime) -> datetime:
    """When a hold has to be prolonged."""
    return held_until - _AHEAD / 2


def release_at(closed_at: datetime, kept_days: int) -> datetime:
    """When the evidence of an incident that closes may be let go: logs are kept six months at least.

    Source: PIPL 47
    """
    return closed_at + timedelta(days=kept_days)


def pause(failures: int) -> float:
    """How many seconds to wait after so many failures in a row: doubling, five minutes at most."""
    return min(2.0 ** min(failures, 10), _LONGEST_PAUSE)
