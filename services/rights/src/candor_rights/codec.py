"""Protobuf to domain and back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from candor.rights.v1 import facts_pb2, model_pb2, order_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from candor_rights.domain.holder import Holder, HolderKind, Right
from candor_rights.domain.order import ModelDeletion
from candor_rights.domain.request import Regime, Request, State
from candor_rights.domain.task import KindCount, Outcome, Proof, Task

_NANOS_PER_MICRO = 1000


def timestamp(at: datetime | None) -> Timestamp | None:
    """An instant on the wire; None stays absent."""
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def instant(stamp: Timestamp) -> datetime:
    """An instant off the wire, UTC, cut to the microsecond that PostgreSQL holds."""
    return datetime.fromtimestamp(stamp.seconds, UTC).replace(microsecond=stamp.nanos // _NANOS_PER_MICRO)


def right_of(value: model_pb2.Right.ValueType) -> Right:
    """RIGHT_ACCESS to ACCESS."""
    return Right(model_pb2.Right.Name(value).removeprefix("RIGHT_"))


def regime_of(value: model_pb2.Regime.ValueType) -> Regime:
    """REGIME_PIPL to PIPL."""
    return Regime(model_pb2.Regime.Name(value).removeprefix("REGIME_"))


def holder_kind_of(value: model_pb2.HolderKind.ValueType) -> HolderKind:
    """HOLDER_KIND_MODEL to MODEL."""
    return HolderKind(model_pb2.HolderKind.Name(value).removeprefix("HOLDER_KIND_"))


def wire_right(right: Right) -> model_pb2.Right.ValueType:
    """ACCESS to RIGHT_ACCESS."""
    return model_pb2.Right.Value(f"RIGHT_{right}")


def wire_state(state: State) -> model_pb2.RequestState.ValueType:
    """OPEN to REQUEST_STATE_OPEN."""
    return model_pb2.RequestState.Value(f"REQUEST_STATE_{state}")


def proof_of(wire: model_pb2.Proof) -> Proof:
    """A proof off the wire."""
    return Proof(
        outcome=Outcome(model_pb2.Outcome.Name(wire.outcome).removeprefix("OUTCOME_")),
        kinds=tuple(KindCount(kind.kind, kind.count) for kind in wire.kinds),
        completed_at=instant(wire.completed_at),
        last_copy_expires_at=instant(wire.last_copy_expires_at) if wire.HasField("last_copy_expires_at") else None,
        restriction_basis=wire.restriction_basis,
        restricted_until=instant(wire.restricted_until) if wire.HasField("restricted_until") else None,
    )


def wire_proof(proof: Proof) -> model_pb2.Proof:
    """A proof on the wire."""
    return model_pb2.Proof(
        outcome=model_pb2.Outcome.Value(f"OUTCOME_{proof.outcome}"),
        kinds=[model_pb2.KindCount(kind=kind.kind, count=kind.count) for kind in proof.kinds],
        completed_at=timestamp(proof.completed_at),
        last_copy_expires_at=timestamp(proof.last_copy_expires_at),
        restriction_basis=proof.restriction_basis,
        restricted_until=timestamp(proof.restricted_until),
    )


def wire_holder(holder: Holder) -> model_pb2.Holder:
    """A holder on the wire."""
    return model_pb2.Holder(
        holder_id=holder.holder_id,
        name=holder.name,
        kind=model_pb2.HolderKind.Value(f"HOLDER_KIND_{holder.kind}"),
        rights=[wire_right(right) for right in sorted(holder.rights)],
        address=holder.address,
    )


def wire_task(task: Task) -> model_pb2.Task:
    """A task on the wire."""
    return model_pb2.Task(
        task_id=task.task_id,
        holder_id=task.holder_id,
        attempts=task.attempts,
        asked_at=timestamp(task.asked_at),
        proof=wire_proof(task.proof) if task.proof is not None else None,
    )


def wire_deletion(deletion: ModelDeletion) -> order_pb2.ModelDeletion:
    """An order to delete a model."""
    return order_pb2.ModelDeletion(
        order_id=deletion.order_id,
        incident_id=deletion.incident_id,
        holder_id=deletion.holder_id,
        ordered_at=timestamp(deletion.ordered_at),
        attempts=deletion.attempts,
        asked_at=timestamp(deletion.asked_at),
        proof=wire_proof(deletion.proof) if deletion.proof else None,
    )


def wire_summary(request: Request, tasks: int, tasks_answered: int) -> model_pb2.RequestSummary:
    """A request as a list shows it."""
    return model_pb2.RequestSummary(
        request_id=request.request_id,
        right=wire_right(request.right),
        regime=_wire_regime(request.regime),
        state=wire_state(request.state),
        received_at=timestamp(request.received_at),
        strict_due=timestamp(request.due.strict),
        citation=request.due.citation,
        tasks=tasks,
        tasks_answered=tasks_answered,
        closed_at=timestamp(request.closed_at),
    )


def holder_registered(holder: Holder) -> facts_pb2.HolderRegistered:
    """The fact."""
    return facts_pb2.HolderRegistered(holder=wire_holder(holder))


def request_opened(request: Request) -> facts_pb2.RequestOpened:
    """The fact."""
    return facts_pb2.RequestOpened(
        request_id=request.request_id,
        right=wire_right(request.right),
        regime=_wire_regime(request.regime),
        received_at=timestamp(request.received_at),
        strict_due=timestamp(request.due.strict),
    )


def identity_verified(request: Request) -> facts_pb2.IdentityVerified:
    """The fact; only for a request whose identity was verified."""
    if request.identity is None:
        raise ValueError("the identity is not decided")
    return facts_pb2.IdentityVerified(
        request_id=request.request_id,
        method=request.identity.method,
        verified_at=timestamp(request.identity.decided_at),
    )


def request_refused(request: Request) -> facts_pb2.RequestRefused:
    """The fact; only for a request that was refused."""
    if request.identity is None:
        raise ValueError("the identity is not decided")
    return facts_pb2.RequestRefused(
        request_id=request.request_id,
        ground=request.refusal_ground,
        refused_at=timestamp(request.identity.decided_at),
    )


def task_asked(task: Task, request: Request, subject: str) -> facts_pb2.TaskAsked:
    """The ask. A deletion covers what was made until the person was verified, however often a holder is asked."""
    if request.identity is None:
        raise ValueError("the identity is not decided")
    return facts_pb2.TaskAsked(
        task_id=task.task_id,
        request_id=task.request_id,
        holder_id=task.holder_id,
        right=wire_right(request.right),
        subject=subject,
        requested_at=timestamp(request.identity.decided_at),
        attempt=task.attempts,
    )


def task_answered(task: Task, proof: Proof) -> facts_pb2.TaskAnswered:
    """The fact."""
    return facts_pb2.TaskAnswered(
        task_id=task.task_id, request_id=task.request_id, holder_id=task.holder_id, proof=wire_proof(proof)
    )


def request_closed(request: Request) -> facts_pb2.RequestClosed:
    """The fact."""
    return facts_pb2.RequestClosed(
        request_id=request.request_id,
        right=wire_right(request.right),
        closed_at=timestamp(request.closed_at),
        strict_due=timestamp(request.due.strict),
        last_copy_expires_at=timestamp(request.closes_at),
    )


def holders(register: Sequence[Holder]) -> list[model_pb2.Holder]:
    """The register on the wire."""
    return [wire_holder(holder) for holder in register]


def _wire_regime(regime: Regime) -> model_pb2.Regime.ValueType:
    return model_pb2.Regime.Value(f"REGIME_{regime}")
