"""Questions, the roster, disposals and registers as people work them in a browser, wrong input included."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor_cli.session import command_id
from playwright.async_api import Locator, Page, expect

from . import matters
from .chain import SCHEDULE
from .desk import Desk, ago

pytestmark = pytest.mark.usefixtures("paged")
FILED = "provider_name service_form application_field algorithm_type self_assessment public_content"


def local(**offset: float) -> str:
    """As a field for date and time takes it."""
    return f"{datetime.now(UTC) + timedelta(**offset):%Y-%m-%dT%H:%M}"


def wrong(page: Page, field: str) -> Locator:
    """What is said at a field."""
    return page.locator(f"#{field}-wrong")


async def send(form: Locator) -> None:
    await form.locator("button").last.click()


def question(page: Page, name: str) -> Locator:
    return page.locator(".questions > li").filter(has=page.locator(f"code:text-is('{name}')"))


async def test_an_answer_stops_a_clock_and_the_page_says_which(desk: Desk) -> None:
    reported = await desk.report_leak(f"Asked {uuid4()}")
    page = await desk.signed_in("oncall", java_script_enabled=False)
    await page.goto(f"/questions?incident={reported.incident_id}")
    asked = question(page, "risk_unlikely")
    await expect(asked).to_contain_text(re.compile("left.*until the first clock that hangs on it"))
    await asked.locator("summary").click()
    await asked.get_by_label("Nobody knows yet").check()
    await send(asked.locator("form"))
    await expect(page.locator("#news-none")).to_be_visible()
    await page.goto(f"/questions?incident={reported.incident_id}")
    await expect(asked).to_have_count(1)  # nobody knows: it stays open, and the clock runs on
    await asked.locator("summary").click()
    await asked.get_by_label("Yes").check()
    await send(asked.locator("form"))
    await expect(page.locator("#news-fell")).to_contain_text("GDPR art 33(1)")
    await page.goto(f"/incidents/{reported.incident_id}")
    await expect(question(page, "risk_unlikely")).to_have_count(0)


async def test_an_instant_that_is_told_starts_a_clock(desk: Desk) -> None:
    reporter = escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "on_call"))
    seen = escalation.ReportedAnchor(name="ordered", at=ago(hours=2), evidence="test")
    reported = await reporter.ReportSignal(
        escalation.ReportSignalRequest(
            command_id=command_id(), kind="pi_leak", title=f"Unaware {uuid4()}", anchors=[seen], source="on-call"
        )
    )
    assert not reported.clock_ids
    page = await desk.signed_in("officer")
    await page.goto(f"/incidents/{reported.incident_id}")
    asked = question(page, "aware")
    await asked.locator("summary").click()
    await asked.get_by_label("Instant").fill(local(hours=-1))
    await send(asked.locator("form"))
    await expect(page.locator("#news-rose")).to_contain_text("GDPR art 33(1)")
    await expect(page.locator("#news-rose")).to_contain_text("left")
    assert f"/incidents/{reported.incident_id}?" in page.url


async def test_a_stand_in_is_put_on_call_and_ended_and_wrong_periods_are_said_at_their_field(desk: Desk) -> None:
    page = await desk.signed_in("oncall", java_script_enabled=False)
    await page.goto("/roster")
    await expect(page.get_by_role("heading", name=f"Next shifts: {SCHEDULE}")).to_be_visible()
    form = page.locator("#form-override")
    await form.get_by_label("Who stands in").fill("colleague")
    await form.get_by_label("From").fill(local(hours=-5))
    await form.get_by_label("Until").fill(local(hours=-4))
    await form.get_by_label("Why").fill("ill today")
    await send(form)
    await expect(wrong(page, "override-ends_at")).to_contain_text("past")
    await expect(form.get_by_label("Until")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert")).to_contain_text("PERIOD_INVALID")
    await expect(form.get_by_label("Who stands in")).to_have_value("colleague")
    await form.get_by_label("Until").fill(local(hours=4))
    await form.get_by_label("Why").fill("   ")
    await send(form)
    await expect(wrong(page, "override-reason")).to_be_visible()
    await form.get_by_label("Why").fill("ill today")
    await send(form)
    await expect(page.locator(".note--done")).to_have_text("The stand-in is on the roster.")
    now = page.get_by_role("table", name="On call now")
    await expect(now).to_contain_text("colleague")
    made = page.locator(".rows li", has_text="ill today").last
    await made.get_by_role("button", name="End now: colleague").click()
    await expect(page.locator(".note--done")).to_have_text("The stand-in has ended.")
    await expect(now).to_contain_text("duty-officer")
    await expect(made).to_contain_text("ended by oncall")


@pytest.mark.clause("Generative AI Measures 14")
async def test_a_proposal_is_followed_and_the_backend_is_asked(desk: Desk) -> None:
    subject = f"user-{uuid4().hex[:8]}"
    proposed = await matters.proposal(desk, subject)
    page = await desk.signed_in("officer", java_script_enabled=False)
    await page.goto("/proposals")
    await page.locator(f"#proposal-{proposed.proposal_id}").get_by_role("link", name="Order it").click()
    form = page.locator("#form-disposal")
    await expect(form.get_by_label("Measure")).to_have_value("MEASURE_STOP_TRANSMISSION")
    await expect(form.get_by_label("Generation")).to_have_value(proposed.generation_id)
    await form.get_by_label("Data subject").fill(subject)
    await form.get_by_label("Legal basis").fill("Generative AI Measures 14")
    await form.get_by_label("What happened").fill("no")
    await form.get_by_label("Why that is").fill("It was upheld in review.")
    await send(form)
    await expect(wrong(page, "disposal-grounds-facts")).to_be_visible()
    await form.get_by_label("What happened").fill("A refuted rumour was generated.")
    await send(form)
    await expect(page.locator(".note--done")).to_have_text("It is on record.")
    asks = page.get_by_role("table", name="Asked of the backend")
    await expect(asks.get_by_role("row", name=re.compile("Carry it out"))).to_contain_text("waiting")
    await page.get_by_role("link", name="Statement of reasons").click()
    await expect(page.locator("main")).to_contain_text("A refuted rumour was generated.")
    await page.goto("/proposals")
    await expect(page.locator(f"#proposal-{proposed.proposal_id}")).to_have_count(0)
    other = await matters.proposal(desk, subject)
    await page.goto("/proposals")
    await page.locator(f"#proposal-{other.proposal_id}").get_by_role("button", name="Nothing follows").click()
    await expect(page.locator(".note--done")).to_have_text("The proposal is dismissed.")
    await expect(page.locator(f"#proposal-{other.proposal_id}")).to_have_count(0)


@pytest.mark.clause("DSA 20")
async def test_a_complaint_is_decided_by_another_person_and_the_report_comes_as_a_file(desk: Desk) -> None:
    found, complaint_id = await matters.complaint(desk, f"user-{uuid4().hex[:8]}")
    page = await desk.signed_in("officer")
    await page.goto("/complaints")
    await page.locator(f"a[href='/complaints/{complaint_id}']").click()
    await expect(page.locator("#said + pre")).to_have_text("It was satire.")
    form = page.locator("#form-complaint")
    await form.locator("select").select_option("COMPLAINT_OUTCOME_REVERSED")
    await form.get_by_label("Reasons").fill("It was satire indeed.")
    await form.get_by_label("Manifestly unfounded").check()
    await send(form)
    await expect(page.get_by_role("alert")).to_contain_text("a complaint that is granted is not unfounded")
    await form.get_by_label("Manifestly unfounded").uncheck()
    await send(form)
    await expect(page.locator(".note--done")).to_have_text("It is on record.")
    await expect(page.locator("#form-complaint")).to_have_count(0)
    await page.goto(f"/disposals/{found.disposal.disposal_id}")
    await expect(page.locator(".head .state")).to_have_text("reversed")
    await page.get_by_text("Record an out-of-court body").click()
    dispute = page.locator("#form-out_of_court")
    await dispute.locator("#out_of_court-body").fill("Appeals Centre")
    await dispute.locator("#out_of_court-reference").fill("ACE-7")
    await send(dispute)
    await expect(page.locator("#disputes + .rows")).to_contain_text("ACE-7")
    await page.goto("/disposals/report")
    await page.get_by_label("File").select_option("csv")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    file = await download.value
    assert file.suggested_filename.endswith(".csv")
    assert "," in (await file.path()).read_text("utf-8-sig")
    refused = await page.request.get("/disposals/report?format=csv&kind=dsa&from=2026-02-01T00:00&to=2026-01-01T00:00")
    assert refused.status == 400


@pytest.mark.clause("Generative AI Measures 17")
async def test_an_entry_is_recorded_and_a_release_says_what_is_missing(desk: Desk) -> None:
    product = f"chat-{uuid4().hex[:8]}"
    page = await desk.signed_in("officer", java_script_enabled=False)
    await page.goto(f"/release?model=m-1&product={product}")
    await expect(page.locator(".note--refused")).to_contain_text("It may not be released yet.")
    gates = page.get_by_role("table", name="Gates")
    await expect(gates.get_by_text("missing", exact=True)).to_have_count(3)
    await gates.get_by_role("row", name=re.compile("Security assessments")).get_by_role("link").click()
    form = page.locator("#form-entry")
    await expect(form.get_by_label("Register", exact=True)).to_have_value("REGISTER_SECURITY_ASSESSMENT")
    await form.get_by_label("Title").fill(f"Assessment of {product}")
    await form.get_by_label("State").fill("passed")
    await form.get_by_label("Holds until").fill(local(days=40))
    await send(form)
    await expect(wrong(page, "entry-fields")).to_contain_text("passed needs scope, assessor")
    await form.get_by_label("Fields").fill("scope: the whole service\nassessor")
    await send(form)
    await expect(wrong(page, "entry-fields")).to_contain_text("not in its form")
    await form.get_by_label("Fields").fill("scope: the whole service\nassessor: Example Lab")
    await send(form)
    await expect(page.locator("#version-1")).to_contain_text("Example Lab")
    await page.get_by_role("link", name="Record the next version").click()
    await page.locator("#form-entry").get_by_label("State").fill("passed")
    await page.locator("#form-entry").get_by_label("Fields").fill("assessor: Another Lab")
    await send(page.locator("#form-entry"))
    await expect(page.locator(".duty h3").first).to_have_text("Version 2")
    await expect(page.locator("#version-2")).to_contain_text("the whole service")
    await page.goto(f"/release?model=m-1&product={product}")
    await expect(gates.get_by_text("missing", exact=True)).to_have_count(2)
    await expect(page.get_by_role("button", name="Record")).to_have_count(0)


async def test_a_transfer_is_decided_by_another_person_than_who_asked(desk: Desk) -> None:
    title = f"Weights {uuid4().hex[:8]}"
    await matters.entry(desk, title)
    page = await desk.signed_in("officer")
    await page.goto("/registers?register=technology_transfer")
    await page.get_by_role("link", name=title).click()
    form = page.locator("#form-decide_transfer")
    await form.get_by_label("Allow it").check()
    await form.get_by_label("Reason").fill("It is the public version of it.")
    await send(form)
    await expect(wrong(page, "decide_transfer-licence")).to_contain_text("licence")
    await form.get_by_label("Licence").fill("MOFCOM 2026-7")
    await send(form)
    await expect(page.locator(".head .state")).to_have_text("allowed")
