"""The loop that reaches milestones, moves unanswered pages on and lets acknowledgements expire.

What is due is asked of the database's clock.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from candor_kit import log
from candor_kit.database import AWAY
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.pages import Pages
from candor_escalation.store import milestones

_POLL_SECONDS = 0.5
"""Longest sleep: another process may have put an earlier milestone there."""

_LOG = log.get(__name__)


class Sweeper:
    """Any number of processes may sweep: what one holds, the others skip. ``transaction`` opens one for a caller."""

    def __init__(
        self, transaction: Callable[[str], AbstractAsyncContextManager[Tx]], clocks: Clocks, pages: Pages
    ) -> None:
        self._transaction = transaction
        self._clocks = clocks
        self._pages = pages

    async def run(self, stop: Stop) -> None:
        """Sweep until the service stops."""
        while not stop.is_set():
            try:
                pause = await self._sweep()
            except AWAY as error:
                _LOG.warning("waiting for the database", part="sweeper", type=type(error).__name__)
                pause = _POLL_SECONDS
            await stop.wait(pause)

    async def _sweep(self) -> float:
        """Do what is due, and tell how long to sleep."""
        async with self._transaction("sweeper") as tx:
            reached = await self._clocks.reach_milestones(tx)
        if reached:
            return 0.0  # milestones first: there may be more
        async with self._transaction("sweeper") as tx:
            moved = await self._pages.move_on(tx) + await self._pages.lapse(tx)
        if moved:
            return 0.0
        async with self._transaction("sweeper") as tx:
            seconds = await milestones.seconds_to_next(tx.connection)
        return _POLL_SECONDS if seconds is None else min(max(seconds, 0.01), _POLL_SECONDS)
