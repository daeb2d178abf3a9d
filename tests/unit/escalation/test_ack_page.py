from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from candor_escalation import ack_page
from candor_escalation.domain.clock import RECEIPTED, stop
from candor_escalation.domain.incident import OPEN, Incident
from candor_escalation.domain.link import Link, Used, sign
from candor_escalation.domain.paging import acknowledged
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.pages import Shown
from candor_escalation.http import AckPages
from starlette.applications import Starlette
from starlette.testclient import TestClient

from .builders import HOUR, INCIDENT, NOON, PAGE, clock, page

CONSOLE = "https://console.example.com"
KEY = bytes(range(32))
TITLE = '<script>alert("x")</script> & co'
SHOWN = Shown(page(), Incident(INCIDENT, "pi_leak", TITLE, "", OPEN, NOON, 1), clock())
SEEN = acknowledged(page(), "<anna>", NOON, NOON + HOUR)
DRILL = replace(SHOWN, incident=replace(SHOWN.incident, drill=True))
PICTURES = {
    "confirm": ack_page.confirm(SHOWN, CONSOLE),
    "confirm-used": ack_page.confirm(replace(SHOWN, page=SEEN), CONSOLE),
    "confirm-stopped": ack_page.confirm(replace(SHOWN, clock=stop(clock(), RECEIPTED, NOON)), CONSOLE),
    "acknowledged": ack_page.acknowledged(replace(SHOWN, page=SEEN), CONSOLE),
    "used": ack_page.used("<anna>", NOON, CONSOLE),
    "drill": ack_page.confirm(DRILL, CONSOLE),
    "drill-stopped": ack_page.confirm(replace(DRILL, clock=stop(clock(), RECEIPTED, NOON)), CONSOLE),
    "drill-used": ack_page.confirm(replace(DRILL, page=SEEN), CONSOLE),
    "drill-acknowledged": ack_page.acknowledged(replace(DRILL, page=SEEN), CONSOLE),
    "expired": ack_page.expired(NOON, CONSOLE),
    "refused": ack_page.refused("没有。", "None.", CONSOLE),
}


class Outline(HTMLParser):
    """What is on a page: its tags with their attributes, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", PICTURES)
def test_every_page_is_for_a_phone_in_two_languages_and_without_a_script(name: str) -> None:
    text = PICTURES[name]
    outline = Outline(text)
    tags = [tag for tag, _ in outline.tags]

    assert outline.open == []
    assert "script" not in tags
    assert not [attribute for _, attributes in outline.tags for attribute in attributes if attribute.startswith("on")]
    assert ("html", {"lang": "zh-CN"}) in outline.tags
    assert [tags.count(tag) for tag in ("title", "main", "h1")] == [1, 1, 1]
    assert [attributes.get("lang") for tag, attributes in outline.tags if tag == "span"]
    assert "width=device-width" in text


@pytest.mark.parametrize("name", PICTURES)
def test_what_others_wrote_stays_text(name: str) -> None:
    assert "<anna>" not in PICTURES[name]
    assert "<script" not in PICTURES[name]


def test_there_is_a_button_only_where_there_is_something_to_do() -> None:
    buttons = {name for name, text in PICTURES.items() if "<button" in text}

    assert buttons == {"confirm", "drill"}


def test_every_page_of_a_drill_begins_with_the_mark_and_no_other_has_it() -> None:
    for name, text in PICTURES.items():
        marked = name.startswith("drill")
        assert ("<title>DRILL / 演练 · " in text, "<main><p><strong>演练</strong>" in text) == (marked, marked)


def test_a_used_link_says_by_whom_and_when_and_an_expired_one_how_to_acknowledge_otherwise() -> None:
    assert "Acknowledged by &lt;anna&gt; at 2026-06-01 12:00 UTC" in PICTURES["used"]
    assert "由 &lt;anna&gt; 于 2026-06-01 12:00 UTC 确认" in PICTURES["used"]
    assert "It expired at 2026-06-01 12:00 UTC." in PICTURES["expired"]
    assert "acknowledge in the console" in PICTURES["expired"]
    assert f'href="{CONSOLE}"' in PICTURES["expired"]


def test_an_acknowledgement_says_until_when_it_holds() -> None:
    assert "you are paged again at 2026-06-01 13:00 UTC" in PICTURES["acknowledged"]


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"), [("text", "ground"), ("faint", "ground"), ("act", "ground"), ("on-act", "act")]
)
def test_text_can_be_told_from_its_ground(scheme: int, front: str, back: str) -> None:
    colours = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", PICTURES["confirm"].split(":root")[scheme + 1]))
    one, other = sorted((luminance(colours[front]), luminance(colours[back])))

    assert (other + 0.05) / (one + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


class StubbedPages:
    """Answers as told; counts what is done, not what is looked at."""

    def __init__(self, refusal: Refused | None = None) -> None:
        self.refusal = refusal
        self.acknowledged = 0

    async def show(self, _tx: object, _page_id: str) -> Shown:
        return SHOWN

    async def acknowledge_by_link(self, _tx: object, _page_id: str) -> object:
        if self.refusal:
            raise self.refusal
        self.acknowledged += 1
        return SEEN


class NoTransaction:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def phone(pages: StubbedPages) -> TestClient:
    service: Any = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOON), transaction=lambda _caller: NoTransaction())
    routes = AckPages(service, pages, lambda: KEY, CONSOLE).routes()  # type: ignore[arg-type]
    return TestClient(Starlette(routes=list(routes)), headers={"Accept": "text/html"})


def test_only_the_button_acknowledges() -> None:
    pages = StubbedPages()
    client = phone(pages)
    path = f"/ack/{sign(Link(PAGE, NOON + HOUR), KEY)}"

    assert [client.get(path).status_code, client.head(path).status_code, pages.acknowledged] == [200, 200, 0]
    assert (client.post(path).status_code, pages.acknowledged) == (200, 1)


def test_a_link_that_expired_acknowledges_nothing_and_says_how_to_otherwise() -> None:
    pages = StubbedPages()
    path = f"/ack/{sign(Link(PAGE, NOON - HOUR), KEY)}"
    shown, pressed = phone(pages).get(path), phone(pages).post(path)

    assert (shown.status_code, pressed.status_code, pages.acknowledged) == (403, 403, 0)
    assert shown.text == pressed.text == ack_page.expired(NOON - HOUR, CONSOLE)


@pytest.mark.parametrize(
    ("refusal", "status", "said"),
    [
        (Used("anna", NOON), 403, "此前已被使用"),
        (Refused("CLOCK_STOPPED", "the clock was stopped"), 409, "时钟已停止"),
        (Refused("PAGE_UNKNOWN", "there is no such page"), 404, "没有这一呼叫"),
    ],
)
def test_a_refusal_is_told_in_both_languages(refusal: Refused, status: int, said: str) -> None:
    path = f"/ack/{sign(Link(PAGE, NOON + HOUR), KEY)}"
    answer = phone(StubbedPages(refusal)).post(path)

    assert (answer.status_code, said in answer.text) == (status, True)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_machine_is_answered_with_a_problem() -> None:
    path = f"/ack/{sign(Link(PAGE, NOON + HOUR), KEY)}"
    answer = phone(StubbedPages(Used("anna", NOON))).post(path, headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "LINK_INVALID"
    assert "by anna at 2026-06-01 12:00 UTC" in answer.json()["detail"]
