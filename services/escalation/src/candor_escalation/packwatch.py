"""The loop that follows the packs' folder: right packs are taken at once, wrong ones never, and nothing is silent.

When packs or calendars change, every open incident is held against them again; so it is at each start, because what
changed while the service was down, or what a process did not finish, is not known otherwise.
"""

import asyncio

from candor_kit import log, metrics
from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.stop import Stop
from candor_packs.reloading import Outcome, Reloading

from candor_escalation.handlers.clocks import PACKS, Clocks
from candor_escalation.policy import Policy
from candor_escalation.store import incidents

_AT_ONCE = 100
_LOG = log.get(__name__)
_WRONG = metrics.gauge("packs_wrong", "1 while the packs' folder holds a wrong pack and the last right ones are used.")
_TAKEN = metrics.counter("packs_reloads", "Changes of the packs' folder, by result.", ("result",))


class PackWatch:
    """Looks every ``seconds`` whether ``packs``, which ``policy`` goes by, stand otherwise in their folder."""

    def __init__(self, service: Service, policy: Policy, clocks: Clocks, packs: Reloading, seconds: float) -> None:
        self._service = service
        self._policy = policy
        self._clocks = clocks
        self._packs = packs
        self._seconds = seconds
        self._to_assess = True

    async def run(self, stop: Stop) -> None:
        """Follow the folder until the service stops."""
        _WRONG.set(0)
        while not stop.is_set():
            await self.look()
            if self._to_assess:
                self._to_assess = not await self._assess(stop)
            await stop.wait(self._seconds)

    async def look(self) -> None:
        """Take over what changed in the folder; what is wrong is told, once per change, and not taken."""
        told = self._packs.error
        outcome = await asyncio.to_thread(self._packs.poll)
        error = self._packs.error
        _WRONG.set(error is not None)
        if outcome is Outcome.CHANGED:
            _TAKEN.labels("taken").inc()
            self._policy.replace(self._packs.packs)
            self._to_assess = True
            _LOG.info("packs changed", total=len(self._packs.packs))
        elif error is not None and str(error) != str(told):
            _TAKEN.labels("refused").inc()
            where = {"file": str(error.file), "line": error.line, "field": error.field, "reason": error.message}
            _LOG.error("packs changed and are wrong; the last right ones stay in use", **where)

    async def _assess(self, stop: Stop) -> bool:
        """Hold every open incident against the packs, one transaction each; False where it has to be done again."""
        after: str | None = None
        try:
            while not stop.is_set():
                async with self._service.transaction("packs") as tx:
                    found = await incidents.open_ids(tx.connection, after, _AT_ONCE)
                if not found:
                    return True
                for incident_id in found:
                    await self._assess_one(incident_id)
                after = found[-1]
        except AWAY as error:
            _LOG.warning("waiting for the database", part="packs", type=type(error).__name__)
        return False

    async def _assess_one(self, incident_id: str) -> None:
        async with self._service.transaction("packs") as tx:
            incident = await incidents.lock(tx.connection, incident_id)
            if incident is None or not incident.is_open:
                return
            change = await self._clocks.reassess(tx, incident, PACKS)
        if change.counted:
            _LOG.info("packs changed clocks", incident_id=incident_id, count=len(change.counted))
