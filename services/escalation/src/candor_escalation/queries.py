"""Questions about incidents, clocks and packs."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from candor.escalation.v1 import service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.errors import EDGE
from candor_kit.query import Query

from candor_escalation import codec, oncall_codec
from candor_escalation.domain.refusal import Refused
from candor_escalation.policy import Policy
from candor_escalation.store import clocks, dispatches, incidents, milestones, pages, reports

_PAGE_SIZE = 100


class Queries:
    """Reads only; nothing here names a person whose data was processed."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def get_incident(
        self, query: Query, request: service_pb2.GetIncidentRequest
    ) -> service_pb2.GetIncidentResponse:
        """One incident with everything that belongs to it."""
        identifier = request.incident_id
        incident = await incidents.find(query.connection, identifier)
        if incident is None:
            raise Refused("INCIDENT_UNKNOWN", "there is no such incident", field="incident_id")
        reached = await milestones.of_incident(query.connection, identifier)
        running = await clocks.of_incident(query.connection, identifier)
        sent = await dispatches.of_incident(query.connection, identifier)
        return service_pb2.GetIncidentResponse(
            incident=codec.incident_message(incident),
            facts=[codec.fact_message(fact) for fact in await incidents.facts(query.connection, identifier)],
            clocks=[codec.clock_message(clock, reached) for clock in running],
            pages=[
                oncall_codec.page_message(page, sent.get(page.page_id, ()))
                for page in await pages.of_incident(query.connection, identifier)
            ],
            drafts=[
                codec.draft_message(draft) for draft in await reports.drafts_of_incident(query.connection, identifier)
            ],
            submissions=[
                codec.submission_message(submission)
                for submission in await reports.submissions_of_incident(query.connection, identifier)
            ],
        )

    async def list_incidents(
        self, query: Query, request: service_pb2.ListIncidentsRequest
    ) -> service_pb2.ListIncidentsResponse:
        """Incidents, the latest in front."""
        limit = request.page_size or _PAGE_SIZE
        before = _place(request.page_token)
        found = await incidents.latest(query.connection, open_only=request.open_only, limit=limit + 1, before=before)
        shown = found[:limit]
        return service_pb2.ListIncidentsResponse(
            incidents=[codec.incident_message(incident) for incident in shown],
            next_page_token=_token(shown[-1].opened_at, shown[-1].incident_id) if len(found) > limit else "",
        )

    async def list_clocks(self, query: Query, request: service_pb2.ListClocksRequest) -> service_pb2.ListClocksResponse:
        """Clocks, the one that falls due first in front."""
        limit = request.page_size or _PAGE_SIZE
        after = _place(request.page_token)
        found = await clocks.by_due(query.connection, running_only=request.running_only, limit=limit + 1, after=after)
        shown = found[:limit]
        reached = await milestones.of_clocks(query.connection, [clock.clock_id for clock in shown])
        return service_pb2.ListClocksResponse(
            clocks=[codec.clock_message(clock, reached) for clock in shown],
            next_page_token=_token(shown[-1].strict_due, shown[-1].clock_id) if len(found) > limit else "",
        )

    async def list_packs(self, query: Query, request: service_pb2.ListPacksRequest) -> service_pb2.ListPacksResponse:
        """The packs that are loaded."""
        del query, request
        return service_pb2.ListPacksResponse(packs=[codec.pack_message(pack) for pack in self._policy.packs])


async def export(query: Query, request: holder_pb2.ExportRequest) -> AsyncIterator[holder_pb2.ExportResponse]:
    """Everything held about a person: nothing, see handlers/tasks.py (promise 4)."""
    del query, request
    held: tuple[holder_pb2.ExportResponse, ...] = ()
    for item in held:
        yield item


def _token(at: datetime, identifier: str) -> str:
    """Where the next page of a list goes on."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {identifier}".encode()).decode()


def _place(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        at, identifier = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        place = datetime.fromisoformat(at), str(UUID(identifier))
    except ValueError as error:
        raise _not_ours() from error
    if place[0].tzinfo is None:
        raise _not_ours()
    return place


def _not_ours() -> Exception:
    return EDGE.refusal("INVALID_FIELD", "is no token that this service gave", field="page_token")
