"""Table model_deletion."""

from datetime import datetime

from candor_rights.domain.order import ModelDeletion
from candor_rights.domain.task import Proof
from candor_rights.store import Connection, Row, asks

_COLUMNS = f"order_id, incident_id, ordered_at, {asks.COLUMNS}"


async def insert(connection: Connection, deletion: ModelDeletion) -> bool:
    """Add an order; False where it is there already."""
    cursor = await connection.execute(
        "INSERT INTO model_deletion (order_id, incident_id, ordered_at, holder_id, holder_kind, attempts, asked_at,"
        " ask_again_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            deletion.order_id, deletion.incident_id, deletion.ordered_at, deletion.holder_id, deletion.holder_kind,
            deletion.attempts, deletion.asked_at, deletion.ask_again_at,
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
    await asks.asked(connection, "model_deletion", "order_id", deletion.order_id, deletion)


async def answered(connection: Connection, deletion: ModelDeletion, proof: Proof) -> None:
    """Write the answer."""
    await asks.answered(connection, "model_deletion", "order_id", deletion.order_id, proof)


def _deletion(row: Row) -> ModelDeletion:
    return ModelDeletion(str(row["order_id"]), row["incident_id"], row["ordered_at"], **asks.fields(row))
