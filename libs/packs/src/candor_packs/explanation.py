"""Which duties arise from what is known, and how each date was counted: for a person to read, or a script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from candor_packs.counting import Step, What
from candor_packs.deadline import Part
from candor_packs.duties import Absence, Duty, absent, arising
from candor_packs.model import Pack
from candor_packs.schema import Both
from candor_packs.situation import Situation

_SAYS: Mapping[What, str] = {
    What.STARTS: "the period runs from {at}",
    What.RUNS: "{period} later it is {at}",
    What.HOUR_NOT_COUNTED: "the hour of the event is not counted: {at}",
    What.FIRST_NOT_COUNTED: "the day of the event, {at}, is not counted",
    What.FIRST_COUNTED: "the day of the event, {at}, is day 1",
    What.LAST_DAY: "the last day of {period} is {at}",
    What.ROLLED: "that day is not worked: moved to {at}",
    What.TWO_WORKING_DAYS: "a period of two days or more has two working days: {at}",
    What.ENDS: "it ends at {at}",
    What.ASSUMED: "a calendar on the way is not published: counted as short as it can be",
}
"""What a step says; ``{at}`` is the day or the instant that it comes to."""


@dataclass(frozen=True)
class Question:
    """A fact that nobody knows yet and that decides whether a duty arises."""

    fact: str
    words: Both | None
    source: str
    duties: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """The duties of a situation by what is due first, what to ask, and what does not arise and why."""

    duties: tuple[Duty, ...]
    questions: tuple[Question, ...]
    absences: tuple[Absence, ...]


def explain(packs: tuple[Pack, ...], situation: Situation) -> Explanation:
    """The duties that arise or may arise from a situation."""
    packs = situation.concerned(packs)
    known = (situation.facts, situation.profile, situation.anchors)
    duties = sorted(arising(packs, *known), key=_first)
    return Explanation(tuple(duties), tuple(_questions(duties)), absent(packs, *known))


def name_of(duty: Duty) -> str:
    """``eu.gdpr.33/authority``."""
    return f"{duty.pack.id}/{duty.obligation.id}"


def _first(duty: Duty) -> tuple[bool, datetime, str]:
    due = duty.due.strict if duty.due else datetime.max.replace(tzinfo=UTC)
    return duty.due is None, due, name_of(duty)


def _questions(duties: list[Duty]) -> Iterator[Question]:
    facts = sorted({fact for duty in duties for fact in duty.missing})
    for fact in facts:
        asking = [duty for duty in duties if fact in duty.missing]
        entry = asking[0].pack.facts.get(fact)
        words = Both(zh=entry.zh, en=entry.en) if entry else None
        yield Question(fact, words, entry.source if entry else "incident", tuple(map(name_of, asking)))


def says(step: Step, part: Part, zone: tzinfo) -> str:
    """A step in words, in the zone in which it is counted."""
    at = shown(step.at, zone) if isinstance(step.at, datetime) else day(step.at)
    return _SAYS[step.what].format(at=at, period=f"{part.period.amount} {part.period.unit.replace('_', ' ')}")


def day(at: date) -> str:
    """``Fri 2026-03-06``."""
    return f"{at:%a} {at.isoformat()}"


def shown(at: datetime, zone: tzinfo) -> str:
    """``Fri 2026-03-06 16:20:00+01:00``; the last microsecond of a day is shown as its last second."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.isoformat(' ', 'seconds')}"


def as_data(explanation: Explanation) -> dict[str, Any]:
    """For scripts: plain data, instants in ISO 8601."""
    return {
        "duties": [_duty(duty) for duty in explanation.duties],
        "questions": [
            {"fact": asked.fact, "from": asked.source, "duties": list(asked.duties)} | _words("says", asked.words)
            for asked in explanation.questions
        ],
        "absent": [
            {"pack": gone.pack.id, "version": gone.pack.version, "obligation": gone.obligation.id, "why": gone.why}
            for gone in explanation.absences
        ],
    }


def _words(key: str, words: Both | None) -> dict[str, Any]:
    return {key: {"zh": words.zh, "en": words.en}} if words else {}


def _duty(duty: Duty) -> dict[str, Any]:
    zone = duty.obligation.counting.zone
    due = duty.due
    return {
        "pack": duty.pack.id,
        "version": duty.pack.version,
        "status": duty.pack.status,
        "obligation": duty.obligation.id,
        "citation": duty.obligation.citation,
        "answer": duty.answer.value,
        "missing": sorted(duty.missing),
        "waits_for": [] if due else list(duty.obligation.anchors),
        "anchor": duty.anchor,
        "zone": str(zone),
        "strict": _instants(due.strict if due else None, zone),
        "latest": _instants(due.latest if due else None, zone),
        "legal_number": duty.obligation.due is not None or any(part.cap for part in duty.parts),
        "provisional": due.provisional if due else False,
        "counted": [_part(part) for part in duty.parts],
        **_words("title", duty.obligation.title),
        **_words("recipient", duty.obligation.recipient),
    }


def _instants(at: datetime | None, zone: tzinfo) -> dict[str, str] | None:
    return {"utc": at.isoformat(), "local": at.astimezone(zone).isoformat()} if at else None


def _part(part: Part) -> dict[str, Any]:
    counting = part.counting
    return {
        "anchor": part.anchor,
        "n": part.period.amount,
        "unit": part.period.unit.value,
        "rule": counting.rule.value,
        "calendar": counting.calendar.name if counting.calendar else None,
        "cap": part.cap,
        "lapsed": part.lapsed,
        "steps": [
            {"step": step.what.value, "at": step.at.isoformat(), "source": step.source}
            | {"says": says(step, part, counting.zone)}
            for step in part.count.steps
        ],
    }
