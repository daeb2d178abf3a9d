"""Who looked at a person's data: every service keeps its own record, this page puts them together."""

import asyncio
from dataclasses import dataclass

from candor.edge.v1 import views_pb2
from candor_kit.errors import Unavailable
from starlette.responses import Response

from candor_console import rpcs
from candor_console.rendering import when
from candor_console.visit import Visit

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A view, and the service that recorded it."""

    service: str
    view: views_pb2.View


@dataclass(frozen=True, slots=True)
class Found:
    """A service's views, or that it is away."""

    rows: tuple[Row, ...] = ()
    next_page: str = ""
    away: str = ""


async def index(visit: Visit) -> Response:
    """The latest views of all services, or page by page those of one (`?service=`)."""
    wish = visit.request.query_params.get("service", "")
    service = wish if wish in rpcs.SERVICES else ""
    page = visit.request.query_params.get("page", "") if service else ""
    found = await asyncio.gather(*(_read(visit, name, page) for name in ([service] if service else rpcs.SERVICES)))
    rows = sorted((row for one in found for row in one.rows), key=lambda row: when(row.view.at), reverse=True)
    return visit.render(
        "views.html",
        views=rows,
        service=service,
        services=rpcs.SERVICES,
        away=[one.away for one in found if one.away],
        next_page=found[0].next_page if service else "",
    )


async def _read(visit: Visit, service: str, page: str) -> Found:
    question = views_pb2.ListViewsRequest(page_size=PAGE_SIZE, page_token=page)
    try:
        answer = await visit.call(rpcs.LIST_VIEWS[service], question)
    except Unavailable as error:
        return Found(away=error.part)
    return Found(tuple(Row(service, view) for view in answer.views), answer.next_page_token)
