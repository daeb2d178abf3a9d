"""The console as people use it: a real Chromium on the whole system."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor.rights.v1 import service_pb2 as rights
from candor_console import moments
from candor_console.texts import in_language
from playwright.async_api import expect

from .desk import Desk


async def test_an_officer_signs_in_and_sees_a_request_with_its_due_date(desk: Desk) -> None:
    subject = f"acct-{uuid4()}"
    opened = await desk.open_request(subject)
    page = await desk.page()
    await page.goto("/requests")  # nobody is signed in: to the form, and back here afterwards
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    wrong = await desk.fill(page, "officer", "wrong")
    assert wrong is not None
    assert wrong.status == 403
    await expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    await desk.fill(page, "officer", desk.password("officer"))
    await page.wait_for_url("**/requests")
    row = page.locator("tbody tr").filter(has=page.locator(f'a[href="/requests/{opened.request_id}"]'))
    await expect(row).to_contain_text(moments.utc(opened.strict_due.ToDatetime(tzinfo=UTC)))
    await expect(row).to_contain_text(re.compile(r"\d+ d \d+ h left"))
    await expect(row).to_contain_text(opened.citation)
    assert subject not in await page.content()


async def test_a_view_of_a_persons_data_is_on_record_under_the_viewers_name(desk: Desk) -> None:
    subject = f"acct-{uuid4()}"
    opened = await desk.open_request(subject)
    page = await desk.signed_in("officer")
    await page.goto(f"/requests/{opened.request_id}")
    await expect(page.locator("main")).to_contain_text(subject)
    await expect(page.locator("main")).to_contain_text("Your view is on record as officer.")
    auditor = await desk.signed_in("auditor")
    await auditor.goto("/views?service=rights")
    row = auditor.locator("tbody tr").filter(has_text=opened.request_id)
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("officer")
    await expect(row).to_contain_text("GetRequest")
    await expect(row).to_contain_text("OK")
    assert subject not in await auditor.content()


async def test_an_auditor_sees_the_list_and_no_person(desk: Desk) -> None:
    subject = f"acct-{uuid4()}"
    opened = await desk.open_request(subject)
    page = await desk.signed_in("auditor")
    await page.goto("/requests")
    await expect(page.locator("tbody")).to_contain_text(opened.request_id[-8:])
    refused = await page.goto(f"/requests/{opened.request_id}")
    assert refused is not None
    assert refused.status == 403
    assert subject not in await page.content()


async def test_a_post_without_our_token_or_from_elsewhere_is_refused(desk: Desk) -> None:
    page = await desk.signed_in("officer")
    token = await page.get_attribute('form[action="/sign-out"] input[name="csrf"]', "value")
    own, foreign = desk.url, "https://evil.example"
    assert token is not None
    for sent, origin in (("", own), ("guessed", own), (token, foreign)):
        answer = await page.request.post("/sign-out", form={"csrf": sent}, headers={"Origin": origin})
        assert answer.status == 403
    await page.goto("/")
    await expect(page.locator(".person")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_record_that_was_set_aside_shows_up(desk: Desk) -> None:
    command = rights.OpenRequestRequest(command_id=str(uuid4()))
    identifier = await desk.deployment.emit("rights", command, value=b"\xff\xff no protobuf")
    await desk.deployment.dead_letters("rights", lambda headers: headers.get("ce_id") == identifier)
    page = await desk.signed_in("operator")
    await page.goto("/dead-letters")
    row = page.locator("tbody tr").filter(has_text=identifier)
    await expect(row).to_contain_text("MALFORMED")
    await expect(row).to_contain_text("candor.rights.v1.OpenRequestRequest")
    await expect(row).to_contain_text("candor.rights.intake.v1")
    assert "no protobuf" not in await page.content()
    await page.goto("/")
    await expect(page.locator("#tile-dead-letters .some").filter(has_text="rights")).to_be_visible()


async def test_on_call_works_an_incident_to_its_receipt(desk: Desk) -> None:
    title = f"Transcripts were readable {uuid4()}"
    reported = await desk.report_leak(title)
    assert reported.clock_ids
    page = await desk.signed_in("oncall", viewport={"width": 390, "height": 844})
    await page.goto("/clocks")
    await page.get_by_role("link", name=title).click()
    duty = page.locator(f"#clock-{reported.clock_ids[0]}")
    await duty.get_by_role("button", name="Draft the report").click()
    await expect(page.get_by_role("status").first).to_have_text("The report is drafted.")
    await expect(duty.locator("pre[lang='zh-CN']")).to_have_count(1)
    await duty.get_by_text("Record a submission").click()
    await duty.get_by_label("Why it could not wait").fill("nobody else is awake")
    await duty.get_by_role("button", name="Record submission").click()
    await expect(page.get_by_role("status").first).to_have_text("The submission is on record.")
    await duty.get_by_text("Record the receipt").click()
    await duty.get_by_label("The authority's reference").fill("CAC-2026-7")
    await duty.get_by_role("button", name="Record receipt and stop the clock").click()
    await expect(page.get_by_role("status").first).to_have_text("The receipt is on record.")
    await expect(duty).to_contain_text("receipt on record")
    await expect(duty).to_contain_text("CAC-2026-7")


async def test_a_form_that_is_sent_twice_acts_once(desk: Desk) -> None:
    reported = await desk.report_leak(f"Twice {uuid4()}")
    page = await desk.signed_in("oncall")
    await page.goto(f"/incidents/{reported.incident_id}")
    form = page.locator(f"#clock-{reported.clock_ids[0]} form[action$='/draft']")
    names = ("csrf", "command_id", "clock_id")
    fields: dict[str, str | float | bool] = {
        name: await form.locator(f"input[name={name}]").get_attribute("value") or "" for name in names
    }
    for _ in range(2):
        answer = await page.request.post(
            f"/incidents/{reported.incident_id}/draft", form=fields, headers={"Origin": desk.url}, max_redirects=0
        )
        assert answer.status == 303
    stub = escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "auditor"))
    found = await stub.GetIncident(escalation.GetIncidentRequest(incident_id=reported.incident_id))
    assert {draft.revision for draft in found.drafts} == {1}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_time_left_counts_down_in_the_same_words_as_the_server(desk: Desk, language: str) -> None:
    reported = await desk.report_leak(f"Counted {uuid4()}")
    page = await desk.signed_in("oncall")
    await page.goto(f"/incidents/{reported.incident_id}?lang={language}")
    await expect(page.locator("#live")).to_have_attribute("data-state", "on")  # it has asked for itself once
    clock = page.locator("time[data-left]").first
    for left in (
        timedelta(days=3, hours=5),
        timedelta(hours=2, minutes=3),
        timedelta(minutes=7),
        timedelta(seconds=40),
    ):
        for due in (datetime.now(UTC) + left, datetime.now(UTC) - left):
            # The server's words while the page's own clock ticks; a second or two passes until they are read.
            words = {
                moments.left(due, due - left * sign + timedelta(seconds=n), in_language(language))
                for n in range(-2, 6)
                for sign in (1, -1)
            }
            await clock.evaluate("(clock, due) => { clock.dateTime = due; clock.textContent = ''; }", moments.iso(due))
            await expect(clock).to_have_text(re.compile("|".join(f"^{re.escape(word)}$" for word in words)))


async def test_the_page_works_without_javascript(desk: Desk) -> None:
    opened = await desk.open_request(f"acct-{uuid4()}")
    page = await desk.signed_in("officer", java_script_enabled=False)
    await page.goto("/requests")
    row = page.locator("tbody tr").filter(has=page.locator(f'a[href="/requests/{opened.request_id}"]'))
    await expect(row).to_contain_text("left")


async def test_a_service_that_is_away_is_named_and_the_rest_stands(desk: Desk) -> None:
    await desk.open_request(f"acct-{uuid4()}")
    page = await desk.signed_in("officer")
    runner = desk.deployment.runner
    await asyncio.to_thread(runner.stop_service, "refutation")
    try:
        await page.goto("/")
        await expect(page.locator("#tile-claims")).to_contain_text("refutation is not answering")
        await expect(page.locator("#tile-requests .figure")).not_to_have_text("0")
        answer = await page.goto("/claims")
        assert answer is not None
        assert answer.status == 503
        assert (await page.request.get("/readyz")).status == 200
    finally:
        await asyncio.to_thread(runner.start_service, "refutation")
    async with asyncio.timeout(30):  # the console tries again to connect every two seconds
        while (again := await page.goto("/claims")) is None or again.status == 503:
            await page.wait_for_timeout(300)
    await expect(page.get_by_role("heading", name="Claims")).to_be_visible()


@pytest.mark.parametrize("user", ["officer", "oncall", "auditor", "operator"])
async def test_every_page_of_the_menu_opens_in_both_languages(desk: Desk, user: str) -> None:
    page = await desk.signed_in(user)
    paths = [await link.get_attribute("href") or "" for link in await page.locator(".nav a").all()]
    assert "/" in paths
    for language in ("en", "zh"):
        for path in paths:
            answer = await page.goto(f"{path}?lang={language}")
            assert answer is not None
            assert answer.status == 200, path
            await expect(page.locator("main h1, main h2").first).to_be_attached()
