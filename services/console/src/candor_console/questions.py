"""Questions of the duty officer's: which clocks hang on each, and what became of clocks by an answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation

from candor_console.rendering import enum

RUNNING, FALLEN = model.CLOCK_STATE_RUNNING, model.CLOCK_STATE_FALLEN
_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the page: of which incident, what sources say, and the clocks it holds, the earliest in front."""

    question: model.Question
    incident: model.Incident
    held: Sequence[model.Clock]
    said: Sequence[model.IncidentFact]

    @property
    def kind(self) -> str:
        """In a word: "fact", "contradiction", "anchor", "dispute", "triage"."""
        return enum(self.question, "kind").removeprefix("QUESTION_KIND_").lower()


@dataclass(frozen=True, slots=True)
class News:
    """What became of clocks by an answer."""

    rose: Sequence[model.Clock] = ()
    fell: Sequence[model.Clock] = ()
    moved: Sequence[model.Clock] = ()


def asked_of(found: escalation.GetIncidentResponse) -> list[Asked]:
    """The open questions of an incident, in the order in which clocks hang on them."""
    return sorted(
        (asked_about(one, found) for one in found.questions if one.state == model.QUESTION_STATE_OPEN), key=order
    )


def order(asked: Asked) -> tuple[int, int, str]:
    """In front what the earliest clock hangs on, then the oldest."""
    due = asked.held[0].strict_due.ToNanoseconds() if asked.held else _NEVER
    return due, asked.question.asked_at.ToNanoseconds(), asked.question.question_id


def asked_about(question: model.Question, found: escalation.GetIncidentResponse) -> Asked:
    """A question with what hangs on it."""
    held = [clock for clock in found.clocks if clock.state == RUNNING and hangs(clock, question)]
    said = [fact for fact in found.facts if fact.disputed and fact.name == question.name]
    contradicted = question.kind == model.QUESTION_KIND_CONTRADICTION
    return Asked(
        question,
        found.incident,
        sorted(held, key=lambda clock: (clock.strict_due.ToNanoseconds(), clock.clock_id)),
        said if contradicted else (),
    )


def hangs(clock: model.Clock, question: model.Question) -> bool:
    """Whether a clock runs on the shortest assumption about what is asked."""
    if question.kind == model.QUESTION_KIND_FACT:
        return question.name in clock.unknown
    if question.kind == model.QUESTION_KIND_CONTRADICTION:
        return question.name in clock.disputed
    return question.kind == model.QUESTION_KIND_DISPUTE and clock.anchor_disputed and clock.anchor.name == question.name


def news_of(before: Iterable[model.Clock], after: Iterable[model.Clock]) -> News:
    """Which clocks run that did not, which duties do not arise that did, which fall due at another time."""
    known = {clock.clock_id: clock for clock in before}
    ran = {clock_id for clock_id, clock in known.items() if clock.state == RUNNING}
    now = list(after)
    return News(
        rose=[clock for clock in now if clock.state == RUNNING and clock.clock_id not in ran],
        fell=[clock for clock in now if clock.state == FALLEN and clock.clock_id in ran],
        moved=[
            clock
            for clock in now
            if clock.state == RUNNING and clock.clock_id in ran and clock.strict_due != known[clock.clock_id].strict_due
        ],
    )


def news_told(told: Mapping[str, str], found: escalation.GetIncidentResponse) -> News:
    """What an address says became of clocks of an incident, as far as it is still so."""

    def named(name: str, state: model.ClockState.ValueType) -> list[model.Clock]:
        identifiers = set(told.get(name, "").split(","))
        return [clock for clock in found.clocks if clock.clock_id in identifiers and clock.state == state]

    return News(named("rose", RUNNING), named("fell", FALLEN), named("moved", RUNNING))


def told_of(news: News) -> dict[str, str]:
    """As an address says it: what `news_told` reads."""
    parts = (("rose", news.rose), ("fell", news.fell), ("moved", news.moved))
    return {name: ",".join(clock.clock_id for clock in clocks) for name, clocks in parts if clocks}
