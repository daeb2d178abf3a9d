"""Requests of data subjects: the list tells nothing about a person, the detail does and is recorded."""

from candor.rights.v1 import service_pb2 as rights
from starlette.responses import Response

from candor_console import rpcs
from candor_console.visit import Visit

PAGE_SIZE = 100


async def index(visit: Visit) -> Response:
    """Requests, the one that falls due first in front."""
    everything = visit.request.query_params.get("all") == "1"
    question = rights.ListRequestsRequest(
        open_only=not everything, page_size=PAGE_SIZE, page_token=visit.request.query_params.get("page", "")
    )
    answer = await visit.call(rpcs.LIST_REQUESTS, question)
    return visit.render(
        "requests.html",
        requests=answer.requests,
        next_page=answer.next_page_token,
        all=everything,
        may_open=visit.may(rpcs.GET_REQUEST),
    )


async def detail(visit: Visit) -> Response:
    """One request with who asked, its tasks and proofs. The rights service records the view (views_person)."""
    question = rights.GetRequestRequest(request_id=visit.request.path_params["request_id"])
    found = await visit.call(rpcs.GET_REQUEST, question)
    return visit.render("request.html", found=found)
