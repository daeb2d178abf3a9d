"""Every page of the console against WCAG 2.2 AA, by axe in a real Chromium: languages, window sizes, colour schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import npm_readers
import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor.refutation.v1 import service_pb2 as refutation
from candor.refutation.v1 import service_pb2_grpc as refutation_grpc
from candor_cli.session import command_id
from candor_console import app
from candor_console.visit import Pages
from deployment import Deployment
from playwright.async_api import Browser, Page, expect
from starlette.routing import Route

from . import matters
from .desk import Desk
from .keyboard import Keyboard

SIZES: tuple[Any, ...] = ({"width": 390, "height": 844}, {"width": 1280, "height": 900})
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# By night only the colours are others.
COLOURS = ["color-contrast", "link-in-text-block"]
SCHEMES: dict[Any, dict[str, Any]] = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": COLOURS},
}
_RUN = """async (only) => {
  const found = await axe.run(document, { runOnly: only });
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" | ")}`);
}"""


@pytest.fixture(scope="module")
def axe(jar_cache: Path) -> str:
    return npm_readers.axe(jar_cache / "npm")


pytestmark = pytest.mark.usefixtures("paged")


@pytest.fixture(scope="module")
async def values(deployment: Deployment, browser: Browser, paged: dict[str, str]) -> dict[str, str]:
    """Something of everything to see; the value of every placeholder in an address."""
    assert paged
    desk = Desk(deployment, browser)
    opened = await desk.open_request(f"acct-{uuid4()}")
    reported = await desk.report_leak(f"Seen by everybody {uuid4()}")
    stub = escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "on_call", name="oncall"))
    for clock_id in reported.clock_ids[:2]:
        await stub.DraftReport(escalation.DraftReportRequest(command_id=command_id(), clock_id=clock_id))
    claims = refutation_grpc.RefutationServiceStub(desk.deployment.channel("refutation", "privacy_officer"))
    command = refutation.RegisterClaimRequest(
        command_id=command_id(), text="专家说多吃加碘食盐可以防核辐射，请大家赶快去超市抢购囤积。", locale="zh"
    )
    claim = await claims.RegisterClaim(command)
    identifier = uuid4().hex[:12]
    generation_id = await desk.flag(f"a11y-{identifier}", f"term{identifier}", f"acct-{uuid4()}")
    complained, complaint_id = await matters.complaint(desk, f"acct-{uuid4()}")
    await matters.proposal(desk, f"acct-{uuid4()}")
    return {
        "disposal_id": complained.disposal.disposal_id,
        "statement_id": next(ask.statement_id for ask in complained.asks if ask.statement_id),
        "complaint_id": complaint_id,
        "entry_id": await matters.entry(desk, f"Weights {uuid4()}"),
        "incident_id": reported.incident_id,
        "request_id": opened.request_id,
        "claim_id": claim.claim_id,
        "generation_id": generation_id,
    }


NO_PAGES = {"/live", "/sign-in/begin", "/sign-in/return", "/incidents/{incident_id}/proofs.zip", "/verifier/page"}
# What shows something only when it is asked for.
ASKED_FOR = (
    "/questions?incident={incident_id}",
    "/registers?register=technology_transfer",
    "/release?model=m&product=p",
    "/record/sanction?measure=MEASURE_WARN&product=chat",
)


def addresses(values: dict[str, str]) -> list[str]:
    """The address of every page there is, read from the routes, so that a new page is looked at too."""
    nobody: Any = None  # only the addresses are read; no page is made
    routes = [route for route in app.routes(Pages(nobody)) if isinstance(route, Route)]
    paths = [route.path for route in routes if "GET" in (route.methods or ()) and route.path not in NO_PAGES]
    return [path.format(**values) for path in (*paths, *ASKED_FOR)]


async def violations(page: Page, axe: str, where: str) -> list[str]:
    """What axe finds in the page as it stands, and what does not fit into the window."""
    await page.evaluate(axe)
    found = []
    for size in SIZES:
        await page.set_viewport_size(size)
        wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"{where} {size['width']}: {wide} pixels wider than the window")
        for scheme, only in SCHEMES.items():
            await page.emulate_media(color_scheme=scheme)
            found += [f"{where} {size['width']} {scheme}: {each}" for each in await page.evaluate(_RUN, only)]
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_page_is_accessible(desk: Desk, values: dict[str, str], axe: str, language: str) -> None:
    people = [await desk.signed_in(user) for user in ("officer", "oncall", "auditor", "operator")]
    stranger = await desk.page()
    seen: dict[str, int] = {}
    found = []
    for path in [*addresses(values), "/nowhere"]:
        # What can be done differs by role: where most can be done, with the eyes of two.
        eyes = 2 if path == "/on-call" or path == f"/incidents/{values['incident_id']}" else 1
        for page in [stranger] if path == "/sign-in" else people:
            if seen.get(path, 0) == eyes:
                break
            answer = await page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert answer is not None
            assert answer.status < 500, path
            if answer.status != 403:  # else it is not for this role
                seen[path] = seen.get(path, 0) + 1
                found += await violations(page, axe, f"{path} {language}")
    assert set(seen) == {*addresses(values), "/nowhere"}
    assert found == []


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desktop"])
async def test_every_page_is_gone_through_by_tab_and_left(
    desk: Desk, values: dict[str, str], size: dict[str, int]
) -> None:
    page = await desk.signed_in("officer", viewport=size)
    for path in addresses(values):
        answer = await page.goto(path)
        if answer is None or answer.status != 200:
            continue
        stops = await Keyboard(page).stops()
        assert 'class="skip"' in stops[0], path
        assert len(stops) > 3, path


async def test_the_page_behind_the_link_is_accessible_on_a_phone_and_acknowledges(
    desk: Desk, values: dict[str, str], axe: str, posted: list[dict[str, Any]]
) -> None:
    link = next(page["ack_url"] for page in posted if page["incident_id"] == values["incident_id"])
    page = await desk.page(
        viewport=SIZES[0], java_script_enabled=True, bypass_csp=True
    )  # axe is a script, the page has none
    await page.goto(link)
    found = await violations(page, axe, "asked")
    await page.set_viewport_size(SIZES[0])
    button = page.get_by_role("button", name="Acknowledge")
    await expect(button).to_contain_text("确认")
    box = await button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    await Keyboard(page).to(button)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Acknowledged")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("已确认")
    found += await violations(page, axe, "acknowledged")
    await page.goto(link)
    await expect(page.get_by_role("button")).to_have_count(0)
    found += await violations(page, axe, "asked again")
    await page.goto(f"{link[:-4]}AAAA")
    found += await violations(page, axe, "not ours")
    assert found == []
