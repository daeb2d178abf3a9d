"""A task: one holder is asked to carry out one right of one person, again and again until it answers with a proof."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

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


@dataclass(frozen=True)
class Task:
    """An ask to a holder. `ask_again_at` is absent once it is answered; `attempts` counts from 1."""

    task_id: str
    request_id: str
    holder_id: str
    holder_kind: HolderKind
    attempts: int
    asked_at: datetime
    ask_again_at: datetime | None
    proof: Proof | None = None


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


def answer(task: Task, holder_id: str, proof: Proof, answerer: Answerer, now: datetime) -> Task:
    """Return the task with its answer; the very same task when it had this answer already.

    Raises:
        Refused: WRONG_HOLDER, TASK_ANSWERED, TIME_IN_FUTURE.

    Source: GDPR 19
    """
    if task.holder_id != holder_id:
        raise Refused("WRONG_HOLDER", f"the task was put to {task.holder_id}", field="holder_id")
    _check_authority(task, answerer)
    if task.proof == proof:
        return task
    if task.proof is not None:
        raise Refused("TASK_ANSWERED", "the task has another answer on record", field="proof")
    if proof.completed_at > now + CLOCK_TOLERANCE:
        raise Refused("TIME_IN_FUTURE", "the work cannot be done in the future", field="proof.completed_at")
    return replace(task, proof=proof, ask_again_at=None)


def ask_again(task: Task, back_off: BackOff, now: datetime) -> Task:
    """Return the unanswered task as asked once more.

    Source: PIPL 47
    """
    attempts = task.attempts + 1
    return replace(task, attempts=attempts, asked_at=now, ask_again_at=now + back_off.after(attempts))


def _check_authority(task: Task, answerer: Answerer) -> None:
    """A service answers for itself; a product backend for products, data sets and models, never for a service."""
    if not answerer.name:
        return  # the broker's ACL let it in; which of the writers it is cannot be told
    if answerer.is_service and answerer.name == task.holder_id:
        return
    if answerer.is_backend and task.holder_kind is not HolderKind.SERVICE:
        return
    raise Refused("WRONG_HOLDER", f"the caller may not answer for {task.holder_id}", field="holder_id")
