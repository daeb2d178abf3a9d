"""How a question about a fact is answered, by the packs that ask it: its type, and the values they tell apart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from candor_packs.pack import Pack
from candor_packs.trigger import Trigger

_TEXT = re.compile(r"""["']([^"']*)["']""")


@dataclass(frozen=True)
class Answering:
    """``kind``: "bool", "number", "text", "texts", or empty: no pack declares the fact. ``choices`` may be none."""

    kind: str = ""
    choices: tuple[str, ...] = ()


def answering(packs: Iterable[Pack], name: str) -> Answering:
    """How a fact is answered. Only texts have choices: what grades are called, and what triggers compare with."""
    asking = [pack for pack in packs if pack.kind == "incident" and name in pack.facts]
    if not asking:
        return Answering()
    kind = asking[0].facts[name].type
    told_apart = (value for pack in asking for value in _values(pack, name))
    return Answering(kind, tuple(dict.fromkeys(told_apart)) if kind == "text" else ())


def _values(pack: Pack, name: str) -> Iterator[str]:
    if pack.grading is not None and pack.grading.into == name:
        yield from (pack.grading.below, *(step.value for step in pack.grading.steps))
    compared = re.compile(rf"""\b{re.escape(name)}\s*(?:[!=]=\s*(["'][^"']*["'])|in\s*\[([^\]]*)\])""")
    for trigger in _triggers(pack):
        for one, several in compared.findall(trigger.source):
            yield from _TEXT.findall(one or several)


def _triggers(pack: Pack) -> Iterator[Trigger]:
    asked = (pack.applies_when, pack.trigger, *(duty.when for duty in pack.obligations))
    return (trigger for trigger in asked if trigger is not None)
