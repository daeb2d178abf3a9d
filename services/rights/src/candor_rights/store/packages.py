"""Table package."""

from dataclasses import dataclass
from datetime import datetime

from candor_rights.store import Connection, Row

_COLUMNS = "request_id, state, claim_id, failures, wrapped_key, made_at, expires_at"


@dataclass(frozen=True)
class Package:
    """The package of an access request. `state` is PENDING, READY or GONE; `claim_id` names its file."""

    request_id: str
    state: str
    claim_id: str | None
    failures: int
    wrapped_key: bytes | None
    made_at: datetime | None
    expires_at: datetime | None


async def add(connection: Connection, request_id: str, now: datetime) -> None:
    """A package is to be put together."""
    await connection.execute(
        "INSERT INTO package (request_id, state, try_at) VALUES (%s, 'PENDING', %s)", (request_id, now)
    )


async def find(connection: Connection, request_id: str) -> Package | None:
    """The package; None when the request has none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM package WHERE request_id = %s",  # noqa: S608 - a constant
        (request_id,),
    )
    row = await cursor.fetchone()
    return _package(row) if row else None


async def next_pending(connection: Connection, now: datetime) -> str | None:
    """A request whose package is to be put together and that nobody is at, locked with it; None when there is none.

    The request is locked as well, because an erasure must not pass between reading who asked and the claim.
    """
    cursor = await connection.execute(
        "SELECT package.request_id FROM package JOIN request USING (request_id)"
        " WHERE package.state = 'PENDING' AND package.try_at <= %(now)s"
        " AND (package.claimed_until IS NULL OR package.claimed_until <= %(now)s)"
        " ORDER BY package.try_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        {"now": now},
    )
    row = await cursor.fetchone()
    return str(row["request_id"]) if row else None


async def next_expired(connection: Connection, now: datetime) -> str | None:
    """A request whose package has expired, not locked; None when there is none."""
    cursor = await connection.execute(
        "SELECT request_id FROM package WHERE state = 'READY' AND expires_at <= %s ORDER BY expires_at LIMIT 1", (now,)
    )
    row = await cursor.fetchone()
    return str(row["request_id"]) if row else None


async def claim(connection: Connection, request_id: str, claim_id: str, until: datetime) -> None:
    """One attempt at a package begins. Whoever was at it before has lost it."""
    await connection.execute(
        "UPDATE package SET claim_id = %s, claimed_until = %s WHERE request_id = %s", (claim_id, until, request_id)
    )


async def renew(connection: Connection, claim_id: str, until: datetime) -> bool:
    """The attempt goes on; False when it was lost."""
    cursor = await connection.execute(
        "UPDATE package SET claimed_until = %s WHERE claim_id = %s AND state = 'PENDING'", (until, claim_id)
    )
    return cursor.rowcount == 1


async def postpone(connection: Connection, claim_id: str, failures: int, try_at: datetime) -> None:
    """The attempt failed; another is due at `try_at`. Nothing happens when the attempt was lost."""
    await connection.execute(
        "UPDATE package SET failures = %s, try_at = %s, claim_id = NULL, claimed_until = NULL"
        " WHERE claim_id = %s AND state = 'PENDING'",
        (failures, try_at, claim_id),
    )


async def ready(
    connection: Connection, claim_id: str, wrapped_key: bytes, made_at: datetime, expires_at: datetime
) -> bool:
    """The package is complete; False when the attempt was lost."""
    cursor = await connection.execute(
        "UPDATE package SET state = 'READY', wrapped_key = %s, made_at = %s, expires_at = %s"
        " WHERE claim_id = %s AND state = 'PENDING'",
        (wrapped_key, made_at, expires_at, claim_id),
    )
    return cursor.rowcount == 1


async def gone(connection: Connection, request_id: str) -> None:
    """Destroy the key of a package; its file is removed by whoever sweeps the folder.

    Nothing changes when it is gone already.
    """
    await connection.execute(
        "UPDATE package SET state = 'GONE', wrapped_key = NULL, claim_id = NULL"
        " WHERE request_id = %s AND state = 'READY'",
        (request_id,),
    )


async def discard_of_person(connection: Connection, pseudonym: bytes) -> None:
    """Destroy the keys of a person's packages; an attempt under way loses its claim, the next starts from nothing."""
    await connection.execute(
        "UPDATE package SET state = CASE package.state WHEN 'READY' THEN 'GONE' ELSE package.state END,"
        " wrapped_key = NULL, claim_id = NULL, claimed_until = NULL"
        " FROM request WHERE request.request_id = package.request_id AND request.person = %s",
        (pseudonym,),
    )


async def files(connection: Connection) -> frozenset[str]:
    """The names of all files that a package needs, or that an attempt is writing."""
    cursor = await connection.execute("SELECT claim_id FROM package WHERE claim_id IS NOT NULL")
    return frozenset([str(row["claim_id"]) async for row in cursor])


def _package(row: Row) -> Package:
    return Package(
        request_id=str(row["request_id"]),
        state=row["state"],
        claim_id=str(row["claim_id"]) if row["claim_id"] is not None else None,
        failures=row["failures"],
        wrapped_key=row["wrapped_key"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
    )
