"""When people are first woken about an incident: once, about what falls due first, and not for a day's work."""

from collections.abc import Collection, Sequence
from datetime import datetime

from candor_kit.transaction import Tx

from candor_escalation import store
from candor_escalation.domain.clock import Clock
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.paging import START
from candor_escalation.handlers.pages import Pages
from candor_escalation.store import clocks, incidents, pages


class Waking:
    """What happened is one page, however many laws it meets; a routine kind of incident waits for half of its time."""

    def __init__(self, paging: Pages) -> None:
        self._paging = paging

    async def begun(self, tx: Tx, incident: Incident, begun: Sequence[Clock], now: datetime) -> None:
        """Page about the clock that falls due first of those that start, unless it can wait."""
        first = min(begun, key=lambda clock: (clock.strict_due, clock.clock_id), default=None)
        if first is not None and not self._paging.waits(incident, first, now):
            await self._paging.begin(tx, first.incident_id, first.clock_id, START)

    async def hand_on(self, tx: Tx, incident: Incident) -> None:
        """Page about the next clock, where nobody has been paged about any that still runs."""
        found = await clocks.of_incident(tx.connection, incident.incident_id)
        running = [clock for clock in found if clock.is_running]
        paged = {page.clock_id for page in await pages.of_incident(tx.connection, incident.incident_id)}
        if not any(clock.clock_id in paged for clock in running):
            await self.begun(tx, incident, running, await store.now(tx.connection))

    async def half_gone(self, tx: Tx, incident_ids: Collection[str]) -> None:
        """Page about those incidents that could wait until half of a clock's time was gone."""
        found = await incidents.of_ids(tx.connection, incident_ids) if incident_ids else {}
        for incident in found.values():
            if self._paging.is_routine(incident) and not await pages.of_incident(tx.connection, incident.incident_id):
                await self.hand_on(tx, incident)
