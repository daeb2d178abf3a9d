"""Legal holds: what has to be kept although its erasure is asked for, on what ground, and until when.

A hold does nothing until an erasure comes. What it covers is then restricted: stored and protected, and not used. When
no hold keeps it any more, the erasure is carried out.

Source: PIPL 47; GDPR 17(3); GDPR 18(2)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from candor_generation.domain.refusal import Refused

_LONGEST_BASIS = 500


class State(StrEnum):
    """Where a hold stands. Ended: what it kept is being erased."""

    ACTIVE = "active"
    ENDED = "ended"
    EXECUTED = "executed"


@dataclass(frozen=True)
class Hold:
    """One hold. It covers everything of one person, or the generations that are named.

    Attributes:
        of_subject: whether it covers a person.
        generations: how many generations are named.
        released_at: when it was ended before `until`, if it was.
        executed_at: when what it alone kept was erased.
        restricted: how many records it keeps restricted.
    """

    hold_id: str
    of_subject: bool
    incident_id: str
    reason: str
    citation: str
    placed_by: str
    placed_at: datetime
    until: datetime
    released_at: datetime | None = None
    executed_at: datetime | None = None
    generations: int = 0
    restricted: int = 0

    def state(self, now: datetime) -> State:
        """Where it stands at a moment."""
        if self.executed_at is not None:
            return State.EXECUTED
        return State.ENDED if self.released_at is not None or self.until <= now else State.ACTIVE


def place(hold: Hold, now: datetime) -> Hold:
    """A new hold.

    Raises:
        Refused: HOLD_TIME_PAST.

    Source: PIPL 47; GDPR 17(3)
    """
    if hold.until <= now:
        raise Refused("HOLD_TIME_PAST", "a hold ends in the future", field="until")
    return hold


def widen(hold: Hold, asked: Hold, now: datetime) -> Hold:
    """A hold that is placed again: it lasts until the later of both times, and is never shortened by it.

    Raises:
        Refused: HOLD_TIME_PAST; HOLD_STATE, it has ended, or covers another scope.

    Source: PIPL 47; GDPR 17(3)
    """
    place(asked, now)
    if hold.state(now) is not State.ACTIVE:
        raise Refused("HOLD_STATE", "the hold has ended; what it kept is erased", field="hold_id")
    if hold.of_subject != asked.of_subject or hold.incident_id != asked.incident_id:
        raise Refused("HOLD_STATE", "the hold covers another scope", field="hold_id")
    return replace(hold, until=max(hold.until, asked.until), reason=asked.reason, citation=asked.citation)


def release(hold: Hold, now: datetime) -> Hold:
    """End a hold before its time.

    Raises:
        Refused: HOLD_STATE, it has ended.

    Source: PIPL 47; GDPR 17(3)
    """
    if hold.state(now) is not State.ACTIVE:
        raise Refused("HOLD_STATE", "the hold has ended", field="hold_id")
    return replace(hold, released_at=now)


@dataclass(frozen=True)
class Restriction:
    """Why something is kept although its erasure is asked for, and until when; `until` is None where nothing is."""

    grounds: tuple[str, ...] = ()
    until: datetime | None = None

    def also(self, ground: str, until: datetime) -> Restriction:
        """This, and another ground."""
        return Restriction((*self.grounds, ground), max(until, self.until or until))

    @property
    def basis(self) -> str:
        """The clauses, each once, 500 characters at most."""
        return "; ".join(dict.fromkeys(self.grounds))[:_LONGEST_BASIS]


def restriction(holds: Iterable[Hold]) -> Restriction:
    """What several holds say: every ground, and the time when the last one ends.

    Source: PIPL 47; GDPR 17(3); GDPR 18(2)
    """
    found = Restriction()
    for hold in sorted(holds, key=lambda hold: (hold.placed_at, hold.hold_id)):
        found = found.also(hold.citation, hold.until)
    return found
