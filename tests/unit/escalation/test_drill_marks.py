"""What a person sees of a drill says so, in front, in every channel and on every page of every file."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import docx
import httpx
import pypdf
import pytest
from candor_escalation import forms, message
from candor_escalation.channels import Wire
from candor_escalation.channels.alertmanager import Alertmanager
from candor_escalation.channels.apprise_url import AppriseUrl
from candor_escalation.channels.dingtalk import DingTalk
from candor_escalation.channels.email import Email
from candor_escalation.channels.feishu import Feishu
from candor_escalation.channels.pagerduty import PagerDuty
from candor_escalation.channels.webhook import Webhook
from candor_escalation.channels.wecom import WeCom
from candor_escalation.domain.draft import fill, written
from candor_escalation.domain.drill import MARK
from candor_escalation.domain.guide import Address, guide, guide_of_drill
from candor_escalation.domain.incident import OPEN, Incident
from candor_escalation.domain.report import Draft, submit
from candor_escalation.domain.roster import Contact
from candor_escalation.handlers.pages import Outgoing

from .builders import CLOCK, INCIDENT, NOON, clock, page

BANNER = {"zh": "并非报告", "en": "this is no report"}
TEMPLATE = "A report (draft)\n\n1. What\nCause: ${cause}\n"
URL = "https://provider.example.com/hook"


def outgoing(*, drill: bool = True) -> Outgoing:
    incident = Incident(INCIDENT, "pi_leak", "A bucket", "", OPEN, NOON, 1, drill=drill)
    contact = Contact("chen", ("webhook",), timedelta(minutes=5))
    return Outgoing(page(), incident, replace(clock(), drill=drill), contact)


def draft(locale: str, *, drill: bool = True, cause: str = "存储桶公开") -> Draft:
    filled = fill(["cause"], {"cause": cause}, {}, locale)
    return written(CLOCK, 1, locale, TEMPLATE, filled, {}, NOON, "li", drill=drill)


async def posted(channel: Any, *, drill: bool) -> Any:
    """What a channel posts about a page."""
    bodies: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as client:
        await channel.send(
            message.notice(outgoing(drill=drill), "https://candor.example.com/ack/x", NOON), Wire(client, 5)
        )
    return bodies[0]


CHANNELS: dict[str, tuple[Any, Any]] = {
    "webhook": (Webhook(URL), lambda body: [body["text"]]),
    "pagerduty": (
        PagerDuty("key", URL),
        lambda body: [body["payload"]["summary"], body["payload"]["custom_details"]["text"]],
    ),
    "alertmanager": (
        Alertmanager(URL),
        lambda body: [body[0]["annotations"]["summary"], body[0]["annotations"]["description"]],
    ),
    "dingtalk": (
        DingTalk(URL),
        lambda body: [body["markdown"]["title"], body["markdown"]["text"].removeprefix("### ")],
    ),
    "feishu": (
        Feishu(URL),
        lambda body: [
            body["content"]["post"]["zh_cn"]["title"],
            body["content"]["post"]["zh_cn"]["content"][0][0]["text"],
        ],
    ),
    "wecom": (WeCom(URL), lambda body: [body["text"]["content"]]),
}


@pytest.mark.parametrize("name", CHANNELS)
async def test_a_page_of_a_drill_begins_with_the_mark_in_every_channel(name: str) -> None:
    channel, shown = CHANNELS[name]

    assert all(text.startswith(MARK) for text in shown(await posted(channel, drill=True)))
    assert not any(MARK in text for text in shown(await posted(channel, drill=False)))


def test_a_mail_of_a_drill_begins_with_the_mark_in_subject_and_text() -> None:
    notice = message.notice(outgoing(), "https://candor.example.com/ack/x", NOON)
    mail = Email("smtp.example.com", 25, "candor@example.com", "chen@example.com")._message(notice)

    assert str(mail["Subject"]).startswith(MARK)
    assert mail.get_content().startswith(MARK)


async def test_what_apprise_is_given_begins_with_the_mark() -> None:
    channel = AppriseUrl("json://127.0.0.1")
    given: dict[str, str] = {}

    async def notify(*, body: str, title: str) -> bool:
        given.update(body=body, title=title)
        return True

    channel._apprise.async_notify = notify
    async with httpx.AsyncClient() as client:
        await channel.send(message.notice(outgoing(), "https://candor.example.com/ack/x", NOON), Wire(client, 5))
    assert all(text.startswith(MARK) for text in given.values())
    assert len(given) == 2


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_page_of_every_file_says_that_it_is_no_report(locale: str) -> None:
    long = draft(locale, cause="一行\n" * 150)  # several pages
    pdf = pypdf.PdfReader(io.BytesIO(forms.render(long, forms.PDF).content))
    texts = ["".join(page.extract_text().split()) for page in pdf.pages]
    banner = "".join(BANNER[locale].split())
    word = docx.Document(io.BytesIO(forms.render(long, forms.DOCX).content))
    html = forms.render(long, forms.HTML).content.decode()
    text = forms.render(long, forms.TEXT).content.decode()

    assert len(texts) > 1
    assert all(page.count(banner) == 2 for page in texts)  # above and below
    assert all("DRILL/演练" in page.replace(banner, "") for page in texts)  # and across
    for section in word.sections:
        assert BANNER[locale] in section.header.paragraphs[0].text
        assert BANNER[locale] in section.footer.paragraphs[-1].text
    assert html.count(BANNER[locale]) == 2
    assert f"<title>【{MARK}】" in html
    assert f'<div class="across" aria-hidden="true"><span>{MARK}</span></div>' in html  # fixed: on every printed page
    assert (text.startswith(MARK), BANNER[locale] in text.splitlines()[-1]) == (True, True)
    assert all(
        forms.render(long, form).name.startswith("DRILL-no-report-")
        for form in (forms.TEXT, forms.HTML, forms.PDF, forms.DOCX)
    )


@pytest.mark.parametrize("file_format", [forms.TEXT, forms.HTML, forms.PDF, forms.DOCX])
def test_a_report_that_is_meant_is_what_it_was_and_a_drill_has_a_digest_of_its_own(file_format: str) -> None:
    real, drill = draft("zh", drill=False), draft("zh")

    assert forms.render(drill, file_format).sha256 == forms.render(draft("zh"), file_format).sha256
    assert forms.render(drill, file_format).sha256 != forms.render(real, file_format).sha256
    if file_format in {forms.TEXT, forms.HTML}:
        assert "DRILL" not in forms.render(real, file_format).content.decode()


def test_a_submission_of_a_drill_is_marked() -> None:
    assert submit(draft("zh"), "s", "phone", "li", NOON, NOON).drill
    assert not submit(draft("zh", drill=False), "s", "phone", "li", NOON, NOON).drill


def test_the_ways_of_a_drill_show_no_address_name_no_adapter_and_say_not_to_call() -> None:
    known = [Address("phone", "12387", "the authority's page"), Address("portal", "https://12387.example", "the same")]
    real, drill = guide(known, ["authority-api"]), guide_of_drill(known)

    assert {channel.name for channel in drill} == {"phone", "portal"} < {channel.name for channel in real}
    for channel in drill:
        assert (channel.address, channel.source, channel.automatic) == ("", "", False)
        assert channel.steps[0].zh.startswith("这是演练：不要拨打")
        assert not any("12387" in step.zh + step.en for step in channel.steps)
    assert [channel.name for channel in guide_of_drill([])] == ["portal", "email", "phone", "letter"]
