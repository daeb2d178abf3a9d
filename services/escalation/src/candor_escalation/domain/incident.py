"""Incidents: what happened, what is known of it, and from which instants the law may count."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from candor_escalation.domain.refusal import Refused

OPEN = "open"
CLOSED = "closed"

Json = None | bool | float | str | list["Json"] | dict[str, "Json"]
"""What a fact may be: any JSON value."""

_SKEW = timedelta(minutes=1)
"""How far another machine's clock may be ahead of ours."""
_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Incident:
    """What happened. ``correlation_key`` is empty for an incident of its own."""

    incident_id: str
    kind: str
    title: str
    correlation_key: str
    state: str
    opened_at: datetime
    signals: int
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether a clock may still run."""
        return self.state == OPEN


@dataclass(frozen=True)
class Fact:
    """A fact as it was known then. A later one of the same name corrects it; nothing is overwritten."""

    name: str
    value: Json
    recorded_at: datetime
    recorded_by: str
    source: str


@dataclass(frozen=True)
class Anchor:
    """An instant that the law counts from, and what shows it."""

    name: str
    at: datetime
    evidence: str


@dataclass(frozen=True)
class Signal:
    """What somebody or something reports. ``reference`` names its origin (a generation, a claim), never a person."""

    kind: str
    title: str
    correlation_key: str
    facts: Mapping[str, Json]
    anchors: tuple[Anchor, ...]
    source: str
    reference: str = ""
    gathers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def told(self, known: Mapping[str, Json]) -> dict[str, Json]:
        """The facts that the signal tells, given what is known; texts of ``gathers`` add up over the signals."""
        return {**self.facts, **{name: _joined(known.get(name), texts) for name, texts in self.gathers.items()}}


def _joined(known: Json, texts: tuple[str, ...]) -> Json:
    earlier = known.split(", ") if isinstance(known, str) and known else []
    return ", ".join(sorted({*earlier, *texts}))


def opened(signal: Signal, incident_id: str, now: datetime) -> Incident:
    """The incident that a signal opens."""
    return Incident(incident_id, signal.kind, signal.title, signal.correlation_key, OPEN, now, signals=1)


def joined(incident: Incident) -> Incident:
    """The incident with one more signal read into it."""
    return replace(incident, signals=incident.signals + 1)


def closed(incident: Incident, now: datetime) -> Incident:
    """The incident once nothing runs any more."""
    return replace(incident, state=CLOSED, closed_at=now)


def current(facts: Iterable[Fact]) -> dict[str, Json]:
    """What is known now, from facts in the order they were recorded."""
    return {fact.name: fact.value for fact in facts}


def new_facts(
    known: Mapping[str, Json], told: Mapping[str, Json], now: datetime, recorded_by: str, source: str
) -> list[Fact]:
    """The facts to append: those that say something other than what is known."""
    return [
        Fact(name, value, now, recorded_by, source)
        for name, value in told.items()
        if name not in known or known[name] != value
    ]


def new_anchors(known: Mapping[str, Anchor], told: Sequence[Anchor], now: datetime) -> list[Anchor]:
    """The anchors to append: names not known yet, and earlier instants of known ones.

    A clock counts from the earliest instant that was reported. To count from a later one is a correction that needs a
    reason of its own, so a later instant is not taken from a signal or a fact.

    Raises:
        Refused: TIME_IN_FUTURE, an anchor has not happened yet.
    """
    earliest: dict[str, Anchor] = {}
    for anchor in told:
        refuse_future(anchor.at, now, f"anchor {anchor.name}")
        other = earliest.get(anchor.name) or known.get(anchor.name)
        if other is None or anchor.at < other.at:
            earliest[anchor.name] = anchor
    return list(earliest.values())


def effective(anchors: Iterable[Anchor]) -> dict[str, Anchor]:
    """The earliest anchor of each name."""
    found: dict[str, Anchor] = {}
    for anchor in anchors:
        if anchor.name not in found or anchor.at < found[anchor.name].at:
            found[anchor.name] = anchor
    return found


def refuse_future(at: datetime, now: datetime, what: str) -> None:
    """Refuse an instant that has not happened yet.

    Raises:
        Refused: TIME_IN_FUTURE.
    """
    if at > now + _SKEW:
        raise Refused("TIME_IN_FUTURE", f"{what} has not happened yet")


def refuse_closed(incident: Incident) -> None:
    """Refuse to add to what is closed.

    Raises:
        Refused: INCIDENT_CLOSED.
    """
    if not incident.is_open:
        raise Refused("INCIDENT_CLOSED", "every clock of the incident is stopped; report a new one")


def correlation_lock(kind: str, key: str) -> int:
    """A number for the database to lock while the open incident of a kind and key is looked for: signed, 64 bits."""
    digest = hashlib.sha256(f"{kind}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def illegal_content(product: str, occurred_at: datetime, generation_id: str, categories: Iterable[str]) -> Signal:
    """The signal of an output that screening blocked: one incident per product and day in China.

    It is found when it is screened, at the earliest when it was made: that is what the clock counts from.
    Source: Deep Synthesis 10
    """
    day = occurred_at.astimezone(_CHINA).date().isoformat()
    named = tuple(sorted(set(categories)))
    return Signal(
        kind="illegal_content",
        title=f"Blocked output in {product}, {day}",
        correlation_key=f"{product}:{day}",
        facts={"product": product},
        anchors=(Anchor("found", occurred_at, f"screening blocked generation {generation_id}"),),
        source="generation",
        reference=generation_id,
        gathers={"categories": named} if named else {},
    )


def rumour_spread(claim_id: str, level: int, matches: int, found_at: datetime) -> Signal:
    """The signal of a refuted claim that spreads through outputs: one incident per claim.

    Source: Deep Synthesis 11
    """
    return Signal(
        kind="rumour_spread",
        title=f"Refuted claim {claim_id} spreads",
        correlation_key=claim_id,
        facts={"claim_id": claim_id, "level": float(level), "matches": float(matches)},
        anchors=(Anchor("found", found_at, f"spread of level {level} over {matches} matches"),),
        source="refutation",
        reference=claim_id,
    )
