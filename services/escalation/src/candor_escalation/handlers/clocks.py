"""Clocks: started, counted anew, stopped; and the incident closed when nothing runs any more."""

from collections.abc import Iterator
from dataclasses import dataclass

from candor.escalation.v1 import facts_pb2
from candor_kit import log
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.domain import clock as clock_rules
from candor_escalation.domain import incident as incident_rules
from candor_escalation.domain.clock import Clock, Duty
from candor_escalation.domain.incident import Incident, Json
from candor_escalation.domain.milestone import PAGING, schedule
from candor_escalation.domain.paging import START
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.pages import Pages
from candor_escalation.policy import Policy
from candor_escalation.store import clocks, incidents, milestones

_LOG = log.get(__name__)
_AT_ONCE = 100
"""Milestones that one transaction reaches at most."""


@dataclass(frozen=True)
class Matter:
    """A clock with its incident, both locked."""

    incident: Incident
    clock: Clock


class Clocks:
    """The legal clocks of an incident under the packs that are loaded."""

    def __init__(self, policy: Policy, pages: Pages) -> None:
        self._policy = policy
        self._pages = pages

    async def locked(self, tx: Tx, clock_id: str) -> Matter:
        """A clock with its incident, both locked.

        Raises:
            Refused: CLOCK_UNKNOWN.
        """
        incident_id = await clocks.incident_of(tx.connection, clock_id)
        incident = await incidents.lock(tx.connection, incident_id) if incident_id else None
        if incident is None:
            raise Refused("CLOCK_UNKNOWN", "there is no such clock", field="clock_id")
        found = await clocks.of_incident(tx.connection, incident.incident_id)
        return Matter(incident, next(clock for clock in found if clock.clock_id == clock_id))

    async def reassess(self, tx: Tx, incident: Incident) -> list[str]:
        """Hold what is known of a locked incident against the packs; the ids of the clocks that start."""
        known = await clocks.of_incident(tx.connection, incident.incident_id)
        duties = await self._duties(tx, incident)
        change = clock_rules.assess(duties, known, _new_ids(tx), incident.incident_id, tx.now)
        for clock in change.started:
            await clocks.insert(tx.connection, clock)
            await self._announce(tx, clock)
            await self._pages.begin(tx, incident.incident_id, clock.clock_id, START)
        for clock in change.moved:
            await clocks.update(tx.connection, clock)
            await milestones.cancel(tx.connection, clock.clock_id)
            await self._announce(tx, clock)
        for clock in change.clarified:
            await clocks.update(tx.connection, clock)
        if not known and not change.started and clock_rules.waits(duties):
            _LOG.warning(
                "a duty may have arisen, but the instant it counts from is unknown", incident_id=incident.incident_id
            )
        await self._close_if_over(tx, incident, duties)
        return [clock.clock_id for clock in change.started]

    async def stop(self, tx: Tx, matter: Matter, state: str) -> Clock:
        """Stop a clock, its milestones and its pages; close the incident if it was the last.

        Raises:
            Refused: CLOCK_STOPPED.
        """
        clock = clock_rules.stop(matter.clock, state, tx.now)
        await clocks.update(tx.connection, clock)
        await milestones.cancel(tx.connection, clock.clock_id)
        await self._pages.cancel(tx, clock.clock_id)
        fact = facts_pb2.ClockStopped(
            incident_id=clock.incident_id,
            clock_id=clock.clock_id,
            state=codec.clock_state(clock.state),
            stopped_at=codec.timestamp(clock.stopped_at),
        )
        await tx.publish(fact, key=clock.incident_id)
        await self._close_if_over(tx, matter.incident, await self._duties(tx, matter.incident))
        return clock

    async def reach_milestones(self, tx: Tx) -> int:
        """Reach every milestone that is due: the fact, and the page where it pages; how many there were."""
        reached = await milestones.reach(tx.connection, _AT_ONCE)
        if reached:
            await tx.publish_many([(codec.milestone_reached(one), one.incident_id) for one in reached])
        for milestone in reached:
            if milestone.kind in PAGING:
                await self._pages.begin(tx, milestone.incident_id, milestone.clock_id, milestone.kind)
        return len(reached)

    async def _duties(self, tx: Tx, incident: Incident) -> list[Duty]:
        known: dict[str, Json] = incident_rules.current(await incidents.facts(tx.connection, incident.incident_id))
        anchors = incident_rules.effective(await incidents.anchors(tx.connection, incident.incident_id))
        return self._policy.duties(incident, known, anchors)

    async def _announce(self, tx: Tx, clock: Clock) -> None:
        planned = schedule(clock, tx.now)
        await milestones.insert(tx.connection, planned)
        fact = facts_pb2.ClockStarted(clock=codec.clock_message(clock, planned))
        await tx.publish(fact, key=clock.incident_id)

    async def _close_if_over(self, tx: Tx, incident: Incident, duties: list[Duty]) -> None:
        now_known = await clocks.of_incident(tx.connection, incident.incident_id)
        if not clock_rules.may_close(now_known, duties):
            return
        await incidents.update(tx.connection, incident_rules.closed(incident, tx.now))
        fact = facts_pb2.IncidentClosed(incident_id=incident.incident_id, closed_at=codec.timestamp(tx.now))
        await tx.publish(fact, key=incident.incident_id)


def _new_ids(tx: Tx) -> Iterator[str]:
    while True:
        yield tx.new_id()
