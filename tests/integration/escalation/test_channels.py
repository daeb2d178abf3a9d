"""Every channel against a stand-in that checks what the real provider checks and answers in its words."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from candor_escalation.channels import (
    Alertmanager,
    AppriseUrl,
    Channel,
    DingTalk,
    Email,
    Feishu,
    PagerDuty,
    Webhook,
    WeCom,
    Wire,
)
from candor_escalation.channels.base import Channel as Base
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.oncall_command import app
from providers import (
    AM_TOKEN,
    DINGTALK_SECRET,
    FEISHU_SECRET,
    ROBOT_TOKEN,
    ROUTING_KEY,
    WECOM_KEY,
    Providers,
    started,
)
from typer.testing import CliRunner

PAGE = "019cadb4-4b00-7727-8d6e-aa81cf2dd2fc"
CLOCK = "019cadb4-4b00-7c6a-b651-29709d69b2c3"
MOBILE = "13800138000"
ROBOTS = ("feishu", "dingtalk", "wecom")


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    async with started() as providers:
        yield providers


@pytest.fixture(autouse=True)
def _calm(providers: Providers) -> Iterator[None]:
    yield
    providers.trouble.clear()
    providers.limits.clear()


def notice(**changes: object) -> Notice:
    now = datetime.now(UTC)
    usual = Notice(
        page_id=PAGE,
        clock_id=CLOCK,
        contact="chen",
        headline="Candor: A backup bucket was readable [from outside] | GDPR art 33(1) | 时钟已启动",
        lines=("事件 / Incident: a bucket", "截止 / Due: 2026-03-05 08:40 UTC"),
        ack_url="https://candor.example.com/ack/AZytt",
        due=now + timedelta(hours=72),
        latest=None,
        overdue=False,
        sent_at=now,
        details={"page_id": PAGE, "clock_id": CLOCK},
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def channel(providers: Providers, kind: str) -> Channel:
    url = providers.url(kind)
    made: dict[str, Channel] = {
        "feishu": Feishu(url, FEISHU_SECRET, ["ou_1"]),
        "dingtalk": DingTalk(url, DINGTALK_SECRET, [MOBILE]),
        "wecom": WeCom(url, [MOBILE]),
        "pagerduty": PagerDuty(ROUTING_KEY, url),
        "alertmanager": Alertmanager(url, AM_TOKEN),
        "webhook": Webhook(url, "hook-token"),
    }
    return made[kind]


async def send(way: Base, told: Notice | None = None, timeout: float = 2) -> Delivery:  # noqa: ASYNC109
    async with httpx.AsyncClient(trust_env=False) as client:
        return await way.send(told or notice(), Wire(client, timeout))


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        ("feishu", "logid 20261122233112A1B2C3"),
        ("dingtalk", '{"errcode":0,"errmsg":"ok"}'),
        ("wecom", '{"errcode":0,"errmsg":"ok"}'),
        ("pagerduty", CLOCK),
        ("alertmanager", f"clock_id={CLOCK}"),
        ("webhook", "hook-1"),
    ],
)
async def test_a_page_is_taken_and_the_provider_s_id_is_kept(providers: Providers, kind: str, identifier: str) -> None:
    delivery = await send(channel(providers, kind))

    assert (delivery.delivered, delivery.answer, delivery.unconfirmed) == (True, identifier, False)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda url: Feishu(url("feishu"), "another secret"), "code 19021"),
        (lambda url: Feishu(url("feishu")), "code 19021"),
        (lambda url: Feishu(url("feishu").replace(ROBOT_TOKEN, "gone"), FEISHU_SECRET), "code 19001"),
        (lambda url: DingTalk(url("dingtalk"), "SECanother"), "errcode 310000"),
        (lambda url: DingTalk(url("dingtalk")), "errcode 310000"),
        (lambda url: DingTalk(url("dingtalk").replace(ROBOT_TOKEN, "gone"), DINGTALK_SECRET), "errcode 300005"),
        (lambda url: WeCom(url("wecom").replace(WECOM_KEY, "gone")), "errcode 93000"),
        (lambda url: PagerDuty("wrong", url("pagerduty")), "HTTP 400"),
        (lambda url: Alertmanager(url("alertmanager"), "wrong"), "HTTP 401"),
    ],
)
async def test_a_refusal_is_told_from_a_success_by_its_body_and_is_not_tried_again(
    providers: Providers, wrong: Any, code: str
) -> None:
    delivery = await send(wrong(providers.url))

    assert (delivery.delivered, delivery.retry_after) == (False, None)
    assert delivery.answer.startswith(code)


async def test_group_robots_refuse_with_status_200() -> None:
    async with started() as providers:
        for way in (Feishu(providers.url("feishu"), "x"), DingTalk(providers.url("dingtalk"), "x")):
            await send(way)
        assert [taken.status for taken in providers.taken] == [200, 200]


async def test_a_secret_that_a_provider_repeats_is_struck_out(providers: Providers) -> None:
    delivery = await send(DingTalk(providers.url("dingtalk"), "SECanother"))

    assert ROBOT_TOKEN in providers.of("dingtalk")[-1].answer
    assert ROBOT_TOKEN not in delivery.answer
    assert "***" in delivery.answer


@pytest.mark.parametrize(
    ("kind", "seconds"), [("feishu", 60), ("dingtalk", 600), ("wecom", 60), ("pagerduty", 60), ("webhook", 3)]
)
async def test_a_provider_that_takes_no_more_is_left_alone_for_as_long_as_it_asks(
    providers: Providers, kind: str, seconds: int
) -> None:
    providers.limits[kind] = 1
    first = await send(channel(providers, kind))
    second = await send(channel(providers, kind))

    assert (first.delivered, second.delivered, second.limited) == (True, False, True)
    assert second.retry_after == timedelta(seconds=seconds)


async def test_retry_after_is_honoured(providers: Providers) -> None:
    providers.trouble["feishu"] = "limited"
    delivery = await send(channel(providers, "feishu"))

    assert (delivery.limited, delivery.retry_after) == (True, timedelta(seconds=7))


@pytest.mark.parametrize("kind", [*ROBOTS, "pagerduty"])
@pytest.mark.parametrize("trouble", ["garbage", "empty", "null", "nested", "redirect", "broken"])
async def test_an_answer_that_is_not_the_provider_s_is_no_success(
    providers: Providers, kind: str, trouble: str
) -> None:
    providers.trouble[kind] = trouble

    assert not (await send(channel(providers, kind))).delivered


async def test_a_portal_in_front_of_alertmanager_is_no_success(providers: Providers) -> None:
    providers.trouble["alertmanager"] = "garbage"

    assert not (await send(channel(providers, "alertmanager"))).delivered


@pytest.mark.parametrize("kind", [*ROBOTS, "pagerduty", "alertmanager", "webhook"])
async def test_a_provider_that_does_not_answer_is_tried_again(providers: Providers, kind: str) -> None:
    providers.trouble[kind] = "silent"
    delivery = await send(channel(providers, kind), timeout=0.2)

    assert (delivery.delivered, delivery.limited) == (False, False)
    assert delivery.retry_after is not None
    assert "http" not in delivery.answer.lower()


async def test_a_provider_that_cannot_be_reached_is_named_by_no_address() -> None:
    delivery = await send(Webhook(f"http://127.0.0.1:{_closed_port()}/hook-secret"))

    assert (delivery.delivered, delivery.answer) == (False, "ConnectError")


async def test_the_same_page_has_the_same_ids_when_it_is_sent_again(providers: Providers) -> None:
    told = notice()
    for kind in ("pagerduty", "alertmanager", "webhook"):
        await send(channel(providers, kind), told)
        await send(channel(providers, kind), replace(told, sent_at=told.sent_at + timedelta(minutes=5)))

    assert {taken.body["dedup_key"] for taken in providers.of("pagerduty")[-2:]} == {CLOCK}
    labels = [taken.body[0]["labels"] for taken in providers.of("alertmanager")[-2:]]
    assert labels[0] == labels[1]
    assert {taken.headers["idempotency-key"] for taken in providers.of("webhook")[-2:]} == {PAGE}


async def test_an_alert_ends_by_itself_and_is_to_be_sent_again_before(providers: Providers) -> None:
    delivery = await send(channel(providers, "alertmanager"))
    alert = providers.of("alertmanager")[-1].body[0]
    lasts = datetime.fromisoformat(alert["endsAt"]) - datetime.now(UTC)

    assert delivery.renew_after is not None
    assert 2 * delivery.renew_after < lasts


async def test_what_a_provider_keeps_open_is_ended_under_the_same_id(providers: Providers) -> None:
    for kind in ("pagerduty", "alertmanager"):
        way = channel(providers, kind)
        sent = await send(way)
        async with httpx.AsyncClient(trust_env=False) as client:
            ended = await way.end(notice(), Wire(client, 2))
        assert (sent.ends, ended.delivered) == (True, True)
    event = providers.of("pagerduty")[-1].body
    first, last = (taken.body[0] for taken in providers.of("alertmanager")[-2:])

    assert (event["event_action"], event["dedup_key"]) == ("resolve", CLOCK)
    assert first["labels"] == last["labels"]
    assert datetime.fromisoformat(last["endsAt"]) <= datetime.now(UTC)


async def test_what_keeps_nothing_open_is_told_nothing(providers: Providers) -> None:
    before = len(providers.taken)
    way = channel(providers, "dingtalk")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await way.end(notice(), Wire(client, 2))).delivered

    assert len(providers.taken) == before


async def test_a_title_cannot_put_a_link_into_a_chat(providers: Providers) -> None:
    await send(channel(providers, "dingtalk"), notice(headline="Candor [log in](https://evil.invalid) <b>"))

    assert "](https://evil" not in providers.of("dingtalk")[-1].body["markdown"]["text"]


async def test_a_page_that_is_too_long_is_cut_and_its_link_stays_whole(providers: Providers) -> None:
    told = notice(headline="Candor " + "事件" * 2000, lines=("字" * 5000,))
    deliveries = [await send(channel(providers, kind), told) for kind in ("wecom", "pagerduty")]

    assert all(delivery.delivered for delivery in deliveries)
    assert told.ack_url in providers.of("wecom")[-1].body["text"]["content"]


async def test_a_test_page_is_marked_and_alarms_nobody(providers: Providers) -> None:
    told = notice(test=True)
    for kind in ("pagerduty", "alertmanager"):
        await send(channel(providers, kind), told)
    event, alert = providers.of("pagerduty")[-1].body, providers.of("alertmanager")[-1].body[0]

    assert (event["payload"]["severity"], event["dedup_key"]) == ("info", f"candor-test-{PAGE}")
    assert (alert["labels"]["severity"], alert["labels"]["alertname"]) == ("info", "CandorTestPage")


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Mailbox:
    """Takes mail as a server does; addresses that begin with a word are answered as that word says."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.content or b""
        self.mails.append(content if isinstance(content, bytes) else content.encode())
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 2.0.0 Ok: queued as 4F8A21C0"


