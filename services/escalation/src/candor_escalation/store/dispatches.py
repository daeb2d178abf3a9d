"""Table dispatch: pages on their way."""

from datetime import timedelta

from candor_escalation.domain.dispatch import Dispatch
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "d.page_id, d.place, d.channel, d.state, d.tries, d.not_before, d.provider_id, d.error, d.answered_at, d.ends"
)


async def insert(connection: Connection, page_id: str, place: int, channel: str, wait: timedelta) -> None:
    """Let a page be sent by a channel after a while; nothing happens where that was said before."""
    await connection.execute(
        "INSERT INTO dispatch (page_id, place, channel, state, not_before)"
        " VALUES (%s, %s, %s, 'waiting', clock_timestamp() + %s) ON CONFLICT DO NOTHING",
        (page_id, place, channel, wait),
    )


async def adopt(connection: Connection, seconds: float) -> None:
    """Let those pages be sent that a process which knew of no dispatches queued and left for so long."""
    await connection.execute(
        "INSERT INTO dispatch (page_id, place, channel, state, not_before)"
        " SELECT p.page_id, 1, '', 'waiting', p.not_before FROM page p WHERE p.state = 'queued'"
        " AND p.not_before <= clock_timestamp() - make_interval(secs => %s)"
        " AND NOT EXISTS (SELECT 1 FROM dispatch d WHERE d.page_id = p.page_id) ON CONFLICT DO NOTHING",
        (seconds,),
    )


async def lease(connection: Connection, limit: int, seconds: float) -> list[Dispatch]:
    """What is to be sent now and nobody else is sending, claimed for a while.

    A process that dies while it sends leaves its claim to run out; the page is then sent again under the same id.
    """
    cursor = await connection.execute(
        "UPDATE dispatch d SET tries = d.tries + 1, leased_until = clock_timestamp() + make_interval(secs => %s)"  # noqa: S608 - a constant
        " WHERE (d.page_id, d.place) IN ("
        "SELECT page_id, place FROM dispatch WHERE state IN ('waiting', 'standing', 'ending')"
        " AND not_before <= clock_timestamp() AND (leased_until IS NULL OR leased_until <= clock_timestamp())"
        " ORDER BY not_before LIMIT %s FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        (seconds, limit),
    )
    return sorted((_dispatch(row) for row in await cursor.fetchall()), key=lambda found: found.not_before)


async def find(connection: Connection, page_id: str, place: int) -> Dispatch | None:
    """A page's dispatch by one channel; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM dispatch d WHERE d.page_id = %s AND d.place = %s",  # noqa: S608 - a constant
        (page_id, place),
    )
    row = await cursor.fetchone()
    return _dispatch(row) if row else None


async def of_incident(connection: Connection, incident_id: str) -> dict[str, list[Dispatch]]:
    """Page id -> its dispatches, in the order of the channels."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM dispatch d JOIN page p USING (page_id)"  # noqa: S608 - a constant
        " WHERE p.incident_id = %s ORDER BY d.page_id, d.place",
        (incident_id,),
    )
    found: dict[str, list[Dispatch]] = {}
    for row in await cursor.fetchall():
        found.setdefault(str(row["page_id"]), []).append(_dispatch(row))
    return found


async def update(connection: Connection, dispatch: Dispatch) -> None:
    """Write what came of it; the claim ends."""
    await connection.execute(
        "UPDATE dispatch SET state = %s, not_before = %s, provider_id = %s, error = %s, answered_at = %s,"
        " ends = %s, leased_until = NULL WHERE page_id = %s AND place = %s",
        (
            dispatch.state, dispatch.not_before, dispatch.provider_id, dispatch.error, dispatch.answered_at,
            dispatch.ends,
            dispatch.page_id, dispatch.place,
        ),
    )  # fmt: skip


async def end(connection: Connection, clock_id: str) -> None:
    """Let providers that keep pages about a clock open be told that they are over."""
    await connection.execute(
        "UPDATE dispatch SET state = 'ending', tries = 0, not_before = clock_timestamp(), leased_until = NULL"
        " WHERE state IN ('taken', 'standing') AND ends"
        " AND page_id IN (SELECT page_id FROM page WHERE clock_id = %s)",
        (clock_id,),
    )


async def withdraw(connection: Connection, clock_id: str) -> None:
    """Let nothing about a clock be sent any more that was queued until now."""
    await connection.execute(
        "UPDATE dispatch SET state = 'withdrawn' WHERE state IN ('waiting', 'standing')"
        " AND page_id IN (SELECT page_id FROM page WHERE clock_id = %s)",
        (clock_id,),
    )


def _dispatch(row: Row) -> Dispatch:
    return Dispatch(
        page_id=str(row["page_id"]),
        place=row["place"],
        channel=row["channel"],
        state=row["state"],
        tries=row["tries"],
        not_before=row["not_before"],
        provider_id=row["provider_id"],
        error=row["error"],
        answered_at=row["answered_at"],
        ends=row["ends"],
    )
