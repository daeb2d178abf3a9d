"""Transfers of technology: screened against catalogues of what may not, or only with a licence, leave a country."""

from collections.abc import Iterable
from dataclasses import dataclass

from candor_escalation.domain.refusal import Refused

CLEAR = "clear"
DECISION_NEEDED = "decision_needed"
PROHIBITED = "prohibited"
ALLOWED = "allowed"
TURNED_DOWN = "refused"


@dataclass(frozen=True)
class Item:
    """An item of a catalogue: what leaves ``origin`` only with a licence, or never. ``words`` are lower case."""

    number: str
    title: str
    citation: str
    origin: str
    prohibited: bool
    words: tuple[str, ...]


def concerned(technology: str, origin: str, destination: str, catalogue: Iterable[Item]) -> list[Item]:
    """The items that a transfer may concern. Words only suggest: a person decides.

    Source: Technology Import and Export Regulations 29
    """
    if origin == destination:
        return []
    text = technology.lower()
    return [item for item in catalogue if item.origin == origin and any(word in text for word in item.words)]


def screened(items: Iterable[Item]) -> str:
    """What follows from the items that may be concerned.

    Source: Technology Import and Export Regulations 29
    """
    found = [item.prohibited for item in items]
    if any(found):
        return PROHIBITED
    return DECISION_NEEDED if found else CLEAR


def decide(state: str, screened_by: str, decided_by: str, *, allow: bool, licence: str) -> str:
    """The outcome after a person's decision; another person than who asked for the screening.

    Source: Technology Import and Export Regulations 30

    Raises:
        Refused: ENTRY_DECIDED, SAME_PERSON, or ENTRY_INCOMPLETE where a licence is needed and none is named.
    """
    if state not in {DECISION_NEEDED, PROHIBITED}:
        raise Refused("ENTRY_DECIDED", f"the transfer is {state}: there is nothing to decide", field="entry_id")
    if screened_by == decided_by:
        raise Refused("SAME_PERSON", "another person than the one who asked for the screening decides")
    if not allow:
        return TURNED_DOWN
    if state == PROHIBITED:
        raise Refused("ENTRY_DECIDED", "a prohibited technology cannot be allowed", field="allow")
    if not licence.strip():
        raise Refused("ENTRY_INCOMPLETE", "name the licence, or why none is needed", field="licence")
    return ALLOWED
