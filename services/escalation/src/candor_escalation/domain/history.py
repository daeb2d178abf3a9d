"""The history of a clock: from what it was counted each time, why, when and by whom. Appended, never changed."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.incident import Anchor


@dataclass(frozen=True)
class Revision:
    """What a clock was counted from, and what became of it, at one change; ``cause`` is one word."""

    clock_id: str
    incident_id: str
    revision: int
    cause: str
    reason: str
    state: str
    anchor: Anchor
    strict_due: datetime
    legal_latest: datetime | None
    provisional: bool
    pack_version: str
    changed_at: datetime
    changed_by: str


def revision_of(clock: Clock, cause: str, reason: str, now: datetime, by: str) -> Revision:
    """A clock as it is now, for its history."""
    return Revision(
        clock_id=clock.clock_id,
        incident_id=clock.incident_id,
        revision=clock.revision,
        cause=cause,
        reason=reason,
        state=clock.state,
        anchor=clock.anchor,
        strict_due=clock.strict_due,
        legal_latest=clock.legal_latest,
        provisional=clock.provisional,
        pack_version=clock.pack_version,
        changed_at=now,
        changed_by=by,
    )
