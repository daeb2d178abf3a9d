"""Table model_deletion."""

from datetime import datetime

from psycopg.types.json import Jsonb

from candor_rights.domain.order import ModelDeletion
from candor_rights.domain.task import Proof
from candor_rights.store import Connection, Row
from candor_rights.store.tasks import proof_of

_COLUMNS = (
    "order_id, incident_id, holder_id, ordered_at, attempts, asked_at, ask_again_at, outcome, kinds, completed_at,"
    " last_copy_expires_at, restriction_basis, restricted_until"
)


async def insert(connection: Connection, deletion: ModelDeletion) -> bool:
    """Add an order; False where it is there already."""
    cursor = await connection.execute(
        "INSERT INTO model_deletion (order_id, incident_id, holder_id, ordered_at, attempts, asked_at, ask_again_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            deletion.order_id, deletion.incident_id, deletion.holder_id, deletion.ordered_at, deletion.attempts,
            deletion.asked_at, deletion.ask_again_at,
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


async def lock(connection: Connection, order_id: str) -> ModelDeletion | None:
    """The order, locked; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM model_deletion WHERE order_id = %s FOR UPDATE",  # noqa: S608 - a constant
        (order_id,),
    )
    row = await cursor.fetchone()
    return _deletion(row) if row else None


async def latest(connection: Connection) -> list[ModelDeletion]:
    """Every order, the latest in front."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM model_deletion ORDER BY ordered_at DESC, order_id DESC"  # noqa: S608 - a constant
    )
    return [_deletion(row) async for row in cursor]


async def next_unanswered(connection: Connection, now: datetime) -> ModelDeletion | None:
    """An order that waits for its answer too long, locked; what another transaction holds is skipped."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM model_deletion WHERE ask_again_at <= %s"  # noqa: S608 - a constant
        " ORDER BY ask_again_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        (now,),
    )
    row = await cursor.fetchone()
    return _deletion(row) if row else None


async def asked(connection: Connection, deletion: ModelDeletion) -> None:
    """Write that the holder was asked once more."""
    await connection.execute(
        "UPDATE model_deletion SET attempts = %s, asked_at = %s, ask_again_at = %s WHERE order_id = %s",
        (deletion.attempts, deletion.asked_at, deletion.ask_again_at, deletion.order_id),
    )


async def answered(connection: Connection, deletion: ModelDeletion, proof: Proof) -> None:
    """Write the answer."""
    await connection.execute(
        "UPDATE model_deletion SET ask_again_at = NULL, outcome = %s, kinds = %s, completed_at = %s,"
        " last_copy_expires_at = %s, restriction_basis = %s, restricted_until = %s WHERE order_id = %s",
        (
            proof.outcome, Jsonb([[kind.kind, kind.count] for kind in proof.kinds]), proof.completed_at,
            proof.last_copy_expires_at, proof.restriction_basis, proof.restricted_until, deletion.order_id,
        ),
    )  # fmt: skip


def _deletion(row: Row) -> ModelDeletion:
    return ModelDeletion(
        order_id=str(row["order_id"]),
        incident_id=row["incident_id"],
        holder_id=row["holder_id"],
        ordered_at=row["ordered_at"],
        attempts=row["attempts"],
        asked_at=row["asked_at"],
        ask_again_at=row["ask_again_at"],
        proof=proof_of(row) if row["outcome"] is not None else None,
    )
