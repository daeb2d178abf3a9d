"""What is due, in figures. A service that is away leaves its tile saying so, and the others standing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from candor.escalation.v1 import service_pb2 as escalation
from candor.refutation.v1 import service_pb2 as refutation
from candor.rights.v1 import service_pb2 as rights
from candor_kit.errors import Unavailable
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from candor_console import menu, rpcs
from candor_console.pages import log as log_page
from candor_console.rendering import enum, in_tongue, when
from candor_console.visit import Visit

MOST = 1000  # as many as one answer holds; more are shown as "1000+"
UPCOMING = 6


@dataclass(frozen=True, slots=True)
class Due:
    """Something that falls due: when, since when it runs, what, for whom, by which clause, and where it is shown."""

    due: datetime
    begun: datetime
    what: str
    who: str
    citation: str
    path: str


@dataclass(frozen=True, slots=True)
class DueTile:
    """A figure of things that fall due."""

    away: str = ""
    count: str = ""
    overdue: int = 0
    next_due: Timestamp | None = None
    items: Sequence[Due] = ()


@dataclass(frozen=True, slots=True)
class ClaimsTile:
    """How many claims spread, and how fast."""

    away: str = ""
    count: str = ""
    last_hour: int = 0


@dataclass(frozen=True, slots=True)
class DeadLettersTile:
    """How many records were set aside, by service."""

    away: str = ""
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


Tile = TypeVar("Tile")


async def show(visit: Visit) -> Response:
    """The overview; each tile for the roles that may see what it counts."""
    requests, clocks, claims, checkpoint, dead_letters = await asyncio.gather(
        _only(visit.may(rpcs.LIST_REQUESTS), _requests, visit),
        _only(visit.may(rpcs.LIST_CLOCKS), _clocks, visit),
        _only(visit.may(rpcs.LIST_CLAIMS), _claims, visit),
        log_page.read(visit),
        _only(bool(menu.DEAD_LETTER_ROLES & visit.session.roles), _dead_letters, visit),
    )
    known = [tile for tile in (requests, clocks) if tile is not None]
    items = sorted((item for tile in known for item in tile.items), key=lambda item: item.due)
    return visit.render(
        "overview.html",
        requests=requests,
        clocks=clocks,
        claims=claims,
        checkpoint=checkpoint,
        dead_letters=dead_letters,
        upcoming=items[:UPCOMING] if known else None,
    )


async def _only(may: bool, tile: Callable[[Visit], Awaitable[Tile]], visit: Visit) -> Tile | None:
    return await tile(visit) if may else None


def _count(found: Sequence[object], more: str) -> str:
    return f"{len(found)}+" if more else str(len(found))


async def _requests(visit: Visit) -> DueTile:
    question = rights.ListRequestsRequest(open_only=True, page_size=MOST)
    try:
        answer = await visit.call(rpcs.LIST_REQUESTS, question)
    except Unavailable as error:
        return DueTile(away=error.part)
    items = [
        Due(
            when(item.strict_due),
            when(item.received_at),
            _word(visit, enum(item, "right")),
            _word(visit, enum(item, "regime")),
            item.citation,
            f"/requests/{item.request_id}" if visit.may(rpcs.GET_REQUEST) else "/requests",
        )
        for item in answer.requests
    ]
    return _due_tile(visit, items, _count(answer.requests, answer.next_page_token))


async def _clocks(visit: Visit) -> DueTile:
    question = escalation.ListClocksRequest(running_only=True, page_size=MOST)
    try:
        answer = await visit.call(rpcs.LIST_CLOCKS, question)
    except Unavailable as error:
        return DueTile(away=error.part)
    real = [clock for clock in answer.clocks if not clock.drill]  # a drill counts in no figure; on-call has it
    items = [
        Due(
            when(clock.strict_due),
            when(clock.anchor.at),
            in_tongue(clock.recipient, visit.lang),
            clock.obligation_id,
            clock.citation,
            f"/incidents/{clock.incident_id}#clock-{clock.clock_id}",
        )
        for clock in real
    ]
    return _due_tile(visit, items, _count(real, answer.next_page_token))


def _due_tile(visit: Visit, items: Sequence[Due], count: str) -> DueTile:
    overdue = sum(item.due < visit.now for item in items)
    first = min((item.due for item in items if item.due >= visit.now), default=None)
    next_due = None
    if first is not None:
        next_due = Timestamp()
        next_due.FromDatetime(first)
    return DueTile(count=count, overdue=overdue, next_due=next_due, items=items)


async def _claims(visit: Visit) -> ClaimsTile:
    question = refutation.ListClaimsRequest(spreading_only=True, page_size=MOST)
    try:
        answer = await visit.call(rpcs.LIST_CLAIMS, question)
    except Unavailable as error:
        return ClaimsTile(away=error.part)
    last_hour = sum(claim.matches_last_hour for claim in answer.claims)
    return ClaimsTile(count=_count(answer.claims, answer.next_page_token), last_hour=last_hour)


async def _dead_letters(visit: Visit) -> DeadLettersTile:
    try:
        counts = await visit.console.dead_letters.counts()
    except Unavailable as error:
        return DeadLettersTile(away=error.part)
    return DeadLettersTile(total=sum(counts.values()), counts=counts)


def _word(visit: Visit, name: str) -> str:
    return visit.text(name, default=name)
