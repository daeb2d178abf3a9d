"""What is held about a person besides their records: applications, and what they said in appeals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from candor_kit.database import Connection

from candor_generation.domain.unlabelled import Application

_FIRST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Statement:
    """What a user said in an appeal, sealed with the record that it is about."""

    generation_id: str
    appealed_at: datetime
    sealed: bytes
    wrapped_key: bytes


async def applications(
    connection: Connection, subject: str, after: str, limit: int
) -> list[tuple[Application, bytes | None]]:
    """A person's applications for content without an explicit label with their sealed purpose, by id."""
    cursor = await connection.execute(
        "SELECT application_id, subject, product, applied_at, duties_version, granted_at, purpose"
        " FROM unlabelled_application WHERE subject = %s AND application_id > %s::uuid"
        " ORDER BY application_id LIMIT %s",
        (subject, after or _FIRST_ID, limit),
    )
    found = []
    for row in await cursor.fetchall():
        purpose = row.pop("purpose")
        found.append((Application(**{**row, "application_id": str(row["application_id"])}), purpose))
    return found


async def statements(connection: Connection, subject: str, after: str, limit: int) -> list[Statement]:
    """What a person said in appeals, by the id of the generation."""
    cursor = await connection.execute(
        "SELECT generation_id, appealed_at, statement, wrapped_key FROM review JOIN record USING (generation_id)"
        " WHERE subject = %s AND statement IS NOT NULL AND generation_id > %s::uuid ORDER BY generation_id LIMIT %s",
        (subject, after or _FIRST_ID, limit),
    )
    return [
        Statement(str(row["generation_id"]), row["appealed_at"], row["statement"], row["wrapped_key"])
        for row in await cursor.fetchall()
    ]


async def count_applications(connection: Connection, subject: str) -> int:
    """How many applications of a person are held."""
    cursor = await connection.execute(
        "SELECT count(*) AS number FROM unlabelled_application WHERE subject = %s", (subject,)
    )
    row = await cursor.fetchone()
    return int(row["number"]) if row else 0


async def count_statements(connection: Connection, subject: str) -> int:
    """How many appeals of a person hold a statement."""
    cursor = await connection.execute(
        "SELECT count(*) AS number FROM review JOIN record USING (generation_id)"
        " WHERE subject = %s AND statement IS NOT NULL",
        (subject,),
    )
    row = await cursor.fetchone()
    return int(row["number"]) if row else 0
