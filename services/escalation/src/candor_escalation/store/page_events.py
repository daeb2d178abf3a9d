"""Table page_event: what providers told of our pages, once for each of their events."""

from datetime import datetime

from candor_escalation.domain.page_event import Event
from candor_escalation.store import Connection


async def seen(connection: Connection, provider: str, event_id: str) -> bool:
    """Whether an event was taken before."""
    cursor = await connection.execute(
        "SELECT 1 FROM page_event WHERE provider = %s AND event_id = %s", (provider, event_id)
    )
    return await cursor.fetchone() is not None


async def add(
    connection: Connection, provider: str, event: Event, page_id: str, outcome: str, taken_at: datetime
) -> None:
    """Keep an event and what followed from it."""
    await connection.execute(
        "INSERT INTO page_event (provider, event_id, kind, page_id, agent, occurred_at, taken_at, outcome)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (provider, event.event_id, event.kind, page_id, event.agent, event.occurred_at, taken_at, outcome),
    )


async def on_its_way(connection: Connection, clock_id: str, provider: str) -> bool:
    """Whether a page about a clock is being sent to a provider, which may tell of it before its answer is kept."""
    cursor = await connection.execute(
        "SELECT 1 FROM dispatch d JOIN page p USING (page_id) WHERE p.clock_id = %s AND d.channel = %s"
        " AND d.state = 'waiting' AND d.leased_until IS NOT NULL LIMIT 1",
        (clock_id, provider),
    )
    return await cursor.fetchone() is not None
