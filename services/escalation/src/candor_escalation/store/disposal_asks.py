"""Table disposal_ask. Whoever changes an ask has locked its disposal."""

from datetime import datetime

from candor_escalation.domain.disposal import Act, Ask
from candor_escalation.store import Connection, Row

_COLUMNS = (
    "a.ask_id, a.disposal_id, a.act, a.statement_id, a.state, a.attempts, a.asked_at, a.ask_again_at, a.answer_by,"
    " a.overdue, a.answered_at, a.evidence"
)


async def insert(connection: Connection, ask: Ask) -> None:
    """Keep a new ask."""
    await connection.execute(
        "INSERT INTO disposal_ask (ask_id, disposal_id, act, statement_id, state, attempts, asked_at, ask_again_at,"
        " answer_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            ask.ask_id, ask.disposal_id, ask.act, ask.statement_id or None, ask.state, ask.attempts, ask.asked_at,
            ask.ask_again_at, ask.answer_by,
        ),
    )  # fmt: skip


async def update(connection: Connection, ask: Ask) -> None:
    """Keep how an ask stands now."""
    await connection.execute(
        "UPDATE disposal_ask SET state = %s, attempts = %s, ask_again_at = %s, overdue = %s, answered_at = %s,"
        " evidence = %s WHERE ask_id = %s",
        (ask.state, ask.attempts, ask.ask_again_at, ask.overdue, ask.answered_at, ask.evidence, ask.ask_id),
    )


async def of_disposal(connection: Connection, disposal_id: str) -> list[Ask]:
    """The asks of a disposal, oldest first."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM disposal_ask a WHERE a.disposal_id = %s ORDER BY a.asked_at, a.ask_id",  # noqa: S608 - constants
        (disposal_id,),
    )
    return [_ask(row) for row in await cursor.fetchall()]


async def next_to_repeat(connection: Connection) -> Ask | None:
    """Lock an unanswered ask that is to be sent again by the database's clock, and its disposal."""
    return await _next(connection, "a.ask_again_at <= clock_timestamp() ORDER BY a.ask_again_at")


async def next_late(connection: Connection) -> Ask | None:
    """Lock an ask that is late by the database's clock and was not said to be, and its disposal."""
    return await _next(connection, "NOT a.overdue AND a.answer_by <= clock_timestamp() ORDER BY a.answer_by")


async def informed_at(connection: Connection, disposal_id: str) -> datetime | None:
    """When the user was told the reasons, as the backend says; None: not yet, as far as is known."""
    cursor = await connection.execute(
        "SELECT min(a.answered_at) AS at FROM disposal_ask a JOIN disposal_statement s USING (statement_id)"
        " WHERE a.disposal_id = %s AND s.kind = 'reasons' AND a.state = 'carried_out'",
        (disposal_id,),
    )
    row = await cursor.fetchone()
    at: datetime | None = row["at"] if row else None
    return at


async def count_attention(connection: Connection) -> tuple[int, int]:
    """How many asks are overdue, and how many could not be carried out."""
    cursor = await connection.execute(
        "SELECT count(*) FILTER (WHERE state = 'waiting') AS overdue, count(*) FILTER (WHERE state = 'could_not')"
        " AS could_not FROM disposal_ask WHERE state = 'could_not' OR (state = 'waiting' AND overdue)"
    )
    row = await cursor.fetchone()
    return (row["overdue"], row["could_not"]) if row else (0, 0)


async def _next(connection: Connection, due: str) -> Ask | None:
    # Both rows are locked and looked at again: an acknowledgement may have come in between.
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM disposal_ask a JOIN disposal d USING (disposal_id)"  # noqa: S608 - constants
        f" WHERE a.state = 'waiting' AND {due} LIMIT 1 FOR UPDATE OF d, a SKIP LOCKED"
    )
    row = await cursor.fetchone()
    return _ask(row) if row else None


def _ask(row: Row) -> Ask:
    return Ask(
        ask_id=str(row["ask_id"]),
        disposal_id=str(row["disposal_id"]),
        act=Act(row["act"]),
        statement_id=str(row["statement_id"] or ""),
        asked_at=row["asked_at"],
        ask_again_at=row["ask_again_at"],
        answer_by=row["answer_by"],
        state=row["state"],
        attempts=row["attempts"],
        overdue=row["overdue"],
        answered_at=row["answered_at"],
        evidence=row["evidence"],
    )
