"""Table awaited_request: requests of persons to the rights service, as far as their time runs."""

from dataclasses import dataclass
from datetime import datetime

from candor_escalation.store import Connection


@dataclass(frozen=True)
class Awaited:
    """A request that was not answered in its time."""

    request_id: str
    right: str
    regime: str
    strict_due: datetime


async def opened(connection: Connection, awaited: Awaited) -> None:
    """A request's time runs."""
    await connection.execute(
        "INSERT INTO awaited_request (request_id, person_right, regime, strict_due) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (awaited.request_id, awaited.right, awaited.regime, awaited.strict_due),
    )


async def answered(connection: Connection, request_id: str) -> bool:
    """A request is closed or refused; whether it had been found overdue."""
    cursor = await connection.execute(
        "UPDATE awaited_request SET done = true WHERE request_id = %s RETURNING overdue", (request_id,)
    )
    row = await cursor.fetchone()
    return bool(row and row["overdue"])


async def overdue(connection: Connection, limit: int, grace: float) -> list[Awaited]:
    """Requests whose time has passed unanswered, marked as found; what another process marks is skipped.

    ``grace``: seconds since a request was heard of; when a topic is read from its beginning, answers come after it.
    """
    cursor = await connection.execute(
        "UPDATE awaited_request SET overdue = true WHERE request_id IN (SELECT request_id FROM awaited_request"
        " WHERE NOT done AND NOT overdue AND strict_due <= clock_timestamp()"
        " AND heard_at <= clock_timestamp() - make_interval(secs => %s) ORDER BY strict_due LIMIT %s"
        " FOR UPDATE SKIP LOCKED) RETURNING request_id, person_right, regime, strict_due",
        (grace, limit),
    )
    return [
        Awaited(str(row["request_id"]), row["person_right"], row["regime"], row["strict_due"])
        for row in await cursor.fetchall()
    ]