@contextmanager
def smtp(**more: Any) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=_closed_port(), **more)
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()


async def test_a_mail_is_taken_and_the_server_s_queue_id_kept() -> None:
    with smtp() as (mailbox, port):
        way = Email("127.0.0.1", port, "candor@example.com", "chen@example.com", "none")
        first, second = await send(way), await send(way)
    mail = mailbox.mails[0].decode()

    assert (first.delivered, first.answer) == (True, "2.0.0 Ok: queued as 4F8A21C0")
    assert second.delivered
    assert mailbox.recipients[0] == ["chen@example.com"]
    assert f"Message-ID: <{PAGE}@example.com>" in mail
    assert "Auto-Submitted: auto-generated" in mail
    identifiers = {re.findall(rb"Message-ID: (.*)", sent)[0] for sent in mailbox.mails}
    assert len(identifiers) == 1


@pytest.mark.parametrize(
    ("to", "answer", "again"),
    [
        ("gone@example.com", "SMTP 550: 5.1.1 no such user", False),
        ("later@example.com", "SMTP 451: 4.7.1 greylisted, try again later", True),
    ],
)
async def test_what_a_mail_server_refuses_for_good_is_told_from_what_is_tried_again(
    to: str, answer: str, again: bool
) -> None:
    with smtp() as (_mailbox, port):
        delivery = await send(Email("127.0.0.1", port, "candor@example.com", to, "none"))

    assert (delivery.delivered, delivery.answer) == (False, answer)
    assert (delivery.retry_after is not None) is again


