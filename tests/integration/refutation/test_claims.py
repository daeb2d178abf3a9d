"""A claim from its registration to its public notice."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

import grpc
import httpx
import pytest
from candor.refutation.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from deployment import Deployment

from .conftest import SOURCE, Refutation
from .samples import BEES, SCHOOL, WATERMELON, Rumour

NOBODY = "0194f0c0-0000-7000-8000-00000000dead"


async def refusal_of(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    refusal = Refusal.from_rpc(raised.value)
    assert refusal is not None
    return refusal


async def test_a_refuted_claim_has_its_verdict_sources_and_steps_on_record(
    refutation: Refutation, deployment: Deployment
) -> None:
    claim_id = await refutation.refute(SCHOOL)

    reply = await refutation.claim(claim_id)

    assert (reply.claim.text, reply.claim.verdict) == (SCHOOL.text, model_pb2.VERDICT_FALSE)
    assert (reply.claim.explanation, list(reply.claim.sources)) == (SCHOOL.truth, [SOURCE])
    kinds = [model_pb2.Step.Kind.Name(step.kind) for step in reply.steps]
    assert kinds == ["KIND_REGISTERED", "KIND_VERDICT", "KIND_NOTICE_PUBLISHED"]
    assert {step.actor for step in reply.steps} == {"olga"}
    assert all(step.at.seconds for step in reply.steps)
    kinds_of_facts: tuple[type[Any], ...] = (
        facts_pb2.ClaimRegistered,
        facts_pb2.VerdictRecorded,
        facts_pb2.RefutationPublished,
    )
    for kind in kinds_of_facts:
        assert len(await deployment.facts("refutation", kind, lambda fact: fact.claim_id == claim_id)) == 1


async def test_the_notice_is_there_for_anyone_as_claim_review(refutation: Refutation, deployment: Deployment) -> None:
    claim_id = await refutation.refute(BEES, model_pb2.VERDICT_MISLEADING)
    notice = await refutation.stub.GetNotice(service_pb2.GetNoticeRequest(claim_id=claim_id))
    async with httpx.AsyncClient(base_url=deployment.http("refutation")) as anyone:
        page = await anyone.get(f"/refutations/{claim_id}")

    review = json.loads(notice.json_ld)
    assert (page.status_code, page.headers["content-type"]) == (200, "application/ld+json")
    assert page.json() == review
    assert (review["@type"], review["claimReviewed"]) == ("ClaimReview", BEES.text)
    assert review["reviewRating"]["alternateName"] == "Misleading"
    (published,) = await deployment.facts(
        "refutation", facts_pb2.RefutationPublished, lambda fact: fact.claim_id == claim_id
    )
    assert published.url == review["url"]


async def test_there_is_no_notice_of_what_is_not_refuted(refutation: Refutation, deployment: Deployment) -> None:
    claim_id = await refutation.refute(WATERMELON)
    await refutation.decide(claim_id, model_pb2.VERDICT_TRUE, "Confirmed after all by a second sample.")

    refusal = await refusal_of(refutation.stub.GetNotice(service_pb2.GetNoticeRequest(claim_id=claim_id)))
    async with httpx.AsyncClient(base_url=deployment.http("refutation")) as anyone:
        pages = [await anyone.get(f"/refutations/{name}") for name in (claim_id, NOBODY, "x")]

    assert refusal.reason == "NOT_REFUTED"
    assert [page.status_code for page in pages] == [404, 404, 404]
    assert [page.json()["reason"] for page in pages] == ["NOT_REFUTED", "CLAIM_UNKNOWN", "CLAIM_UNKNOWN"]
    assert {page.headers["content-type"] for page in pages} == {"application/problem+json"}


async def test_refusals_say_why_and_about_which_field(refutation: Refutation) -> None:
    rumour = Rumour("A quiet harbour town sold its only lighthouse to a stranger for 7 coins last night", "No.", "en")
    claim_id = await refutation.register(rumour)
    undecided = service_pb2.RecordVerdictRequest(
        command_id=command_id(), claim_id=claim_id, verdict=model_pb2.VERDICT_FALSE, explanation="No."
    )
    unknown = service_pb2.RecordVerdictRequest(
        command_id=command_id(), claim_id=NOBODY, verdict=model_pb2.VERDICT_TRUE, explanation="Yes."
    )

    short = await refusal_of(refutation.register(Rumour("太短了", "", "zh")))
    exists = await refusal_of(refutation.register(Rumour(rumour.text.upper() + "!!", "", "en")))
    unsourced = await refusal_of(refutation.stub.RecordVerdict(undecided))
    missing = await refusal_of(refutation.stub.RecordVerdict(unknown))

    assert (short.reason, short.violations[0].field) == ("CLAIM_TOO_SHORT", "text")
    assert exists.reason == "CLAIM_EXISTS"
    assert (unsourced.reason, unsourced.violations[0].field) == ("SOURCES_REQUIRED", "sources")
    assert missing.reason == "CLAIM_UNKNOWN"


async def test_an_auditor_reads_and_does_not_decide(refutation: Refutation) -> None:
    auditor = refutation.stub_for("auditor", name="anna")
    request = service_pb2.RegisterClaimRequest(command_id=command_id(), text=SCHOOL.text, locale="zh")

    refusal = await refusal_of(auditor.RegisterClaim(request))

    assert refusal.reason == "WRONG_ROLE"
    assert await auditor.ListClaims(service_pb2.ListClaimsRequest())


async def test_a_claim_comes_in_by_topic_as_json_and_a_repeat_registers_nothing(
    refutation: Refutation, deployment: Deployment
) -> None:
    text = "凌晨两点有人在水库里倒了4桶农药，自来水公司要求全城停止用水三天，超市的矿泉水已经被抢光了"
    command = service_pb2.RegisterClaimRequest(command_id=command_id(), text=text, locale="zh-CN")
    for _time in range(2):
        await deployment.emit("refutation", command, as_json=True)
    by_rpc = await refutation.stub_for("backend", name="b").RegisterClaim(command)

    facts = await deployment.facts(
        "refutation", facts_pb2.ClaimRegistered, lambda fact: fact.claim_id == by_rpc.claim_id
    )

    assert len(facts) == 1
    assert (await refutation.claim(by_rpc.claim_id)).claim.text == text


async def test_pages_of_claims_go_on_where_the_last_one_ended(refutation: Refutation) -> None:
    words = [f"{letter}word" for letter in "abcdefghijklm"]
    made = [await refutation.register(Rumour(" ".join(words[turn:] + words[:turn]), "", "en")) for turn in range(5)]

    seen: list[str] = []
    token = ""
    while True:
        page = await refutation.stub.ListClaims(service_pb2.ListClaimsRequest(page_size=2, page_token=token))
        seen += [claim.claim_id for claim in page.claims]
        token = page.next_page_token
        if not token:
            break
        assert len(page.claims) == 2

    assert len(seen) == len(set(seen))
    assert [claim_id for claim_id in seen if claim_id in made] == made[::-1]
    spoiled = await refusal_of(refutation.stub.ListClaims(service_pb2.ListClaimsRequest(page_token="c3BvaWxlZA==")))
    assert (spoiled.reason, spoiled.violations[0].field) == ("INVALID_FIELD", "page_token")
