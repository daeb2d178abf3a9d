"""Drills: what is said to have happened, and what sets it apart from what has.

Everything in a drill runs as it would if something had happened, except that nothing leaves the company.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from candor_escalation.domain.incident import Anchor, Incident, Json, Signal
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Receipt

ZH, EN = "演练", "DRILL"
MARK = f"{EN} / {ZH}"
"""What everything of a drill that a person sees begins with."""

SOURCE = "drill"
"""Who reports what happens in a drill."""

CAUSE = "drill_ended"
"""Why a clock fell, in its history, where a person ended its drill."""

RUNNING = "running"
COMPLETED = "completed"
ENDED = "ended"


@dataclass(frozen=True)
class Instant:
    """An instant that the law counts from; it lies ``before`` the start of the drill."""

    name: str
    before: timedelta
    evidence: str


@dataclass(frozen=True)
class Scenario:
    """What is said to have happened."""

    name: str
    kind: str
    title: str
    facts: Mapping[str, Json]
    instants: tuple[Instant, ...]


@dataclass(frozen=True)
class Drill:
    """A drill, by its incident. ``entry_id`` names its result in the register; empty while it runs."""

    incident_id: str
    scenario: str
    started_by: str
    entry_id: str = ""


def signal(scenario: Scenario, now: datetime) -> Signal:
    """The signal of a drill that starts now.

    It has no correlation key: no signal is ever read into its incident, and it is read into no other.
    """
    return Signal(
        kind=scenario.kind,
        title=f"【{MARK}】{scenario.title}",
        correlation_key="",
        facts=scenario.facts,
        anchors=tuple(Anchor(one.name, now - one.before, f"{MARK}: {one.evidence}") for one in scenario.instants),
        source=SOURCE,
        drill=True,
    )


def state(incident: Incident) -> str:
    """Whether the drill runs, was completed, or was ended by a person before that."""
    if incident.is_open:
        return RUNNING
    return ENDED if incident.closed_by else COMPLETED


def refuse_ended(incident: Incident) -> None:
    """Refuse to end what has happened, or a drill that is over.

    Raises:
        Refused: NOT_A_DRILL, or DRILL_ENDED.
    """
    if not incident.drill:
        raise Refused("NOT_A_DRILL", "the incident is no drill; receipts and decisions end it", field="incident_id")
    if not incident.is_open:
        raise Refused("DRILL_ENDED", "the drill is over", field="incident_id")


def refuse_effect(incident: Incident) -> None:
    """Refuse what would leave the company: a product backend, a user or an authority would take it to be meant.

    Raises:
        Refused: ONLY_A_DRILL.
    """
    if incident.drill:
        raise Refused("ONLY_A_DRILL", "the incident is a drill: nothing of it leaves the company")


def receipt_of(receipt: Receipt) -> Receipt:
    """The receipt as a drill keeps it: its reference cannot be taken for an authority's."""
    named = receipt.reference.startswith(MARK)
    return receipt if named else replace(receipt, reference=f"{MARK}: {receipt.reference}")
