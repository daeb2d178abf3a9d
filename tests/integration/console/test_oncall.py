"""On-call's page as on-call works it: from the page that wakes to the receipt, by keyboard, in both languages."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor_cli.session import command_id
from candor_console.texts import in_language
from playwright.async_api import Locator, Page, expect

from .desk import Desk
from .keyboard import Keyboard

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}

pytestmark = pytest.mark.usefixtures("paged")


async def case_of(desk: Desk, title: str) -> escalation.ReportSignalResponse:
    """A leak with a page that has gone out; the clock it is about stands first."""
    reported = await desk.report_leak(title)
    stub = escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "auditor"))
    async with asyncio.timeout(20):
        while True:
            found = await stub.GetIncident(escalation.GetIncidentRequest(incident_id=reported.incident_id))
            paged = {page.clock_id for page in found.pages if page.HasField("sent_at")}
            if paged:
                ordered = sorted(reported.clock_ids, key=lambda clock_id: clock_id not in paged)
                del reported.clock_ids[:]
                reported.clock_ids.extend(ordered)
                return reported
            await asyncio.sleep(0.1)


def on(page: Page, clock_id: str) -> Locator:
    return page.locator(f"#case-{clock_id}")


@pytest.mark.parametrize(("language", "size"), [("en", PHONE), ("zh", DESKTOP)], ids=["en-phone", "zh-desktop"])
async def test_a_clock_is_worked_to_its_receipt_by_keyboard_alone(
    desk: Desk, language: str, size: dict[str, Any]
) -> None:
    t = in_language(language)
    reported = await case_of(desk, f"Keys {uuid4()}")
    clock_id = reported.clock_ids[0]
    page = await desk.signed_in("oncall", **size)
    await page.goto(f"/on-call?lang={language}")
    keys, case = Keyboard(page), on(page, clock_id)

    await keys.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await keys.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await keys.to(case.get_by_role("button", name=t("step.acknowledge")))
    await keys.press("Enter")
    await expect(page.locator(".note--done")).to_have_text(t("done.acknowledged"))
    await keys.to(case.get_by_role("button", name=t("step.draft")))
    await keys.press("Space")
    await expect(page.locator(".note--done")).to_have_text(t("done.drafted"))
    await _complete(page, keys, case, t)
    if await case.get_by_text(t("step.approve.cannot_wait")).count():
        await keys.to(case.get_by_text(t("step.approve.cannot_wait")))
        await keys.press("Enter")
    await keys.to(case.get_by_label(t("field.unapproved_reason")))
    await keys.write("nobody else is awake")
    await keys.to(case.get_by_role("button", name=t("submission.button")))
    await keys.press("Enter")
    await expect(page.locator(".note--done")).to_have_text(t("done.submitted"))
    await keys.to(case.get_by_label(t("field.reference")))
    await keys.write("CAC-2026-7")
    await keys.to(case.get_by_role("button", name=t("receipt.button")))
    await keys.press("Enter")
    await expect(page.locator(".note--done")).to_have_text(t("done.receipted"))
    await expect(case).to_have_count(0)
    assert await keys.stops()


async def _complete(page: Page, keys: Keyboard, case: Locator, t: Any) -> None:
    """Fill in whatever the form of the law wants, if it wants anything."""
    fields = case.locator("input[name^='fact.']")
    for round_of in range(3):
        if not await fields.count():
            return
        for number in range(await fields.count()):
            await keys.to(fields.nth(number))
            await keys.write(f"known {round_of}-{number}")
        await keys.to(case.get_by_role("button", name=t("step.complete.button")))
        await keys.press("Enter")
        await expect(page.locator(".note--done")).to_have_text(t("done.completed"))
    await keys.to(case.get_by_text(t("step.complete.as_it_is")))
    await keys.press("Enter")


async def test_what_runs_out_first_stands_first_with_time_bar_and_one_button(desk: Desk) -> None:
    reported = await case_of(desk, f"Order {uuid4()}")
    page = await desk.signed_in("oncall", java_script_enabled=False, **PHONE)
    await page.goto("/on-call")
    dues = [await time.get_attribute("datetime") or "" for time in await page.locator(".case .big time").all()]
    assert dues == sorted(dues)
    for clock_id in reported.clock_ids:
        case = on(page, clock_id)
        await expect(case.locator(".big")).to_contain_text(re.compile("left|overdue"))
        await expect(case.locator("svg.bar")).to_have_count(1)
        await expect(case.locator(".case-next button")).to_have_count(1)
    # Without JavaScript the step is taken as well.
    await on(page, reported.clock_ids[0]).get_by_role("button", name="Acknowledge the page").click()
    await expect(page.locator(".note--done")).to_have_text("The page is acknowledged.")


async def test_a_doubt_is_marked_with_what_is_not_known(desk: Desk) -> None:
    reported = await case_of(desk, f"Doubt {uuid4()}")
    page = await desk.signed_in("auditor")
    await page.goto("/on-call")
    marks = page.locator(", ".join(f"#case-{clock_id} .marks" for clock_id in reported.clock_ids))
    await expect(marks.filter(has_text="Started on a doubt").first.locator("code").first).to_have_text(
        re.compile(r"\w+")
    )
    # Who may not take a step sees whose it is, and no button.
    await expect(page.locator(".case-next button")).to_have_count(0)
    await expect(on(page, reported.clock_ids[0]).locator(".case-next")).to_contain_text("on-call")


async def test_a_stale_form_says_what_is_so_by_now(desk: Desk) -> None:
    reported = await case_of(desk, f"Stale {uuid4()}")
    clock_id = reported.clock_ids[0]
    page = await desk.signed_in("oncall", java_script_enabled=False)
    await page.goto("/on-call")
    for name, other in (("wang", "li"), ("li", "wang")):  # one proposes, the other approves
        stub = escalation_grpc.EscalationServiceStub(
            desk.deployment.channel("escalation", "privacy_officer", name=name)
        )
        decision = escalation.DecideNotToReportRequest(
            command_id=command_id(), clock_id=clock_id, reason="No data was concerned.", approved_by=other
        )
        await stub.DecideNotToReport(decision)
    await on(page, clock_id).get_by_role("button", name="Acknowledge the page").click()
    await expect(page.get_by_role("alert")).to_contain_text("Not done. This clock was stopped meanwhile")
    await expect(page.get_by_role("heading", name="Running out")).to_be_visible()
    await expect(on(page, clock_id)).to_have_count(0)


async def test_a_form_of_an_ended_session_says_so_and_leads_back(desk: Desk) -> None:
    reported = await case_of(desk, f"Expired {uuid4()}")
    page = await desk.signed_in("oncall", java_script_enabled=False)
    await page.goto("/on-call")
    await page.context.clear_cookies()
    await on(page, reported.clock_ids[0]).get_by_role("button", name="Acknowledge the page").click()
    await expect(page.locator("main")).to_contain_text("What you sent was not recorded.")
    await page.locator("main").get_by_role("link", name="Sign in").click()
    await desk.fill(page, "oncall", desk.password("oncall"))
    await page.wait_for_url("**/on-call")
    await expect(on(page, reported.clock_ids[0]).get_by_role("button", name="Acknowledge the page")).to_be_visible()
