"""What holders are asked, again and again until they answer with a proof: to carry out one right of one person."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from candor_rights.domain.holder import HolderKind
from candor_rights.domain.refusal import Refused

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a sender's clock may run ahead of ours."""


class Outcome(StrEnum):
    """What a holder did about a task."""

    DONE = "DONE"
    NOTHING_HELD = "NOTHING_HELD"
    RESTRICTED = "RESTRICTED"


@dataclass(frozen=True)
class KindCount:
    """How many items of a kind."""

    kind: str
    count: int


@dataclass(frozen=True)
class Proof:
    """What a holder did, when, and when the last copy of what it deleted is gone (absent: none was left).

    `restriction_basis` and `restricted_until` go with RESTRICTED: kept because the law or a hold requires it, stored
    and protected and not otherwise used (PIPL 47).
    """

    outcome: Outcome
    kinds: tuple[KindCount, ...]
    completed_at: datetime
    last_copy_expires_at: datetime | None = None
    restriction_basis: str = ""
    restricted_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Ask:
    """An ask to a holder. `ask_again_at` is absent once it is answered; `attempts` counts from 1."""

    holder_id: str
    holder_kind: HolderKind
    attempts: int
    asked_at: datetime
    ask_again_at: datetime | None
    proof: Proof | None = None


@dataclass(frozen=True)
class Task(Ask):
    """A holder is asked to carry out the right that a person requested."""

    task_id: str
    request_id: str


A = TypeVar("A", bound=Ask)


@dataclass(frozen=True)
class Answerer:
    """Who answers. `name` is empty when it is not authenticated (a record's `ce_source` is only a claim)."""

    name: str
    is_service: bool
    is_backend: bool


@dataclass(frozen=True)
class BackOff:
    """How long an ask waits for its answer: `first`, doubled with every attempt, at most `longest`."""

    first: timedelta
    longest: timedelta

    def after(self, attempts: int) -> timedelta:
        """How long to wait after the attempt of that number, counted from 1."""
        doublings = min(attempts - 1, 62)
        seconds = min(self.first.total_seconds() * 2**doublings, self.longest.total_seconds())
        return timedelta(seconds=seconds)


def answer(ask: A, holder_id: str, proof: Proof, answerer: Answerer, now: datetime) -> A:
    """Return the ask with its answer; the very same when it had this answer already.

    Raises:
        Refused: WRONG_HOLDER, TASK_ANSWERED, TIME_IN_FUTURE.

    Source: GDPR 19; Generative AI Measures 7
    """
    if ask.holder_id != holder_id:
        raise Refused("WRONG_HOLDER", f"{ask.holder_id} was asked", field="holder_id")
    _check_authority(ask, answerer)
    if ask.proof == proof:
        return ask
    if ask.proof is not None:
        raise Refused("TASK_ANSWERED", "there is another answer on record", field="proof")
    if proof.completed_at > now + CLOCK_TOLERANCE:
        raise Refused("TIME_IN_FUTURE", "the work cannot be done in the future", field="proof.completed_at")
    return replace(ask, proof=proof, ask_again_at=None)


def ask_again(ask: A, back_off: BackOff, now: datetime) -> A:
    """Return the unanswered ask as put once more.

    Source: PIPL 47; Generative AI Measures 7
    """
    attempts = ask.attempts + 1
    return replace(ask, attempts=attempts, asked_at=now, ask_again_at=now + back_off.after(attempts))


def _check_authority(ask: Ask, answerer: Answerer) -> None:
    """A service answers for itself; a product backend for products, data sets and models, never for a service."""
    if not answerer.name:
        return  # the broker's ACL let it in; which of the writers it is cannot be told
    if answerer.is_service and answerer.name == ask.holder_id:
        return
    if answerer.is_backend and ask.holder_kind is not HolderKind.SERVICE:
        return
    raise Refused("WRONG_HOLDER", f"the caller may not answer for {ask.holder_id}", field="holder_id")
