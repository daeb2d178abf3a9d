"""Legal clocks: what runs, by which clause, until when."""

import asyncio

from candor.escalation.v1 import service_pb2 as escalation
from starlette.responses import Response

from candor_console import rpcs
from candor_console.visit import Visit

PAGE_SIZE = 100


async def index(visit: Visit) -> Response:
    """Clocks, the one that falls due first in front, and the incidents that are open, with or without a clock."""
    everything = visit.request.query_params.get("all") == "1"
    clocks, incidents = await asyncio.gather(
        visit.call(
            rpcs.LIST_CLOCKS,
            escalation.ListClocksRequest(
                running_only=not everything,
                page_size=PAGE_SIZE,
                page_token=visit.request.query_params.get("page", ""),
            ),
        ),
        visit.call(rpcs.LIST_INCIDENTS, escalation.ListIncidentsRequest(open_only=True, page_size=PAGE_SIZE)),
    )
    return visit.render(
        "clocks.html",
        clocks=clocks.clocks,
        next_page=clocks.next_page_token,
        all=everything,
        live=True,
        incidents=incidents.incidents,
    )
