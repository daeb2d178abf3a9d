"""A request of a data subject: OPEN, then IN_PROGRESS while the holders work, then CLOSED; or REFUSED with a ground."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from candor_rights.domain.holder import Holder, Right
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import CLOCK_TOLERANCE, BackOff, Proof, Task

GROUND_NOT_VERIFIED = "IDENTITY_NOT_VERIFIED"
"""The ground of a refusal when who asks could not be verified."""


class Regime(StrEnum):
    """Whose law sets the due date."""

    PIPL = "PIPL"
    GDPR = "GDPR"
    CCPA = "CCPA"


class State(StrEnum):
    """Where a request stands."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    CLOSED = "CLOSED"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class DueDate:
    """What the desk works to, and the clause that sets it."""

    strict: datetime
    citation: str


@dataclass(frozen=True)
class Identity:
    """The decision on who asks. `evidence_ref` says where the evidence lies with the backend; it is never here."""

    verified: bool
    method: str
    evidence_ref: str
    decided_at: datetime


@dataclass(frozen=True)
class Request:
    """A request, without who asked: that is sealed beside it.

    Attributes:
        closes_at: Set when every holder has proven a deletion: the request closes then and no earlier, because then the
            last copy is gone.
        erased_at: When this service erased its own data for a deletion.
        forget: The person was erased while this request was under way; who asked is forgotten when it ends.
    """

    request_id: str
    right: Right
    regime: Regime
    state: State
    received_at: datetime
    opened_at: datetime
    due: DueDate
    identity: Identity | None = None
    refusal_ground: str = ""
    closes_at: datetime | None = None
    closed_at: datetime | None = None
    erased_at: datetime | None = None
    forget: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {State.CLOSED, State.REFUSED}


def check_received(received_at: datetime, now: datetime) -> None:
    """The clock of the law starts when the request was received, so that cannot lie ahead.

    Raises:
        Refused: TIME_IN_FUTURE.

    Source: GDPR 12(3)
    """
    if received_at > now + CLOCK_TOLERANCE:
        raise Refused("TIME_IN_FUTURE", "a request cannot be received in the future", field="received_at")


def open_request(
    request_id: str, right: Right, regime: Regime, received_at: datetime, due: DueDate, now: datetime
) -> Request:
    """Return the new request. Who asks is still to be verified; its due date runs from `received_at` all the same.

    Raises:
        Refused: TIME_IN_FUTURE.

    Source: CCPA 7021; PIPL 50
    """
    check_received(received_at, now)
    return Request(request_id, right, regime, State.OPEN, received_at, now, due)


def decide_identity(request: Request, identity: Identity) -> Request:
    """Return the request as decided: IN_PROGRESS when the person is the data subject, REFUSED with a ground when not.

    Raises:
        Refused: IDENTITY_ALREADY_DECIDED; a decision stands, whichever way it went.

    Source: GDPR 12(6); PIPL 50
    """
    if request.identity is not None:
        raise Refused("IDENTITY_ALREADY_DECIDED", f"decided at {request.identity.decided_at.isoformat()}")
    if identity.verified:
        return replace(request, state=State.IN_PROGRESS, identity=identity)
    return replace(request, state=State.REFUSED, identity=identity, refusal_ground=GROUND_NOT_VERIFIED)


def ask_holders(
    request: Request, holders: Sequence[Holder], task_ids: Sequence[str], back_off: BackOff, now: datetime
) -> tuple[Task, ...]:
    """Return one task for every holder of the register that carries out this right.

    The register is taken as it is at this instant: a holder registered later is not asked about an earlier request.

    Raises:
        Refused: HOLDER_UNKNOWN; a request that nobody is asked about would close with nothing done.

    Source: GDPR 19; PIPL 47
    """
    asked = [holder for holder in holders if request.right in holder.rights]
    if not asked:
        raise Refused("HOLDER_UNKNOWN", f"no holder is registered for {request.right}")
    return tuple(
        Task(
            task_id,
            request.request_id,
            holder_id=holder.holder_id,
            holder_kind=holder.kind,
            attempts=1,
            asked_at=now,
            ask_again_at=now + back_off.after(1),
        )
        for task_id, holder in zip(task_ids, asked, strict=False)
    )


def all_answered(tasks: Collection[Task]) -> bool:
    """Whether every holder has answered with a proof."""
    return all(task.proof is not None for task in tasks)


def last_copy_expires_at(proofs: Collection[Proof], own: datetime | None) -> datetime | None:
    """Return when the last of all copies is gone; None when no holder, this service among them, left one.

    Source: PIPL 47
    """
    named = [proof.last_copy_expires_at for proof in proofs if proof.last_copy_expires_at is not None]
    if own is not None:
        named.append(own)
    return max(named, default=None)


def settle(request: Request, tasks: Collection[Task], own_copy_expires_at: datetime | None, now: datetime) -> Request:
    """Return the request once every holder has answered.

    1. A withdrawal or a refusal of training closes: nothing else is to come.
    2. An access request goes on: what the holders hold is still to be put together.
    3. A deletion closes when the last copy that a proof names is gone, and no earlier.

    Source: PIPL 15; PIPL 45; PIPL 47; Generative AI Measures 11
    """
    if not all_answered(tasks):
        return request
    if request.right is Right.ACCESS:  # 2
        return request
    if request.right is not Right.DELETION:  # 1
        return close(request, now)
    proofs = [task.proof for task in tasks if task.proof is not None]  # 3
    expiry = last_copy_expires_at(proofs, own_copy_expires_at)
    erased = replace(request, erased_at=now, closes_at=expiry)
    return erased if expiry is not None and expiry > now else close(erased, now)


def close(request: Request, now: datetime) -> Request:
    """Return the request as closed. The caller MUST NOT close a deletion before its `closes_at`.

    Source: GDPR 12(3)
    """
    if request.closes_at is not None and request.closes_at > now:
        raise ValueError(f"request {request.request_id} closes at {request.closes_at}, not at {now}")
    return replace(request, state=State.CLOSED, closed_at=now)
