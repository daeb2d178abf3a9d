"""Table task."""

from collections.abc import Iterable
from datetime import datetime

from psycopg.types.json import Jsonb

from candor_rights.domain.holder import HolderKind
from candor_rights.domain.task import KindCount, Outcome, Proof, Task
from candor_rights.store import Connection, Row

_COLUMNS = (
    "task_id, request_id, holder_id, holder_kind, attempts, asked_at, ask_again_at, outcome, kinds, completed_at,"
    " last_copy_expires_at, restriction_basis, restricted_until"
)


async def insert(connection: Connection, tasks: Iterable[Task]) -> None:
    """Add unanswered tasks."""
    rows = [
        (
            task.task_id,
            task.request_id,
            task.holder_id,
            task.holder_kind,
            task.attempts,
            task.asked_at,
            task.ask_again_at,
        )
        for task in tasks
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO task (task_id, request_id, holder_id, holder_kind, attempts, asked_at, ask_again_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


async def request_of(connection: Connection, task_id: str) -> str | None:
    """The request that a task belongs to; None when there is no such task. It never changes, so nothing is locked."""
    cursor = await connection.execute("SELECT request_id FROM task WHERE task_id = %s", (task_id,))
    row = await cursor.fetchone()
    return str(row["request_id"]) if row else None


async def of_request(connection: Connection, request_id: str) -> tuple[Task, ...]:
    """The tasks of a request, by holder. Lock the request first when something is to be decided on them."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM task WHERE request_id = %s ORDER BY holder_id",  # noqa: S608 - a constant
        (request_id,),
    )
    return tuple([_task(row) async for row in cursor])


async def next_unanswered(connection: Connection, now: datetime) -> Task | None:
    """A task that waits for its answer too long, locked with its request; None when there is none.

    Skips what another transaction holds: an answer that is just coming in, or another sweeper.
    """
    columns = ", ".join(f"task.{column.strip()}" for column in _COLUMNS.split(","))
    cursor = await connection.execute(
        f"SELECT {columns} FROM task JOIN request USING (request_id) WHERE task.ask_again_at <= %s"  # noqa: S608
        " ORDER BY task.ask_again_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        (now,),
    )
    row = await cursor.fetchone()
    return _task(row) if row else None


async def asked(connection: Connection, task: Task) -> None:
    """Write that a task was asked once more."""
    await connection.execute(
        "UPDATE task SET attempts = %s, asked_at = %s, ask_again_at = %s WHERE task_id = %s",
        (task.attempts, task.asked_at, task.ask_again_at, task.task_id),
    )


async def answered(connection: Connection, task: Task, proof: Proof) -> None:
    """Write the answer of a task."""
    await connection.execute(
        "UPDATE task SET ask_again_at = NULL, outcome = %s, kinds = %s, completed_at = %s, last_copy_expires_at = %s,"
        " restriction_basis = %s, restricted_until = %s WHERE task_id = %s",
        (
            proof.outcome, Jsonb([[kind.kind, kind.count] for kind in proof.kinds]), proof.completed_at,
            proof.last_copy_expires_at, proof.restriction_basis, proof.restricted_until, task.task_id,
        ),
    )  # fmt: skip


def _task(row: Row) -> Task:
    return Task(
        task_id=str(row["task_id"]),
        request_id=str(row["request_id"]),
        holder_id=row["holder_id"],
        holder_kind=HolderKind(row["holder_kind"]),
        attempts=row["attempts"],
        asked_at=row["asked_at"],
        ask_again_at=row["ask_again_at"],
        proof=proof_of(row) if row["outcome"] is not None else None,
    )


def proof_of(row: Row) -> Proof:
    """The proof in a row that was answered."""
    return Proof(
        outcome=Outcome(row["outcome"]),
        kinds=tuple(KindCount(kind, count) for kind, count in row["kinds"]),
        completed_at=row["completed_at"],
        last_copy_expires_at=row["last_copy_expires_at"],
        restriction_basis=row["restriction_basis"],
        restricted_until=row["restricted_until"],
    )
