"""Incidents: what happened, what is known of it, and from which instants the law may count."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from candor_escalation.domain.refusal import Refused

OPEN = "open"
CLOSED = "closed"

Json = None | bool | float | str | list["Json"] | dict[str, "Json"]
"""What a fact may be: any JSON value."""

_SKEW = timedelta(minutes=1)
"""How far another machine's clock may be ahead of ours."""


@dataclass(frozen=True)
class Incident:
    """What happened. ``correlation_key`` is empty for an incident of its own; ``drill``: nothing has happened."""

    incident_id: str
    kind: str
    title: str
    correlation_key: str
    state: str
    opened_at: datetime
    signals: int
    closed_at: datetime | None = None
    closed_by: str = ""
    close_reason: str = ""
    drill: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a clock may still run."""
        return self.state == OPEN


@dataclass(frozen=True)
class Fact:
    """A fact as it was known then. A later one of the same source corrects it; nothing is overwritten.

    ``reason`` settles what other sources said of it before; without one they stand beside each other.
    """

    name: str
    value: Json
    recorded_at: datetime
    recorded_by: str
    source: str
    reason: str = ""


@dataclass(frozen=True)
class Anchor:
    """An instant that the law counts from, and what shows it.

    ``disputed``: somebody holds it to be wrong, and nobody has settled it. ``provisional``: a report was submitted
    then, and its receipt may still say another instant.
    """

    name: str
    at: datetime
    evidence: str
    disputed: bool = False
    provisional: bool = False


@dataclass(frozen=True)
class Signal:
    """What somebody or something reports.

    ``reference`` names its origin (a generation, a claim), never a person; ``evidence`` the generation that has to be
    kept for it. ``drill``: nothing has happened.
    """

    kind: str
    title: str
    correlation_key: str
    facts: Mapping[str, Json]
    anchors: tuple[Anchor, ...]
    source: str
    reference: str = ""
    gathers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: str = ""
    drill: bool = False

    def told(self, known: Mapping[str, Json]) -> dict[str, Json]:
        """The facts that the signal tells, given what is known; texts of ``gathers`` add up over the signals."""
        return {**self.facts, **{name: _joined(known.get(name), texts) for name, texts in self.gathers.items()}}


def _joined(known: Json, texts: tuple[str, ...]) -> Json:
    earlier = known.split(", ") if isinstance(known, str) and known else []
    return ", ".join(sorted({*earlier, *texts}))


def opened(signal: Signal, incident_id: str, now: datetime) -> Incident:
    """The incident that a signal opens."""
    return Incident(
        incident_id, signal.kind, signal.title, signal.correlation_key, OPEN, now, signals=1, drill=signal.drill
    )


def joined(incident: Incident) -> Incident:
    """The incident with one more signal read into it."""
    return replace(incident, signals=incident.signals + 1)


def closed(incident: Incident, now: datetime, by: str = "", reason: str = "") -> Incident:
    """The incident once nothing runs any more; ``by`` and ``reason`` where a person closed it."""
    return replace(incident, state=CLOSED, closed_at=now, closed_by=by, close_reason=reason)


def reopened(incident: Incident) -> Incident:
    """The incident in which a duty arises again."""
    return replace(incident, state=OPEN, closed_at=None, closed_by="", close_reason="")


def refuse_future(at: datetime, now: datetime, what: str) -> None:
    """Refuse an instant that has not happened yet.

    Raises:
        Refused: TIME_IN_FUTURE.
    """
    if at > now + _SKEW:
        raise Refused("TIME_IN_FUTURE", f"{what} has not happened yet")


def refuse_closed(incident: Incident, *, may_rise: bool = False) -> None:
    """Refuse to add to what is closed, unless a duty that fell may rise again (``may_rise``).

    Raises:
        Refused: INCIDENT_CLOSED.
    """
    if not incident.is_open and not may_rise:
        raise Refused("INCIDENT_CLOSED", "every clock of the incident is stopped; report a new one")


def correlation_lock(kind: str, key: str) -> int:
    """A number for the database to lock while the open incident of a kind and key is looked for: signed, 64 bits."""
    digest = hashlib.sha256(f"{kind}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
