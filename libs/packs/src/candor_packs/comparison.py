"""What changes for the same facts when one set of packs takes the place of another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from candor_packs.duties import Duty, arising
from candor_packs.explanation import name_of, shown
from candor_packs.model import Pack
from candor_packs.situation import Situation, of_vector


class Change(StrEnum):
    """What happens to a duty."""

    APPEARS = "appears"
    VANISHES = "vanishes"
    MOVES = "moves"
    """One of its two dates is another one."""
    DIFFERS = "differs"
    """Its dates stay; its clause, recipient, or whether it is certain to arise is another one."""


@dataclass(frozen=True)
class Difference:
    """One duty of one situation that comes out otherwise; ``details`` says from what to what."""

    situation: str
    duty: str
    change: Change
    details: tuple[str, ...]


def compare(old: tuple[Pack, ...], new: tuple[Pack, ...], situations: Iterable[Situation]) -> tuple[Difference, ...]:
    """The duties that appear, vanish, move or differ, situation by situation."""
    return tuple(difference for situation in situations for difference in _of(old, new, situation))


def situations_of(packs: Iterable[Pack]) -> tuple[Situation, ...]:
    """The situations of the packs' test vectors, each once."""
    found = (of_vector(pack, vector) for pack in packs for vector in pack.vectors)
    return tuple({repr(situation): situation for situation in found}.values())


def _of(old: tuple[Pack, ...], new: tuple[Pack, ...], situation: Situation) -> Iterator[Difference]:
    before, after = _duties(old, situation), _duties(new, situation)
    for name in sorted(before.keys() | after.keys()):
        was, becomes = before.get(name), after.get(name)
        if was is None or becomes is None:
            there = was or becomes
            change = Change.APPEARS if was is None else Change.VANISHES
            details = (_dates(there), f"clause {there.obligation.citation}") if there else ()
            yield Difference(situation.name, name, change, details)
        elif moved := tuple(_moved(was, becomes)):
            yield Difference(situation.name, name, Change.MOVES, moved)
        elif differing := tuple(_differing(was, becomes)):
            yield Difference(situation.name, name, Change.DIFFERS, differing)


def _duties(packs: tuple[Pack, ...], situation: Situation) -> dict[str, Duty]:
    found = arising(situation.concerned(packs), situation.facts, situation.profile, situation.anchors)
    return {name_of(duty): duty for duty in found}


def _moved(was: Duty, becomes: Duty) -> Iterator[str]:
    for which in ("strict", "latest"):
        before = getattr(was.due, which, None)
        after = getattr(becomes.due, which, None)
        if before != after:
            yield f"{which} {_at(before, was)} -> {_at(after, becomes)}"


def _differing(was: Duty, becomes: Duty) -> Iterator[str]:
    if was.answer is not becomes.answer:
        yield f"arises {was.answer.value} -> {becomes.answer.value}"
    if was.obligation.citation != becomes.obligation.citation:
        yield f"clause {was.obligation.citation} -> {becomes.obligation.citation}"
    if was.obligation.recipient != becomes.obligation.recipient:
        yield f"recipient {_recipient(was)} -> {_recipient(becomes)}"


def _recipient(duty: Duty) -> str:
    return duty.obligation.recipient.en if duty.obligation.recipient else "nobody"


def _dates(duty: Duty | None) -> str:
    if duty is None or duty.due is None:
        return "no date yet"
    return f"strict {_at(duty.due.strict, duty)}, latest {_at(duty.due.latest, duty)}"


def _at(at: datetime | None, duty: Duty) -> str:
    return shown(at, duty.obligation.counting.zone) if at else "none"
