"""Which duties of which packs arise from what is known, and when each falls due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from candor_packs.counting import Counting, Due
from candor_packs.deadline import Deadline, Part, deadline
from candor_packs.model import Obligation, Pack
from candor_packs.trigger import Answer, Evaluation, Trigger, Value, both


@dataclass(frozen=True)
class Duty:
    """An obligation that arises, or may arise (``answer`` unknown, for want of ``missing``).

    ``anchor`` names the instant from which the date is counted that binds: the duty's own, that of its cap, or its own
    last receipt. It and ``due`` are absent while no such instant is known. Where the law gives no number,
    ``due.latest`` is absent and ``due.strict`` follows our own objective.
    """

    pack: Pack
    obligation: Obligation
    answer: Answer
    missing: frozenset[str]
    anchor: str | None
    due: Due | None
    parts: tuple[Part, ...] = ()
    """What was counted to come to ``due``."""


def arising(
    packs: tuple[Pack, ...],
    facts: Mapping[str, Value],
    profile: Mapping[str, Value],
    anchors: Mapping[str, datetime],
) -> tuple[Duty, ...]:
    """The duties whose trigger is not false.

    A pack counts for an obligation if it is in force at the obligation's anchor; while the anchor is unknown, if it is
    in force at any of the anchors that are known. The receipt of an earlier report is an anchor by the name that
    ``model.receipt`` gives it; of a report that repeats, the last receipt.
    """
    return tuple(duty for pack in packs for duty in _of_pack(pack, facts, profile, anchors))


def _of_pack(
    pack: Pack, facts: Mapping[str, Value], profile: Mapping[str, Value], anchors: Mapping[str, datetime]
) -> tuple[Duty, ...]:
    known = known_facts(pack, facts, profile)
    applies = _ask(pack.applies_when, known)
    if applies.answer is Answer.FALSE:
        return ()
    common = both(applies, _ask(pack.trigger, known))
    if common.answer is Answer.FALSE:
        return ()
    asked = ((obligation, both(common, _ask(obligation.when, known))) for obligation in pack.obligations)
    duties = (_duty(pack, obligation, evaluation, known, anchors) for obligation, evaluation in asked)
    return tuple(duty for duty in duties if duty is not None)


@dataclass(frozen=True)
class Absence:
    """An obligation that does not arise, and why."""

    pack: Pack
    obligation: Obligation
    why: str


def absent(
    packs: tuple[Pack, ...],
    facts: Mapping[str, Value],
    profile: Mapping[str, Value],
    anchors: Mapping[str, datetime],
) -> tuple[Absence, ...]:
    """The obligations that ``arising`` leaves out."""
    found = {(duty.pack.id, duty.pack.version, duty.obligation.id) for duty in arising(packs, facts, profile, anchors)}
    return tuple(
        Absence(pack, obligation, _why_not(pack, obligation, known_facts(pack, facts, profile), anchors))
        for pack in packs
        for obligation in pack.obligations
        if (pack.id, pack.version, obligation.id) not in found
    )


def _why_not(pack: Pack, obligation: Obligation, known: Mapping[str, Value], anchors: Mapping[str, datetime]) -> str:
    asked = {"applies_when": pack.applies_when, "trigger": pack.trigger, "when": obligation.when}
    for name, trigger in asked.items():
        if trigger is not None and trigger.evaluate(known).answer is Answer.FALSE:
            return f"{name} is false: {trigger.source}"
    if not any(pack.in_force(at) for at in anchors.values()):
        return f"the pack is in force from {pack.since} to {pack.until or 'further notice'}"
    end = obligation.until
    return f"it ended with {end}" if end in anchors else "the pack is not in force at its anchor"


def known_facts(pack: Pack, facts: Mapping[str, Value], profile: Mapping[str, Value]) -> dict[str, Value]:
    """What a pack may see: each declared fact from where the pack says, with the type it says."""
    known: dict[str, Value] = {"kind": facts["kind"]} if "kind" in facts else {}
    for name, declared in pack.facts.items():
        value = (profile if declared.source == "profile" else facts).get(name)
        if value is not None and _is(value, declared.type):
            known[name] = value
    return known | _graded(pack, known)


def _graded(pack: Pack, known: Mapping[str, Value]) -> dict[str, Value]:
    """The grade that follows from the number, unless a person recorded one."""
    grading = pack.grading
    if grading is None or grading.into in known:
        return {}
    number = known.get(grading.fact)
    if number is None or isinstance(number, (str, tuple)):
        return {}
    reached = [step.value for step in grading.steps if number >= step.at_least]
    return {grading.into: reached[-1] if reached else grading.below}


def _is(value: Value, declared: str) -> bool:
    if isinstance(value, bool):
        return declared == "bool"
    if isinstance(value, (int, float)):
        return declared == "number"
    return declared == ("text" if isinstance(value, str) else "texts")


def _ask(trigger: Trigger | None, known: Mapping[str, Value]) -> Evaluation:
    return Evaluation(Answer.TRUE) if trigger is None else trigger.evaluate(known)


def _duty(
    pack: Pack,
    obligation: Obligation,
    evaluation: Evaluation,
    known: Mapping[str, Value],
    anchors: Mapping[str, datetime],
) -> Duty | None:
    if evaluation.answer is Answer.FALSE:
        return None
    found = deadline(pack.id, obligation, settled(obligation, known), anchors)
    instants = [anchors[found.anchor]] if found else list(anchors.values())
    if not any(pack.in_force(at) for at in instants) or _over(obligation, found, anchors):
        return None
    if found is None:
        return Duty(pack, obligation, evaluation.answer, evaluation.missing, None, None)
    return Duty(pack, obligation, evaluation.answer, evaluation.missing, found.anchor, found.due, found.parts)


def settled(obligation: Obligation, known: Mapping[str, Value]) -> Counting:
    """How the obligation counts, given what is known: the calendar may follow from a fact."""
    choice = obligation.counting.choice
    return obligation.counting.settled(known.get(choice.fact) if choice else None)


def _over(obligation: Obligation, found: Deadline | None, anchors: Mapping[str, datetime]) -> bool:
    """Whether a duty that repeats has come to its end: what fell due before it is still owed."""
    end = anchors.get(obligation.until) if obligation.until else None
    return end is not None and (found is None or end <= found.due.strict)
