"""Drills: started from a scenario in the path of a real signal, and ended before their time."""

from collections.abc import Mapping

from candor.escalation.v1 import drill_pb2, facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import drill_codec, store
from candor_escalation.domain import drill as rules
from candor_escalation.domain.drill import Drill, Scenario
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers import drill_result
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.handlers.signals import Signals
from candor_escalation.store import drills, incidents


class Drills:
    """The commands about drills. ``shipped``: the scenarios that come with the service, by name."""

    def __init__(self, clocks: Clocks, signals: Signals, shipped: Mapping[str, Scenario]) -> None:
        self._clocks = clocks
        self._signals = signals
        self._shipped = shipped

    async def start_drill(self, tx: Tx, request: drill_pb2.StartDrillRequest) -> drill_pb2.StartDrillResponse:
        """Let happen what the scenario says, in an incident of its own.

        Source: PIPL 51(5); GDPR 32(1)(d)
        """
        now = await store.now(tx.connection)
        scenario = drill_codec.scenario(request) if request.HasField("told") else self._known(request.scenario)
        incident, change = await self._signals.take(tx, rules.signal(scenario, now))
        drill = Drill(incident.incident_id, scenario.name, tx.caller.name)
        await drills.insert(tx.connection, drill, incident.opened_at)
        found = await drill_result.read(tx.connection, incident, now)
        fact = facts_pb2.DrillStarted(drill=drill_codec.drill_message(incident, drill, now, found))
        await tx.publish(fact, key=incident.incident_id)
        return drill_pb2.StartDrillResponse(incident_id=incident.incident_id, clock_ids=change.begun)

    async def end_drill(self, tx: Tx, request: drill_pb2.EndDrillRequest) -> drill_pb2.EndDrillResponse:
        """End a drill before every clock of it is stopped."""
        incident = await incidents.lock(tx.connection, request.incident_id)
        if incident is None:
            raise Refused("DRILL_UNKNOWN", "there is no such drill", field="incident_id")
        incident = await self._clocks.end_drill(tx, incident, request.reason)
        return drill_pb2.EndDrillResponse(drill=await _told(tx, incident))

    def _known(self, name: str) -> Scenario:
        scenario = self._shipped.get(name)
        if scenario is None:
            known = ", ".join(sorted(self._shipped))
            raise Refused(
                "SCENARIO_UNKNOWN", f"there is no scenario {name}; there is {known}, or tell your own", field="scenario"
            )
        return scenario


async def _told(tx: Tx, incident: Incident) -> drill_pb2.Drill:
    drill = await drills.find(tx.connection, incident.incident_id)
    if drill is None:
        raise AssertionError("a drill is kept with its incident")
    now = await store.now(tx.connection)
    return drill_codec.drill_message(incident, drill, now, await drill_result.read(tx.connection, incident, now))
