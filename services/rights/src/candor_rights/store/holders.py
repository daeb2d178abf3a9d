"""Table holder."""

from datetime import datetime

from candor_rights.domain.holder import Holder, HolderKind, Right
from candor_rights.store import Connection, Row

_COLUMNS = "holder_id, name, kind, rights, address"


async def lock(connection: Connection, holder_id: str) -> Holder | None:
    """The holder, locked; None when it is not registered."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM holder WHERE holder_id = %s FOR UPDATE",  # noqa: S608 - a constant
        (holder_id,),
    )
    row = await cursor.fetchone()
    return _holder(row) if row else None


async def insert(connection: Connection, holder: Holder, now: datetime) -> bool:
    """Add a holder; False when one of that id stands there already."""
    cursor = await connection.execute(
        "INSERT INTO holder (holder_id, name, kind, rights, address, registered_at) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (holder.holder_id, holder.name, holder.kind, sorted(holder.rights), holder.address, now),
    )
    return cursor.rowcount == 1


async def update(connection: Connection, holder: Holder) -> None:
    """Change what may change of a holder."""
    await connection.execute(
        "UPDATE holder SET name = %s, rights = %s, address = %s WHERE holder_id = %s",
        (holder.name, sorted(holder.rights), holder.address, holder.holder_id),
    )


async def every(connection: Connection) -> tuple[Holder, ...]:
    """The whole register, by id."""
    cursor = await connection.execute(f"SELECT {_COLUMNS} FROM holder ORDER BY holder_id")  # noqa: S608 - a constant
    return tuple([_holder(row) async for row in cursor])


def _holder(row: Row) -> Holder:
    rights = frozenset(Right(name) for name in row["rights"])
    return Holder(row["holder_id"], row["name"], HolderKind(row["kind"]), rights, row["address"])
