"""How much may be sent by one channel: what a provider allows, counted over a window that slides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MARGIN = timedelta(seconds=1)
"""Added to every window: the provider's clock and the way there are not ours."""


@dataclass(frozen=True)
class Limit:
    """At most ``count`` within any ``window``."""

    count: int
    window: timedelta


@dataclass(frozen=True)
class Usage:
    """When a channel was last used, oldest first, and until when its provider takes nothing."""

    used: tuple[datetime, ...] = ()
    blocked_until: datetime | None = None


def wait(usage: Usage, limits: Sequence[Limit], now: datetime) -> timedelta:
    """How long until one more may be sent; zero when it may be now."""
    waits = [_until_free(usage.used, limit, now) for limit in limits]
    if usage.blocked_until is not None:
        waits.append(usage.blocked_until - now)
    return max([timedelta(0), *waits])


def used(usage: Usage, limits: Sequence[Limit], now: datetime) -> Usage:
    """The usage after one more was sent; what no limit asks for any more is forgotten."""
    most = max((limit.count for limit in limits), default=0)
    return Usage((*usage.used, now)[-most:] if most else (), usage.blocked_until)


def _until_free(used_at: Sequence[datetime], limit: Limit, now: datetime) -> timedelta:
    """Until the one sent ``count`` ago has left the window."""
    if len(used_at) < limit.count:
        return timedelta(0)
    return used_at[-limit.count] + limit.window + MARGIN - now
