"""Table channel_usage: how much was sent by a channel of late, under a keyed digest of its address."""

from datetime import datetime

from candor_escalation.domain.throttle import Usage
from candor_escalation.store import Connection


async def lock(connection: Connection, channel: bytes) -> Usage:
    """A channel's usage, locked. Whoever locks several does so in the order of their digests."""
    await connection.execute("INSERT INTO channel_usage (channel) VALUES (%s) ON CONFLICT DO NOTHING", (channel,))
    cursor = await connection.execute(
        "SELECT used, blocked_until FROM channel_usage WHERE channel = %s FOR UPDATE", (channel,)
    )
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError("the row was inserted above, and none is ever deleted")
    return Usage(tuple(row["used"]), row["blocked_until"])


async def save(connection: Connection, channel: bytes, usage: Usage) -> None:
    """Write when it was used."""
    await connection.execute("UPDATE channel_usage SET used = %s WHERE channel = %s", (list(usage.used), channel))


async def block(connection: Connection, channel: bytes, until: datetime) -> None:
    """Send nothing by a channel before an instant."""
    await connection.execute(
        "INSERT INTO channel_usage AS known (channel, blocked_until) VALUES (%s, %s)"
        " ON CONFLICT (channel) DO UPDATE SET"
        " blocked_until = greatest(known.blocked_until, excluded.blocked_until)",
        (channel, until),
    )
