"""Table task."""

from collections.abc import Iterable
from datetime import datetime

from candor_rights.domain.task import Proof, Task
from candor_rights.store import Connection, Row, asks

_COLUMNS = f"task_id, request_id, {asks.COLUMNS}"


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
    await asks.asked(connection, "task", "task_id", task.task_id, task)


async def answered(connection: Connection, task: Task, proof: Proof) -> None:
    """Write the answer of a task."""
    await asks.answered(connection, "task", "task_id", task.task_id, proof)


def _task(row: Row) -> Task:
    return Task(str(row["task_id"]), str(row["request_id"]), **asks.fields(row))
