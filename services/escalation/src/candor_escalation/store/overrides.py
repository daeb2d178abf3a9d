"""Table oncall_override. None is ever deleted: who was on call then must be told years later."""

from datetime import datetime

from candor_escalation.domain.rotation import Override
from candor_escalation.store import Connection, Row

_COLUMNS = "override_id, schedule, contact, starts_at, ends_at, made_at, made_by, reason, ended_at, ended_by"


async def insert(connection: Connection, override: Override) -> None:
    """Add an override."""
    await connection.execute(
        f"INSERT INTO oncall_override ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",  # noqa: S608 - a constant
        (
            override.override_id, override.schedule, override.contact, override.starts_at, override.ends_at,
            override.made_at, override.made_by, override.reason, override.ended_at, override.ended_by,
        ),
    )  # fmt: skip


async def lock(connection: Connection, override_id: str) -> Override | None:
    """An override, locked; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM oncall_override WHERE override_id = %s FOR UPDATE",  # noqa: S608 - a constant
        (override_id,),
    )
    row = await cursor.fetchone()
    return _override(row) if row else None


async def end(connection: Connection, override: Override) -> None:
    """Write that it was ended."""
    await connection.execute(
        "UPDATE oncall_override SET ended_at = %s, ended_by = %s WHERE override_id = %s",
        (override.ended_at, override.ended_by, override.override_id),
    )


async def between(connection: Connection, start: datetime, end: datetime) -> list[Override]:
    """The overrides that lie, at least in part, between two instants (both included), in the order they were made."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM oncall_override"  # noqa: S608 - a constant
        " WHERE ends_at > %s AND starts_at <= %s ORDER BY made_at, override_id",
        (start, end),
    )
    return [_override(row) for row in await cursor.fetchall()]


def _override(row: Row) -> Override:
    return Override(
        override_id=str(row["override_id"]),
        schedule=row["schedule"],
        contact=row["contact"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        reason=row["reason"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )
