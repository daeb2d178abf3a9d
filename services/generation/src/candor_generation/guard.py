"""The flood guard: a feature that is found far more often than its admission run let expect goes back to shadow.

It runs beside the service, in as many processes as there are; the library's lock lets one of them act at a time. People
are told by the fact.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from candor_kit import database, log, metrics
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_generation.domain.flood import Limits
from candor_generation.handlers import floods

_LOG = log.get(__name__)
_DEMOTED = metrics.counter("generation_features_demoted", "Features that the flood guard put back into shadow.")

Transaction = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True)
class Guard:
    """The loop.

    Attributes:
        transaction: opens a transaction of the service.
        limits: what a flood is.
        window: how far back it looks.
        every: seconds between two looks.
    """

    transaction: Transaction
    limits: Limits
    window: timedelta
    every: float

    async def run(self, stop: Stop) -> None:
        """Look again and again until the service stops; a database that is away is waited for."""
        while not await stop.wait(self.every):
            try:
                await self.look()
            except database.AWAY as error:
                _LOG.warning("waiting for the database", part="flood guard", type=type(error).__name__)

    async def look(self) -> list[str]:
        """Look once; return the ids of the features that went back to shadow."""
        async with self.transaction() as tx:
            demoted = await floods.demote(tx, self.limits, self.window)
        for feature_id in demoted:
            _DEMOTED.inc()
            _LOG.warning("a feature went back to shadow", feature_id=feature_id, reason="flood")
        return demoted
