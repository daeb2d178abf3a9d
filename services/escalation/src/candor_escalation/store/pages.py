"""Table page."""

from collections.abc import Sequence
from typing import LiteralString

from candor_escalation.domain.paging import Page
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "p.page_id, p.incident_id, p.clock_id, p.cause, p.contact, p.level, p.round, p.state, p.sent_at,"
    " p.delivered, p.provider_answer, p.answer_by, p.acknowledged_at, p.acknowledged_by, p.channel, p.unconfirmed,"
    " p.acknowledged_until, p.schedule"
)


async def insert(connection: Connection, page: Page) -> None:
    """Queue a page."""
    await connection.execute(
        "INSERT INTO page (page_id, incident_id, clock_id, cause, contact, level, round, state, schedule, not_before)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp() + %s)",
        (
            page.page_id, page.incident_id, page.clock_id, page.cause, page.contact, page.level, page.round, page.state,
            page.schedule, page.wait,
        ),
    )  # fmt: skip


async def update(connection: Connection, page: Page) -> None:
    """Write what can change of a page."""
    await connection.execute(
        "UPDATE page SET state = %s, sent_at = %s, delivered = %s, provider_answer = %s, answer_by = %s,"
        " acknowledged_at = %s, acknowledged_by = %s, channel = %s, unconfirmed = %s, acknowledged_until = %s"
        " WHERE page_id = %s",
        (
            page.state, page.sent_at, page.delivered, page.provider_answer, page.answer_by, page.acknowledged_at,
            page.acknowledged_by, page.channel, page.unconfirmed, page.acknowledged_until, page.page_id,
        ),
    )  # fmt: skip


async def find(connection: Connection, page_id: str) -> Page | None:
    """The page; None when there is none."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM page p WHERE p.page_id = %s",  # noqa: S608 - a constant
        (page_id,),
    )
    row = await cursor.fetchone()
    return _page(row) if row else None


async def of_ids(connection: Connection, page_ids: Sequence[str]) -> list[Page]:
    """The pages of these ids, in no order."""
    return await _where(connection, "p.page_id = ANY(%s::uuid[])", list(page_ids))


async def of_clock(connection: Connection, clock_id: str) -> list[Page]:
    """The pages of a clock, oldest first."""
    return await _where(connection, "p.clock_id = %s", clock_id)


async def of_incident(connection: Connection, incident_id: str) -> list[Page]:
    """The pages of an incident, oldest first."""
    return await _where(connection, "p.incident_id = %s", incident_id)


async def rest(connection: Connection, clock_id: str) -> None:
    """Let no acknowledgement of a clock expire any more: there is a newer one, or nothing left to ask about."""
    await connection.execute(
        "UPDATE page SET acknowledged_until = NULL"
        " WHERE clock_id = %s AND state = 'acknowledged' AND acknowledged_until IS NOT NULL",
        (clock_id,),
    )


async def lapsing(connection: Connection, limit: int) -> list[Page]:
    """Pages whose acknowledgement has expired, with their incident locked; what another process holds is skipped."""
    return await _passed(connection, "acknowledged", "acknowledged_until", limit)


async def unanswered(connection: Connection, limit: int) -> list[Page]:
    """Pages whose time to answer has passed, with their incident locked; what another process holds is skipped."""
    return await _passed(connection, "sent", "answer_by", limit)


async def _passed(connection: Connection, state: LiteralString, instant: LiteralString, limit: int) -> list[Page]:
    # The state is no parameter: only where it is written out does the index of those few pages serve.
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM page p JOIN incident i USING (incident_id)"  # noqa: S608 - constants
        f" WHERE p.state = '{state}' AND p.{instant} <= clock_timestamp()"
        f" ORDER BY p.{instant} LIMIT %s FOR UPDATE OF p, i SKIP LOCKED",
        (limit,),
    )
    return [_page(row) for row in await cursor.fetchall()]


async def _where(connection: Connection, condition: str, told: str | list[str]) -> list[Page]:
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM page p WHERE {condition} ORDER BY p.not_before, p.page_id",  # noqa: S608 - constants
        (told,),
    )
    return [_page(row) for row in await cursor.fetchall()]


def _page(row: Row) -> Page:
    return Page(
        page_id=str(row["page_id"]),
        incident_id=str(row["incident_id"]),
        clock_id=str(row["clock_id"]),
        cause=row["cause"],
        contact=row["contact"],
        level=row["level"],
        round=row["round"],
        state=row["state"],
        sent_at=row["sent_at"],
        delivered=row["delivered"],
        provider_answer=row["provider_answer"],
        answer_by=row["answer_by"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        channel=row["channel"],
        unconfirmed=row["unconfirmed"],
        acknowledged_until=row["acknowledged_until"],
        schedule=row["schedule"],
    )
