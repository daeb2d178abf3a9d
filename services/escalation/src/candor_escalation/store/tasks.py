"""Table task: asks of the rights service that were answered."""

from datetime import datetime

from candor_escalation.store import Connection


async def proof(connection: Connection, task_id: str) -> bytes | None:
    """The proof that a task was answered with; None when it was not asked before."""
    cursor = await connection.execute("SELECT proof FROM task WHERE task_id = %s", (task_id,))
    row = await cursor.fetchone()
    return bytes(row["proof"]) if row else None


async def insert(connection: Connection, task_id: str, answer: bytes, at: datetime) -> None:
    """Keep the proof that a task was answered with."""
    await connection.execute(
        "INSERT INTO task (task_id, proof, answered_at) VALUES (%s, %s, %s)", (task_id, answer, at)
    )
