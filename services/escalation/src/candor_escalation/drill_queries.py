"""Questions about drills."""

from candor.escalation.v1 import drill_pb2
from candor_kit.query import Query

from candor_escalation import drill_codec
from candor_escalation.domain.drill import Drill
from candor_escalation.domain.incident import Incident
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers import drill_result
from candor_escalation.page_token import PAGE_SIZE, place, token
from candor_escalation.store import drills, incidents


async def get_drill(query: Query, request: drill_pb2.GetDrillRequest) -> drill_pb2.GetDrillResponse:
    """A drill with its times."""
    incident = await incidents.find(query.connection, request.incident_id)
    drill = await drills.find(query.connection, request.incident_id)
    if incident is not None and not incident.drill:
        raise Refused("NOT_A_DRILL", "the incident is no drill", field="incident_id")
    if incident is None or drill is None:
        raise Refused("DRILL_UNKNOWN", "there is no such drill", field="incident_id")
    found = await drill_result.read(query.connection, incident, query.now)
    return drill_pb2.GetDrillResponse(drill=drill_codec.drill_message(incident, drill, query.now, found))


async def list_drills(query: Query, request: drill_pb2.ListDrillsRequest) -> drill_pb2.ListDrillsResponse:
    """Drills without their times, the latest in front."""
    limit = request.page_size or PAGE_SIZE
    found = await drills.latest(query.connection, limit + 1, place(request.page_token))
    shown = [(await _incident(query, drill), drill) for drill in found[:limit]]
    return drill_pb2.ListDrillsResponse(
        drills=[drill_codec.drill_message(incident, drill, query.now) for incident, drill in shown],
        next_page_token=token(shown[-1][0].opened_at, shown[-1][0].incident_id) if len(found) > limit else "",
    )


async def _incident(query: Query, drill: Drill) -> Incident:
    incident = await incidents.find(query.connection, drill.incident_id)
    if incident is None:
        raise AssertionError("a drill refers to its incident")
    return incident
