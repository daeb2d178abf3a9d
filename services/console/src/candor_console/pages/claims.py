"""Claims and their refutations, spreading ones in front."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import grpc
from candor.refutation.v1 import model_pb2 as model
from candor.refutation.v1 import service_pb2 as refutation
from candor_kit.errors import Refusal
from starlette.responses import Response

from candor_console import rpcs
from candor_console.visit import Visit

PAGE_SIZE = 100
MOST_MATCHES = 100


async def index(visit: Visit) -> Response:
    """Claims as the service orders them: the latest spread in front."""
    spreading = visit.request.query_params.get("spreading") == "1"
    question = refutation.ListClaimsRequest(
        spreading_only=spreading, page_size=PAGE_SIZE, page_token=visit.request.query_params.get("page", "")
    )
    answer = await visit.call(rpcs.LIST_CLAIMS, question)
    return visit.render("claims.html", claims=answer.claims, next_page=answer.next_page_token, spreading=spreading)


async def detail(visit: Visit) -> Response:
    """One claim: its verdict, every step, and the refutation as it is published."""
    claim_id = visit.request.path_params["claim_id"]
    found, notice = await asyncio.gather(
        visit.call(rpcs.GET_CLAIM, refutation.GetClaimRequest(claim_id=claim_id)), _notice(visit, claim_id)
    )
    return visit.render("claim.html", found=found, stretches=stretches(found.steps), notice=notice)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps in a row: all matches until something else happened, or one step of another kind."""

    steps: Sequence[model.Step]

    @property
    def of_matches(self) -> bool:
        """Whether these are matches, of which there can be thousands."""
        return self.steps[0].kind == model.Step.KIND_MATCHED

    @property
    def latest(self) -> Sequence[model.Step]:
        """The last of the steps, as many as a page can hold."""
        return self.steps[-MOST_MATCHES:]


def stretches(steps: Sequence[model.Step]) -> list[Stretch]:
    """The steps, oldest first, with matches in a row put together."""
    found: list[Stretch] = []
    for matched, row in groupby(steps, key=lambda step: step.kind == model.Step.KIND_MATCHED):
        listed = list(row)
        found += [Stretch(listed)] if matched else [Stretch([step]) for step in listed]
    return found


async def _notice(visit: Visit, claim_id: str) -> str:
    """The ClaimReview, set out to be read; empty while there is none (the claim is not decided yet)."""
    try:
        answer = await visit.call(rpcs.GET_NOTICE, refutation.GetNoticeRequest(claim_id=claim_id))
    except Refusal as error:
        if error.status in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}:
            return ""
        raise
    return json.dumps(json.loads(answer.json_ld), ensure_ascii=False, indent=2)
