"""On-call's page when one event raises some thirty duties: one incident, its most urgent duty, the rest in order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor_cli.session import command_id
from deployment import Deployment
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.async_api import Locator, expect

from .desk import Desk
from .keyboard import Keyboard
from .test_live import SOON, live

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
MANY = 17


@pytest.fixture(scope="module", autouse=True)
async def everywhere(deployment: Deployment, paged: dict[str, str]) -> None:
    """A company that has said nothing of itself: every law may apply to it."""
    await asyncio.to_thread(deployment.runner.restart_service, "escalation", {**paged, "CANDOR_PROFILE": "{}"})


def stub(desk: Desk) -> Any:
    return escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "on_call", name="zhao"))


async def dues(cases: Locator) -> list[datetime]:
    """When the clocks of cases fall due, in the order in which they stand."""
    times = cases.locator("summary .big time")
    return [datetime.fromisoformat(await time.get_attribute("datetime") or "") for time in await times.all()]


async def test_an_incident_of_many_clocks_is_one_group_that_fits_a_phone_and_hides_nothing_pressing(
    desk: Desk,
) -> None:
    reported = await desk.report_leak(f"Many {uuid4()}")
    assert len(reported.clock_ids) >= MANY
    page = await desk.signed_in("oncall", java_script_enabled=False, **PHONE)
    await page.goto("/on-call")
    group = page.locator(f"#group-{reported.incident_id}")
    cases, folded = group.locator(".case"), group.locator(".rest .case")
    await expect(cases).to_have_count(len(reported.clock_ids))
    ordered = await dues(cases)
    assert ordered == sorted(ordered)
    hour = datetime.now(UTC) + timedelta(hours=1)
    assert all(due > hour for due in await dues(folded))
    pressing = sum(due <= hour for due in ordered)
    opened = group.locator(".case > details[open]")
    await expect(opened).to_have_count(max(1, pressing))
    for number in range(max(1, pressing)):
        await expect(opened.nth(number).locator(".case-next button").first).to_be_visible()
    for number in range(await folded.count()):
        await expect(folded.nth(number)).not_to_be_visible()
    height = await group.evaluate("(element) => element.getBoundingClientRect().height")
    print(f"\n{len(ordered)} clocks, {pressing} within the hour: {height:.0f} pixels")  # noqa: T201 - a figure
    assert height < (max(1, pressing) + 1) * PHONE["viewport"]["height"]

    page = await desk.signed_in("oncall", **PHONE)
    await page.goto("/on-call")
    group = page.locator(f"#group-{reported.incident_id}")
    folded = group.locator(".rest .case")
    keys = Keyboard(page)
    await keys.to(group.locator(".rest > summary"))
    await keys.press("Enter")
    await keys.to(folded.first.locator("summary"))
    await keys.press("Enter")
    await keys.to(folded.first.locator(".case-next button").first)
    await keys.press("Enter")
    await expect(page.locator(".note--done")).to_be_visible()


async def test_what_is_open_and_has_the_focus_stays_when_the_page_changes(desk: Desk) -> None:
    reported = await desk.report_leak(f"Open {uuid4()}")
    page = await live(desk, "/on-call")
    group = page.locator(f"#group-{reported.incident_id}")
    await group.locator(".rest > summary").click()
    case = group.locator(".rest .case[data-say-overdue='Overdue: GDPR art 33(1)']")
    summary = case.locator("summary").first
    await summary.focus()
    await page.keyboard.press("Enter")
    identifier = await case.get_attribute("id")
    assert identifier
    before = await group.locator(".case").count()

    # A duty falls: the page changes around what is open.
    await stub(desk).RecordFacts(
        escalation.RecordFactsRequest(
            command_id=command_id(),
            incident_id=reported.incident_id,
            facts={"harm_avoided": Value(bool_value=True), "significant": Value(bool_value=False)},
            source="on-call",
        )
    )
    await expect(group.locator(".case")).not_to_have_count(before, timeout=SOON)
    moving = page.locator(f"#{identifier}")
    await expect(group.locator(".rest")).to_have_attribute("open", "")
    await expect(moving.locator("details").first).to_have_attribute("open", "")
    await expect(summary).to_be_focused()

    # It becomes pressing: it leaves the fold, still open, still with the focus.
    earlier = Timestamp()
    earlier.FromDatetime(datetime.now(UTC) - timedelta(hours=71, minutes=30))
    await stub(desk).CorrectAnchor(
        escalation.CorrectAnchorRequest(
            command_id=command_id(),
            incident_id=reported.incident_id,
            name="aware",
            at=earlier,
            reason="The gateway's log shows it.",
        )
    )
    await expect(page.locator(f"#shown-{reported.incident_id} > #{identifier}")).to_be_visible(timeout=SOON)
    await expect(moving.locator("details").first).to_have_attribute("open", "")
    await expect(moving.locator("summary").first).to_be_focused()
    assert await page.evaluate("() => window.same") is True
