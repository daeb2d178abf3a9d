"""Tasks of the rights service that were answered."""

from __future__ import annotations

from datetime import datetime

from candor_kit.database import Connection


async def proof_of(connection: Connection, task_id: str) -> bytes | None:
    """The proof a task was answered with, or None."""
    cursor = await connection.execute("SELECT proof FROM task WHERE task_id = %s", (task_id,))
    row = await cursor.fetchone()
    return bytes(row["proof"]) if row else None


async def keep(connection: Connection, task_id: str, proof: bytes, at: datetime) -> None:
    """Keep the proof a task is answered with."""
    await connection.execute("INSERT INTO task (task_id, proof, answered_at) VALUES (%s, %s, %s)", (task_id, proof, at))
