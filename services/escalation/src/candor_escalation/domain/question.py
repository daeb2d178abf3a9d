"""Questions to the duty officer: what nobody knows, what is contradictory, what no pack covers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from candor_escalation.domain.anchor import RECEIPT_PREFIX
from candor_escalation.domain.clock import Clock, Duty
from candor_escalation.domain.incident import Anchor, Incident

FACT = "fact"
CONTRADICTION = "contradiction"
ANCHOR = "anchor"
DISPUTE = "dispute"
TRIAGE = "triage"

OPEN = "open"
ANSWERED = "answered"
LAPSED = "lapsed"


@dataclass(frozen=True)
class Question:
    """A question. ``name`` is the fact or the anchor that it is about, for a triage the incident's kind."""

    question_id: str
    incident_id: str
    kind: str
    name: str
    title_zh: str
    title_en: str
    state: str
    asked_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""


@dataclass(frozen=True)
class Known:
    """By what it shows whether an open question is answered: names that are known, settled, undisputed."""

    facts: frozenset[str]
    anchors: Mapping[str, Anchor]


Topic = tuple[str, str]
"""What a question is about: kind and name."""


def topics(
    incident: Incident, duties: Sequence[Duty], clocks: Iterable[Clock], anchors: Mapping[str, Anchor]
) -> list[Topic]:
    """What has to be found out, in the order in which it matters.

    Only what a duty hangs on is asked: unknown facts of its trigger, facts that sources disagree about, the instant
    that it counts from. What an earlier report's receipt will tell is not asked.
    """
    running = {(clock.pack_id, clock.obligation_id): clock.is_running for clock in _by_occurrence(clocks)}
    open_duties = [duty for duty in duties if running.get((duty.pack_id, duty.obligation_id), True)]
    found: dict[Topic, None] = {}
    for duty in open_duties:
        found |= {(CONTRADICTION, name): None for name in duty.disputed}
        found |= {(FACT, name): None for name in duty.missing if name not in duty.disputed}
        if duty.anchor is None and not duty.anchor_key.startswith(RECEIPT_PREFIX):
            found[ANCHOR, duty.anchor_key] = None
    used = {duty.anchor.name for duty in open_duties if duty.anchor is not None}
    found |= {(DISPUTE, name): None for name, anchor in anchors.items() if anchor.disputed and name in used}
    if incident.is_open and not duties and not any(running.values()):
        found[TRIAGE, incident.kind] = None
    return list(found)


def _by_occurrence(clocks: Iterable[Clock]) -> list[Clock]:
    """The clocks, of a duty that repeats the latest last."""
    return sorted(clocks, key=lambda clock: clock.occurrence)


def settle(
    asked: Iterable[Question], wanted: Iterable[Topic], known: Known, now: datetime, by: str
) -> tuple[list[Question], list[Topic]]:
    """The open questions that end now, and what has to be asked anew."""
    needed = dict.fromkeys(wanted)
    ended: list[Question] = []
    for question in asked:
        if (question.kind, question.name) in needed:
            del needed[question.kind, question.name]
        else:
            state = ANSWERED if _answered(question, known) else LAPSED
            ended.append(replace(question, state=state, answered_at=now, answered_by=by))
    return ended, list(needed)


def _answered(question: Question, known: Known) -> bool:
    if question.kind == TRIAGE:
        return True
    if question.kind in {FACT, CONTRADICTION}:
        return question.name in known.facts
    anchor = known.anchors.get(question.name)
    return anchor is not None and not anchor.disputed
