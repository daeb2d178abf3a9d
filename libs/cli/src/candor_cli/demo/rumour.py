"""Rumours: refuted on record, matched in outputs, and announced when they spread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
from candor.generation.v1.service_pb2 import RecordRequest
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation_pb2
from candor.refutation.v1 import service_pb2_grpc as refutation_grpc
from candor_kit.errors import Refusal

from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import GenerationInput, Post, StoryError, record, spreading
from candor_cli.session import Session, command_id

_SOURCE = "https://example.com/fact-check"
_SHORTEST_SPREAD = 50
_MOST = 200


@dataclass(frozen=True)
class Spread:
    """What was announced."""

    claim_id: str
    level: int


async def refute(session: Session, telling: Telling, posts: list[Post]) -> dict[str, str]:
    """Register every refuted post as a claim with a verdict; return claim id by text."""
    stub = refutation_grpc.RefutationServiceStub(session.channel("refutation", "on_call", name="oncall"))
    claims: dict[str, str] = {}
    unfit = 0
    for post in posts:
        if not post.rumour:
            continue
        try:
            claims[post.text] = await _refute_one(stub, post)
        except grpc.aio.AioRpcError as error:
            refusal = Refusal.from_rpc(error)
            if refusal is None or refusal.reason not in ("CLAIM_TOO_SHORT", "CLAIM_EXISTS"):
                raise
            unfit += 1
    telling.ok(f"{len(claims)} claims refuted with sources ({unfit} too short or repeated, refused with the reason)")
    telling.figure("claims refuted", len(claims))
    return claims


async def spread(session: Session, telling: Telling, posts: list[Post], claims: dict[str, str]) -> Spread:
    """Let a model repeat what it should not, and see it caught, counted and announced once."""
    now = datetime.now(UTC)
    once = [record("reader-0011", _said(post, post.text), now - timedelta(minutes=50)) for post in posts]
    chosen = spreading([post for post in posts if not post.rumour or post.text in claims])
    copies = [
        record(f"reader-{number % 40:04}", _said(chosen, f"有人问到这件事，网上是这样说的：{chosen.text}"), at)
        for number, at in enumerate(_moments(chosen, now))
    ]
    await session.emit_many("generation", [*once, *copies])
    claim_id = claims[chosen.text]
    matched = await session.facts(
        "refutation",
        refutation_facts.ClaimMatched,
        lambda fact: fact.claim_id == claim_id,
        count=len(copies),
        timeout=120,
    )
    telling.ok(f"{len(matched)} outputs matched with the claim that spreads; no text was stored")
    await session.facts(
        "refutation", refutation_facts.SpreadDetected, lambda fact: fact.claim_id == claim_id, timeout=60
    )
    await _matches_of_all(session, telling, once, claims, posts)
    announced = await session.facts(
        "refutation", refutation_facts.SpreadDetected, lambda fact: fact.claim_id == claim_id
    )
    found = max(announced, key=lambda fact: fact.level)
    telling.ok(f"spread announced up to level {found.level}: {found.matches} matches within the hour")
    await _notice(session, telling, claim_id)
    telling.figure("spreads announced", f"1 claim, level {found.level}, {found.matches} matches in an hour")
    return Spread(claim_id, found.level)


async def _matches_of_all(
    session: Session, telling: Telling, once: Sequence[RecordRequest], claims: dict[str, str], posts: list[Post]
) -> None:
    """Every refuted post was put out once: count those that were caught, and ordinary posts that were not."""
    generation_of = {item.command_id: post for item, post in zip(once, posts, strict=True)}
    wanted = sum(post.text in claims for post in posts)
    caught = await session.facts(
        "refutation",
        refutation_facts.ClaimMatched,
        lambda fact: (
            fact.generation_id in generation_of and claims.get(generation_of[fact.generation_id].text) == fact.claim_id
        ),
        count=wanted,
        timeout=120,
    )
    everything = await session.facts(
        "refutation", refutation_facts.ClaimMatched, lambda fact: fact.generation_id in generation_of
    )
    ordinary = {
        fact.generation_id
        for fact in everything
        if fact.band == refutation_model.BAND_AUTOMATIC and not generation_of[fact.generation_id].rumour
    }
    innocent = sum(not post.rumour for post in posts)
    telling.ok(f"{len(caught)} of {wanted} refuted posts were caught when repeated")
    telling.note(f"{len(ordinary)} of {innocent} ordinary posts matched automatically")
    telling.figure("refuted posts caught when repeated", f"{len(caught)} of {wanted}")
    telling.figure("ordinary posts matched automatically", f"{len(ordinary)} of {innocent}")


async def _notice(session: Session, telling: Telling, claim_id: str) -> None:
    stub = refutation_grpc.RefutationServiceStub(session.channel("refutation", "auditor", name="auditor"))
    notice = json.loads((await stub.GetNotice(refutation_pb2.GetNoticeRequest(claim_id=claim_id))).json_ld)
    if notice.get("@type") != "ClaimReview":
        raise StoryError("the notice is no ClaimReview")
    steps = (await stub.GetClaim(refutation_pb2.GetClaimRequest(claim_id=claim_id))).steps
    rating = notice["reviewRating"]["alternateName"]
    telling.ok(f"notice as ClaimReview: {rating}; {len(steps)} steps on record")


async def _refute_one(stub: refutation_grpc.RefutationServiceAsyncStub, post: Post) -> str:
    registered = await stub.RegisterClaim(
        refutation_pb2.RegisterClaimRequest(command_id=command_id(), text=post.text, locale=post.locale)
    )
    await stub.RecordVerdict(
        refutation_pb2.RecordVerdictRequest(
            command_id=command_id(),
            claim_id=registered.claim_id,
            verdict=refutation_model.VERDICT_FALSE,
            explanation=post.explanation,
            sources=[refutation_model.Source(title="Fact check", url=_SOURCE)],
        )
    )
    return registered.claim_id


def _said(post: Post, output: str) -> GenerationInput:
    return GenerationInput("demo-large", post.locale, "最近有什么新消息？", output)


def _moments(post: Post, now: datetime) -> list[datetime]:
    """When the copies are put out: as many as there were reposts, packed into the last half hour."""
    wanted = max(min(len(post.reposts), _MOST), _SHORTEST_SPREAD + 5)
    step = timedelta(minutes=30) / wanted
    return [now - timedelta(minutes=30) + step * number for number in range(wanted)]