async def test_a_password_is_not_sent_to_a_server_without_tls() -> None:
    seen: list[object] = []

    def authenticate(*arguments: object) -> AuthResult:
        seen.extend(item for item in arguments if isinstance(item, LoginPassword))
        return AuthResult(success=True)

    with smtp(authenticator=authenticate, auth_require_tls=False) as (_mailbox, port):
        way = Email("127.0.0.1", port, "candor@example.com", "chen@example.com", "starttls", "candor", "mail-password")
        delivery = await send(way)

    assert not delivery.delivered
    assert seen == []
    assert "mail-password" not in delivery.answer


async def test_a_mail_server_that_is_away_or_silent_is_tried_again() -> None:
    away = await send(Email("127.0.0.1", _closed_port(), "candor@example.com", "chen@example.com", "none"))
    async with silence() as port:
        silent = await send(Email("127.0.0.1", port, "c@example.com", "d@example.com", "none"), timeout=0.3)

    assert (away.delivered, silent.delivered) == (False, False)
    assert away.retry_after is not None
    assert silent.retry_after is not None


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A server that takes a connection and says nothing."""

    async def never(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_what_apprise_says_to_have_sent_is_unconfirmed(providers: Providers) -> None:
    address = providers.address.removeprefix("http://")
    delivery = await send(AppriseUrl(f"json://{address}/hooks/apprise"), timeout=5)
    sent = json.dumps(providers.of("webhook")[-1].body, ensure_ascii=False)

    assert (delivery.delivered, delivery.unconfirmed) == (True, True)
    assert notice().ack_url in sent


async def test_what_apprise_cannot_send_is_tried_again() -> None:
    delivery = await send(AppriseUrl(f"json://127.0.0.1:{_closed_port()}/"), timeout=5)

    assert not delivery.delivered
    assert delivery.retry_after is not None


def test_an_address_that_apprise_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no such address"):
        AppriseUrl("nowhere")


async def test_a_test_page_goes_by_the_real_channels_and_the_provider_s_answer_is_printed(
    providers: Providers, tmp_path: Path
) -> None:
    channels = [
        {"kind": "feishu", "url": providers.url("feishu"), "secret": "${TEST_SECRET}"},
        {"kind": "dingtalk", "url": providers.url("dingtalk"), "secret": "SECwrong"},
        {"kind": "apprise", "url": providers.address.replace("http", "json") + "/hooks/apprise"},
    ]
    file = tmp_path / "oncall.yaml"
    file.write_text(json.dumps({"contacts": [{"name": "chen", "channels": channels}]}), "utf-8")
    command = ["test", "chen", "--file", str(file)]
    environment = {"TEST_SECRET": FEISHU_SECRET}
    every = await asyncio.to_thread(CliRunner().invoke, app, command, env=environment)
    one = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--channel", "feishu"], env=environment)
    none = await asyncio.to_thread(CliRunner().invoke, app, [*command, "--channel", "email"], env=environment)
    lines = every.stdout.splitlines()

    assert lines[0] == "feishu: taken: logid 20261122233112A1B2C3"
    assert lines[1].startswith("dingtalk: not taken: errcode 310000")
    assert lines[2].startswith("apprise: unconfirmed: ")
    assert (every.exit_code, one.exit_code, none.exit_code) == (1, 0, 2)
    assert ROBOT_TOKEN not in every.output
    assert "TEST" in json.dumps(providers.of("feishu")[-1].body)
