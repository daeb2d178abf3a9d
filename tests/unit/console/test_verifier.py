"""The verifier page: what it carries, and what it may reach."""

import base64
import hashlib
import re
from html import unescape
from typing import Any

import pytest


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_saved_page_names_the_two_texts_it_carries_and_nothing_else(desk: Any, lang: str) -> None:
    desk.sit_down("auditor")
    answer = desk.get(f"/verifier/page?lang={lang}")
    assert answer.headers["content-disposition"] == 'attachment; filename="candor-verifier.html"'
    page = answer.content.decode()
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    carried = {}
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        carried[tag] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{carried['script']}'; style-src 'sha256-{carried['style']}';"
        " base-uri 'none'; form-action 'none'"
    )
    assert not re.findall(r"\b(?:src|href|action)=", page.partition("<script>")[0])
    assert "csrf" not in page
    assert "\r" not in page


def test_no_field_of_the_verifier_can_be_sent(desk: Any) -> None:
    desk.sit_down("auditor")
    page = desk.get("/verifier").text
    section = page[page.index('id="verify"') : page.index("</section>")]
    assert "name=" not in section
    assert "<form" not in section
    assert 'type="button"' in section
    script = desk.get("/static/verifier.js").text
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|sendBeacon|innerHTML|eval|import\(", script)


@pytest.mark.parametrize("path", ["/verifier", "/verifier/page"])
def test_the_verifier_is_the_auditors(desk: Any, path: str) -> None:
    desk.sit_down("on_call", "privacy_officer", "operator")
    assert desk.get(path).status_code == 403
    desk.sit_down("auditor")
    assert desk.get(path).status_code == 200
