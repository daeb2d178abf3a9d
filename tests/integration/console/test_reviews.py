"""A flagged record in a real browser: found in the queue, read, taken, decided, appealed, decided again by another."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from candor.generation.v1 import facts_pb2 as facts
from candor.generation.v1 import model_pb2 as model
from candor.generation.v1 import review_pb2, review_pb2_grpc
from candor_cli.session import command_id
from playwright.async_api import Page, expect

from .desk import Desk


async def decide(page: Page, outcome: str, why: str, note: str) -> None:
    """Fill the form in as a person does."""
    await page.locator("#outcome").select_option(outcome)
    await page.locator("#why").select_option(why)
    await page.locator("#note").fill(note)
    await page.locator("form[action$='/decision'] button").click()
    await expect(page.get_by_role("status").first).to_be_visible()


async def decided(desk: Desk, generation_id: str, count: int) -> facts.ReviewDecided:
    found = await desk.deployment.facts(
        "generation", facts.ReviewDecided, lambda fact: fact.generation_id == generation_id, count=count
    )
    return found[-1]


@pytest.mark.clause("Deep Synthesis 10")
async def test_a_flagged_record_is_decided_and_its_appeal_by_another_person(desk: Desk) -> None:
    word, subject = f"forbidden{uuid4().hex[:8]}", f"user-{uuid4().hex[:8]}"
    generation_id = await desk.flag(f"console-{word}", word, subject)
    page = await desk.signed_in("oncall")
    await page.goto("/reviews")
    await page.locator(f"a[href='/reviews/{generation_id}']").click()
    await expect(page.locator("#output + pre")).to_have_text(f"They said {word}.")
    await expect(page.locator("main")).to_contain_text(f"console-{word}")
    await page.locator("form[action$='/assignment'] button").click()
    await expect(page.get_by_role("status").first).to_be_visible()
    await decide(page, "upheld", "confirmed", "as the standard has it")
    first = await decided(desk, generation_id, 1)
    assert (first.outcome, first.on_appeal, first.subject) == (model.REVIEW_OUTCOME_UPHELD, False, subject)
    await page.goto("/reviews?decided=1")
    await expect(page.locator(f"a[href='/reviews/{generation_id}']")).to_be_visible()

    backend = review_pb2_grpc.ReviewServiceStub(desk.deployment.channel("generation", "backend"))
    appeal = review_pb2.AppealReviewRequest(
        command_id=command_id(), generation_id=generation_id, subject=subject, statement="It was a quotation."
    )
    await backend.AppealReview(appeal)
    # Who decided before does not decide the appeal.
    await page.goto(f"/reviews/{generation_id}")
    await expect(page.locator("#statement + pre")).to_have_text("It was a quotation.")
    await decide_again(page)
    other = await desk.signed_in("officer")
    await other.goto("/reviews")
    await other.locator(f"a[href='/reviews/{generation_id}']").click()
    await decide(other, "released", "lawful_context", "a quotation, with its source")
    last = await decided(desk, generation_id, 2)
    assert (last.outcome, last.on_appeal) == (model.REVIEW_OUTCOME_RELEASED, True)
    await expect(other.locator(".timeline li")).to_have_count(2)


async def decide_again(page: Page) -> None:
    """The same person tries all the same, and is told why not."""
    await page.locator("#outcome").select_option("released")
    await page.locator("#why").select_option("judgement")
    async with page.expect_response(re.compile("/decision$")) as answered:
        await page.locator("form[action$='/decision'] button").click()
    assert (await answered.value).status == 403
    await expect(page.locator("main")).to_contain_text("SAME_PERSON")


async def test_an_auditor_sees_the_queue_and_no_text(desk: Desk) -> None:
    word = f"forbidden{uuid4().hex[:8]}"
    generation_id = await desk.flag(f"console-{word}", word, f"user-{word}")
    page = await desk.signed_in("auditor")
    await page.goto("/reviews")
    await expect(page.locator("main")).to_contain_text(generation_id[-8:])
    assert word not in await page.content()
    answer = await page.goto(f"/reviews/{generation_id}")
    assert answer is not None
    assert answer.status == 403
