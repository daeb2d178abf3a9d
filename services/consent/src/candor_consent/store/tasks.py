"""Tasks that were carried out, with their proofs."""

from __future__ import annotations

from datetime import datetime

from candor_kit.database import Connection


async def proof_of(connection: Connection, task_id: str) -> bytes | None:
    """Return the proof that a task was answered with, or None when it is new."""
    cursor = await connection.execute("SELECT proof FROM task WHERE task_id = %s", (task_id,))
    row = await cursor.fetchone()
    return bytes(row["proof"]) if row else None


async def remember(connection: Connection, task_id: str, proof: bytes, answered_at: datetime) -> None:
    """Keep the proof, so that the same is given again."""
    await connection.execute(
        "INSERT INTO task (task_id, proof, answered_at) VALUES (%s, %s, %s)", (task_id, proof, answered_at)
    )
