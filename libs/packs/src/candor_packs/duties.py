"""Which duties of which packs arise from what is known, and when each falls due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from candor_packs.counting import Due, due
from candor_packs.pack import Obligation, Pack
from candor_packs.trigger import Answer, Evaluation, Trigger, Value, both


@dataclass(frozen=True)
class Duty:
    """An obligation that arises, or may arise (``answer`` unknown, for want of ``missing``).

    ``anchor`` and ``due`` are absent while the instant it counts from is not known. Where the law gives no number,
    ``due.latest`` is absent and ``due.strict`` follows our own objective.
    """

    pack: Pack
    obligation: Obligation
    answer: Answer
    missing: frozenset[str]
    anchor: str | None
    due: Due | None


def arising(
    packs: tuple[Pack, ...],
    facts: Mapping[str, Value],
    profile: Mapping[str, Value],
    anchors: Mapping[str, datetime],
) -> tuple[Duty, ...]:
    """The duties whose trigger is not false.

    A pack counts for an obligation if it is in force at the obligation's anchor; while the anchor is unknown, if it is
    in force at any of the anchors that are known.
    """
    return tuple(duty for pack in packs for duty in _of_pack(pack, facts, profile, anchors))


def _of_pack(
    pack: Pack, facts: Mapping[str, Value], profile: Mapping[str, Value], anchors: Mapping[str, datetime]
) -> tuple[Duty, ...]:
    known = known_facts(pack, facts, profile)
    common = both(_ask(pack.applies_when, known), _ask(pack.trigger, known))
    if common.answer is Answer.FALSE:
        return ()
    asked = ((obligation, both(common, _ask(obligation.when, known))) for obligation in pack.obligations)
    duties = (_duty(pack, obligation, evaluation, anchors) for obligation, evaluation in asked)
    return tuple(duty for duty in duties if duty is not None)


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


def _duty(pack: Pack, obligation: Obligation, evaluation: Evaluation, anchors: Mapping[str, datetime]) -> Duty | None:
    if evaluation.answer is Answer.FALSE:
        return None
    anchor = _earliest(obligation, anchors)
    instants = [anchors[anchor]] if anchor else list(anchors.values())
    if not any(pack.in_force(at) for at in instants):
        return None
    counted = _due(pack, obligation, anchors[anchor]) if anchor else None
    return Duty(pack, obligation, evaluation.answer, evaluation.missing, anchor, counted)


def _earliest(obligation: Obligation, anchors: Mapping[str, datetime]) -> str | None:
    named = [name for name in (obligation.anchor, *obligation.anchor_also) if name in anchors]
    return min(named, key=lambda name: anchors[name], default=None)


def _due(pack: Pack, obligation: Obligation, anchor: datetime) -> Due:
    counted = due(anchor, obligation.period, pack.counting)
    return counted if obligation.due else Due(counted.strict, None, counted.provisional)
