"""The refutations, for anyone to read (Deep Synthesis 11)."""

import json
from uuid import UUID

from candor_kit.database import AWAY, Pool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from candor_refutation import store
from candor_refutation.domain.refusal import Refused
from candor_refutation.queries import Queries

_JSON_LD = "application/ld+json"
_PROBLEM = "application/problem+json"
_STATUS = {"CLAIM_UNKNOWN": 404, "NOT_REFUTED": 404, "UNAVAILABLE": 503}


def notice_route(pool: Pool, queries: Queries) -> BaseRoute:
    """Return GET /refutations/{claim_id}: ClaimReview as JSON-LD; refusals are problems by RFC 9457."""

    async def show(request: Request) -> Response:
        claim_id = request.path_params["claim_id"]
        try:
            notice = await _notice(pool, queries, claim_id)
        except Refused as refused:
            return _problem(refused.reason, refused.message)
        except AWAY:
            return _problem("UNAVAILABLE", "the database does not answer; try again")
        return Response(notice, media_type=_JSON_LD, headers={"cache-control": "public, max-age=60"})

    return Route("/refutations/{claim_id}", show, methods=["GET"])


async def _notice(pool: Pool, queries: Queries, claim_id: str) -> str:
    unknown = Refused("CLAIM_UNKNOWN", "no claim has this id")
    try:
        identifier = str(UUID(claim_id))
    except ValueError as error:
        raise unknown from error
    async with pool.connection() as connection:
        claim = await store.find_claim(connection, identifier)
    if claim is None:
        raise unknown
    return queries.notice(claim)


def _problem(reason: str, detail: str) -> Response:
    status = _STATUS[reason]
    body = {"type": "about:blank", "title": reason, "status": status, "detail": detail, "reason": reason}
    return Response(json.dumps(body), status_code=status, media_type=_PROBLEM)
