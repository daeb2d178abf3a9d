"""Outputs of the generation log matched with refuted claims."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

from candor.generation.v1.facts_pb2 import GenerationRecorded
from candor.refutation.v1 import facts_pb2, model_pb2
from deployment import Deployment

from .conftest import Refutation
from .samples import BATTERY, ORDINARY, PASSED_ON, VITAMIN, WATERMELON, Rumour

_REAL = 25
_FEWEST = 60  # characters


async def matched(deployment: Deployment, claim_id: str, count: int) -> dict[str, facts_pb2.ClaimMatched]:
    facts = await deployment.facts(
        "refutation", facts_pb2.ClaimMatched, lambda fact: fact.claim_id == claim_id, count=count, timeout=60
    )
    return {fact.generation_id: fact for fact in facts}


async def matched_output(deployment: Deployment, claim_id: str, generation_id: str) -> facts_pb2.ClaimMatched:
    """Wait for the match of this output: another one may repeat the claim as well, and be matched first."""
    facts = await deployment.facts(
        "refutation",
        facts_pb2.ClaimMatched,
        lambda fact: fact.claim_id == claim_id and fact.generation_id == generation_id,
        timeout=60,
    )
    return facts[0]


async def test_an_output_that_repeats_a_refuted_claim_is_matched_and_its_text_is_not_kept(
    refutation: Refutation, deployment: Deployment
) -> None:
    claim_id = await refutation.refute(BATTERY)
    secret = "my neighbour Quillfeather told me"
    embedded, changed, debunk, ordinary, last = await refutation.record(
        [
            f"{ORDINARY[1]} {secret}: {BATTERY.text}.",
            BATTERY.text.replace("5 years", "8 years"),
            f"“{BATTERY.text}” is going around. {BATTERY.truth}.",
            ORDINARY[1],
            BATTERY.text,
        ]
    )

    facts = await matched(deployment, claim_id, 3)

    assert set(facts) == {embedded, changed, last}
    assert {debunk, ordinary}.isdisjoint(facts)
    assert (facts[embedded].band, facts[embedded].containment) == (model_pb2.BAND_AUTOMATIC, 1.0)
    assert facts[changed].band == model_pb2.BAND_REVIEW
    assert facts[last].log_index > facts[embedded].log_index
    kept = await deployment.rows("refutation", "SELECT match::text AS kept FROM match WHERE claim_id = %s", claim_id)
    assert len(kept) == 3
    assert not any("Quillfeather" in row["kept"] or "batteries" in row["kept"] for row in kept)
    outbox = await deployment.rows(
        "refutation", "SELECT count(*) AS n FROM kit_outbox WHERE position('Quill' in encode(value, 'escape')) > 0"
    )
    assert outbox[0]["n"] == 0


async def test_matches_are_steps_of_the_claim(refutation: Refutation, deployment: Deployment) -> None:
    claim_id = await refutation.refute(VITAMIN)
    (generation_id,) = await refutation.record([VITAMIN.text])
    await matched(deployment, claim_id, 1)

    reply = await refutation.claim(claim_id)

    assert (reply.claim.matches, reply.claim.matches_last_hour, reply.claim.spread_level) == (1, 1, 0)
    (step,) = [step for step in reply.steps if step.kind == model_pb2.Step.KIND_MATCHED]
    assert generation_id in step.note
    assert step.actor == "candor.refutation.matcher"


async def test_a_claim_is_matched_from_its_refutation_on(refutation: Refutation, deployment: Deployment) -> None:
    rumour = Rumour(WATERMELON.text.replace("西瓜", "哈密瓜").replace("87", "64"), WATERMELON.truth, "zh-CN")
    claim_id = await refutation.register(rumour)
    (early,) = await refutation.record([rumour.text])
    await refutation.decide(claim_id, model_pb2.VERDICT_UNVERIFIED, "尚在核实")
    (before,) = await refutation.record([rumour.text])
    # Both have been read once a later output has a match of another claim.
    marker = Rumour(
        "码头仓库昨夜起火，烧掉了11辆崭新的公交车，公司经理当场宣布所有线路明天起停运", "没有火灾，公交正常", "zh-CN"
    )
    marker_id = await refutation.refute(marker)
    await refutation.record([marker.text] * 20)
    await matched(deployment, marker_id, 20)
    await refutation.decide(claim_id, model_pb2.VERDICT_FALSE, rumour.truth)
    (late,) = await refutation.record([rumour.text])

    facts = await matched(deployment, claim_id, 1)

    assert late in facts
    assert {early, before}.isdisjoint(facts)


def real_rumours(folder: Path) -> list[Rumour]:
    with gzip.open(folder / "rumors.jsonl.gz") as lines:
        texts = [line["text"] for line in map(json.loads, lines) if line["rumor"] and len(line["text"]) > _FEWEST]
    truth = "经核实，该消息与事实不符，请勿相信和传播"
    return [Rumour(text, truth, "zh-CN") for text in texts[:: len(texts) // _REAL]]


async def test_rumours_are_found_inside_answers(
    refutation: Refutation, deployment: Deployment, test_data: Path | None
) -> None:
    rumours = real_rumours(test_data) if test_data else list(PASSED_ON)
    claims = {await refutation.refute(rumour): rumour for rumour in rumours}
    generations = await refutation.record([f"{ORDINARY[0]}{rumour.text}{ORDINARY[0]}" for rumour in claims.values()])

    for claim_id, generation_id in zip(claims, generations, strict=True):
        assert (await matched_output(deployment, claim_id, generation_id)).containment == 1.0


async def test_outputs_that_cannot_be_read_now_are_matched_later(
    refutation: Refutation, deployment: Deployment
) -> None:
    rumour = Rumour(
        "图书馆后门的自动贩卖机昨天吐出了700枚假硬币，保安承认已经换给了来借书的学生，请检查你的零钱",
        "贩卖机只支持扫码支付，机内没有硬币",
        "zh-CN",
    )
    claim_id = await refutation.refute(rumour)
    await asyncio.to_thread(deployment.runner.kill_service, "refutation")
    (generation_id,) = await refutation.record([rumour.text])
    await deployment.facts("generation", GenerationRecorded, lambda fact: fact.generation_id == generation_id)
    await asyncio.to_thread(deployment.runner.kill_service, "generation")
    await asyncio.to_thread(deployment.runner.start_service, "refutation")
    # The consumer says that it waits; the service stays ready, because it lacks nothing itself.
    async with asyncio.timeout(60):
        while '"waiting"' not in deployment.runner.read_log("refutation").rsplit('"started"', 1)[-1]:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.2)
    await asyncio.to_thread(deployment.runner.start_service, "generation")

    assert (await matched_output(deployment, claim_id, generation_id)).containment == 1.0
