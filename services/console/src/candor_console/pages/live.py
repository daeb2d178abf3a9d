"""The stream that live pages listen to, and what it looks at."""

import asyncio
import hashlib

from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import service_pb2 as escalation
from candor_kit.errors import Unavailable
from starlette.responses import Response, StreamingResponse

from candor_console import rpcs
from candor_console.calls import Calls
from candor_console.live import LONGEST_SECONDS, Look
from candor_console.visit import Visit

MOST = 100
# For nginx and those that follow it: pass on what comes when it comes.
UNBUFFERED = {"X-Accel-Buffering": "no"}


async def follow(visit: Visit) -> Response:
    """Events for as long as the session lasts, but for a minute at most: then the browser comes again."""
    console = visit.console
    seconds = min(LONGEST_SECONDS, visit.session_left.total_seconds())
    events = console.live.events(visit.session.csrf, visit.bearer, seconds)
    return StreamingResponse(events, media_type="text/event-stream", headers=UNBUFFERED)


def looking(calls: Calls) -> Look:
    """What is looked at: the latest acts, the clocks that run and the incidents that are open."""

    async def acts(bearer: str) -> bytes:
        try:
            question = act.ListLatestActsRequest(page_size=MOST)
            answer = await calls.call(rpcs.LIST_LATEST_ACTS, question, bearer)
        except Unavailable:  # of a release before acts were kept; whether the service is away, the clocks say
            return b""
        return answer.SerializeToString(deterministic=True)

    async def look(bearer: str) -> str:
        latest, clocks, incidents = await asyncio.gather(
            acts(bearer),
            calls.call(rpcs.LIST_CLOCKS, escalation.ListClocksRequest(running_only=True, page_size=MOST), bearer),
            calls.call(rpcs.LIST_INCIDENTS, escalation.ListIncidentsRequest(open_only=True, page_size=MOST), bearer),
        )
        parts = (latest, *(answer.SerializeToString(deterministic=True) for answer in (clocks, incidents)))
        return hashlib.sha256(b"\x00".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]

    return look
