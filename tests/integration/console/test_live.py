"""Pages that stay current by themselves: what happens appears, and nothing that a person holds is taken away."""

from __future__ import annotations

import asyncio
import re
import time
from uuid import uuid4

from playwright.async_api import Page, expect

from .desk import Desk

SOON = 15_000


async def live(desk: Desk, path: str, page: Page | None = None) -> Page:
    """A page that is listening."""
    page = page or await desk.signed_in("oncall")
    await page.goto(path)
    await expect(page.locator("#live")).to_have_text("Live", timeout=SOON)
    await page.evaluate("() => { window.same = true; }")
    return page


async def test_a_signal_appears_in_the_open_page_and_is_said(desk: Desk) -> None:
    page = await live(desk, "/on-call")
    took = []
    for number in range(5):
        begun = time.monotonic()
        reported = await desk.report_leak(f"Live {number} {uuid4()}")
        await page.wait_for_selector(f"#group-{reported.incident_id}")
        took.append(time.monotonic() - begun)
    print(f"\na signal to the open page: {', '.join(f'{seconds:.2f} s' for seconds in took)}")  # noqa: T201 - a figure
    assert max(took) < 5
    assert await page.evaluate("() => window.same") is True
    await expect(page.locator("#say")).to_have_text(re.compile("New clock: .* left"))
    assert await page.locator("#say").get_attribute("aria-live") == "polite"


async def test_focus_scroll_and_what_is_half_typed_stay(desk: Desk) -> None:
    reported = await desk.report_leak(f"Typing {uuid4()}")
    page = await live(desk, f"/incidents/{reported.incident_id}")
    duty = page.locator(f"#clock-{reported.clock_ids[0]}")
    await duty.get_by_role("button", name="Draft the report").click()
    await duty.get_by_text("Record a submission").click()
    await duty.get_by_label("Why it could not wait").fill("nobody else is awake")
    await duty.get_by_role("button", name="Record submission").click()
    await live(desk, f"/incidents/{reported.incident_id}", page)
    await duty.get_by_text("Record the receipt").click()
    field = duty.get_by_label("The authority's reference")
    await field.press_sequentially("CAC-20")
    top = await field.evaluate("(element) => element.getBoundingClientRect().top")
    other = await desk.signed_in("oncall")
    await other.goto(f"/incidents/{reported.incident_id}")
    drafting = other.locator(f"#clock-{reported.clock_ids[0]}").get_by_role("button", name="Draft again")
    await drafting.click()
    await expect(duty).to_contain_text("revision 2", timeout=SOON)
    await expect(field).to_be_focused()
    await expect(field).to_have_value("CAC-20")
    assert abs(await field.evaluate("(element) => element.getBoundingClientRect().top") - top) < 2
    await page.keyboard.type("26")
    await expect(field).to_have_value("CAC-2026")
    assert await page.evaluate("() => window.same") is True


async def test_signing_out_ends_the_stream_of_every_page_at_once(desk: Desk) -> None:
    page = await live(desk, "/on-call")
    other = await page.context.new_page()
    await other.goto("/")
    begun = time.monotonic()
    await other.get_by_role("button", name="Sign out").click()
    await page.bring_to_front()
    await expect(page.locator("#live")).to_contain_text("Your session has ended.", timeout=SOON)
    print(f"\nsigned out elsewhere, said after {time.monotonic() - begun:.2f} s")  # noqa: T201 - a figure
    await expect(page.locator("#live").get_by_role("link", name="Sign in")).to_be_visible()


async def test_a_service_that_is_away_is_said_and_comes_back(desk: Desk) -> None:
    page = await live(desk, "/on-call")
    runner = desk.deployment.runner
    await asyncio.to_thread(runner.stop_service, "escalation")
    try:
        await expect(page.locator("#live")).to_contain_text("a service is not answering", timeout=SOON)
        await expect(page.get_by_role("heading", name="Running out")).to_be_visible()
    finally:
        await asyncio.to_thread(runner.start_service, "escalation")
    await expect(page.locator("#live")).to_have_text("Live", timeout=2 * SOON)
    assert await page.evaluate("() => window.same") is True


async def test_the_console_stops_with_streams_open_and_pages_come_back(desk: Desk) -> None:
    page = await live(desk, "/on-call")
    runner = desk.deployment.runner
    begun = time.monotonic()
    await asyncio.to_thread(runner.stop_service, "console")
    took = time.monotonic() - begun
    print(f"\nthe console with an open stream stopped in {took:.2f} s")  # noqa: T201 - a figure
    try:
        assert took < 3
        await expect(page.locator("#live")).to_contain_text("connecting again", timeout=SOON)
    finally:
        await asyncio.to_thread(runner.start_service, "console")
    await expect(page.locator("#live")).to_have_text("Live", timeout=2 * SOON)
    reported = await desk.report_leak(f"After {uuid4()}")
    await page.wait_for_selector(f"#group-{reported.incident_id}")
    assert await page.evaluate("() => window.same") is True
    desk.complaints[:] = [said for said in desk.complaints if "ERR_CONNECTION_REFUSED" not in said]
