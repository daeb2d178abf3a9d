"""PagerDuty's webhooks on the real stack: acknowledged there is acknowledged here, and no clock stops of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2
from candor_cli.session import command_id
from pagerduty import INTEGRATION, PERSON, encoded, ping, signatures, webhook
from providers import ROUTING_KEY, Providers, started

from .conftest import Channels
from .desk import ONE_LAW, Desk, until

SECRET, NEXT_SECRET = "signing-secret-one", "signing-secret-two"
HOLDS_SECONDS = 4
SEEN, UNSEEN, OVER = "incident.acknowledged", "incident.unacknowledged", "incident.resolved"


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    async with started() as providers:
        yield providers


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("pagerduty") / "secrets"
    path.write_text(f"{SECRET}\n", "utf-8")
    return path


@pytest.fixture(scope="module")
async def line(
    desk: Desk,
    providers: Providers,
    channels: Channels,
    oncall_environment: dict[str, str],
    secrets: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Desk]:
    """The escalation service with somebody on call whom PagerDuty reaches."""
    file = {
        "contacts": [
            {
                "name": "mueller",
                "channels": [
                    {"kind": "pagerduty", "routing_key": ROUTING_KEY, "url": providers.url("pagerduty")},
                ],
            },
            {"name": "chief", "webhook": f"{channels.address}/chief"},
        ],
        "pace": {
            "answer": {"share": 0.5, "at_least_seconds": 60, "at_most_seconds": 60},
            "acknowledgement": {"share": 0.5, "at_least_seconds": 1, "at_most_seconds": HOLDS_SECONDS},
        },
    }
    path: Path = tmp_path_factory.mktemp("pagerduty") / "oncall.yaml"
    await asyncio.to_thread(path.write_text, json.dumps(file), "utf-8")
    environment = oncall_environment | {
        "CANDOR_ONCALL_FILE": str(path), "CANDOR_PAGERDUTY_SECRET_FILE": str(secrets),
    }  # fmt: skip
    await asyncio.to_thread(desk.deployment.runner.restart_service, "escalation", environment)
    yield desk
    await asyncio.to_thread(desk.deployment.runner.restart_service, "escalation", oncall_environment)


class PagerDuty:
    """PagerDuty as it looks from here: what it is sent, and what it sends."""

    def __init__(self, desk: Desk, providers: Providers) -> None:
        self.desk = desk
        self.providers = providers

    async def paged(self) -> tuple[str, str]:
        """A new incident that PagerDuty has the page of; incident and clock."""
        answer = await self.desk.report("illegal_content", ONE_LAW, key=command_id(), found=datetime.now(UTC))
        (clock_id,) = answer.clock_ids
        await self.providers.wait("pagerduty", clock_id)
        await until(lambda: self.pages(answer.incident_id), lambda pages: pages[-1].delivered)
        return answer.incident_id, clock_id

    async def pages(self, incident_id: str) -> list[model_pb2.Page]:
        return list((await self.desk.incident(incident_id)).pages)

    async def sends(self, body: dict[str, Any], *secrets: str, header: str | None = None) -> httpx.Response:
        raw = encoded(body)
        signature = signatures(raw, *(secrets or (SECRET,))) if header is None else header
        return await self.posts(raw, {"X-PagerDuty-Signature": signature} if signature else {})

    async def posts(self, raw: bytes, headers: dict[str, str]) -> httpx.Response:
        headers |= {"Content-Type": "application/json", "X-Webhook-Id": "1", "User-Agent": "PagerDuty-Webhook/V3.0"}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            url = f"{self.desk.deployment.http('escalation')}/intake/pagerduty"
            return await client.post(url, content=raw, headers=headers)

    async def tells(self, kind: str, clock_id: str, agent: dict[str, str] = PERSON, at: datetime | None = None) -> str:
        """What became of a signed event."""
        body = webhook(kind, clock_id, at or datetime.now(UTC), agent)
        answer = await self.sends(body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["outcome"])

    async def triggers(self, clock_id: str, count: int) -> None:
        """Wait until PagerDuty was paged so often about a clock."""

        async def found() -> int:
            return len([
                taken for taken in self.providers.of("pagerduty")
                if taken.body["event_action"] == "trigger" and taken.body["dedup_key"] == clock_id
            ])  # fmt: skip

        await until(found, lambda number: number >= count, 30)


@pytest.fixture
def pager(line: Desk, providers: Providers) -> PagerDuty:
    return PagerDuty(line, providers)


async def test_acknowledged_there_is_acknowledged_here_once_with_the_name_on_record(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    body = webhook(SEEN, clock_id, datetime.now(UTC))
    first = await pager.sends(body)
    again = await pager.sends(body)
    (fact, *_) = await pager.desk.deployment.facts(
        "escalation", facts_pb2.PageAcknowledged, lambda fact: fact.incident_id == incident_id
    )
    told = await pager.desk.deployment.facts(
        "escalation", facts_pb2.PageEventReceived, lambda fact: fact.incident_id == incident_id
    )
    seen = await pager.desk.incident(incident_id)
    await pager.providers.wait("pagerduty", '"event_action": "resolve", "dedup_key": "' + clock_id)
    echo = await pager.tells(OVER, clock_id, agent=INTEGRATION)

    assert (first.status_code, first.json()) == (202, {"outcome": "acknowledged"})
    assert (again.status_code, again.json()) == (202, {"outcome": "repeated"})
    assert fact.contact == "mueller"
    assert [(one.agent, one.kind, one.event_id) for one in told] == [
        ("Tenex Engineer PLH1HKV", SEEN, body["event"]["id"])
    ]
    assert echo == "recorded"
    assert {clock.state for clock in seen.clocks} == {model_pb2.CLOCK_STATE_RUNNING}
    await pager.triggers(clock_id, 2)  # the acknowledgement has expired, and the clock runs on


async def test_resolved_there_stops_no_clock_and_paging_resumes(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    outcome = await pager.tells(OVER, clock_id)
    seen = await pager.desk.incident(incident_id)
    await pager.triggers(clock_id, 2)

    assert outcome == "acknowledged"  # who closes it has seen it
    assert {clock.state for clock in seen.clocks} == {model_pb2.CLOCK_STATE_RUNNING}
    assert seen.pages[0].acknowledged_by == "mueller"


async def test_resolved_by_a_machine_acknowledges_nothing(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()

    assert await pager.tells(OVER, clock_id, agent=INTEGRATION) == "recorded"
    assert not (await pager.pages(incident_id))[0].HasField("acknowledged_at")


async def test_an_acknowledgement_that_is_taken_back_pages_again_at_once(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    acknowledged = await pager.tells(SEEN, clock_id)
    taken_back = await pager.tells(UNSEEN, clock_id)
    pages = await until(lambda: pager.pages(incident_id), lambda found: len(found) == 2)

    assert (acknowledged, taken_back) == ("acknowledged", "taken_back")
    assert pages[-1].cause == "acknowledgement_expired"


async def test_both_secrets_hold_while_one_replaces_the_other(pager: PagerDuty, secrets: Path) -> None:
    _, clock_id = await pager.paged()
    both = await pager.sends(webhook(SEEN, clock_id, datetime.now(UTC)), NEXT_SECRET, SECRET)
    early = await pager.sends(webhook(OVER, clock_id, datetime.now(UTC)), NEXT_SECRET)
    await asyncio.to_thread(secrets.write_text, f"{NEXT_SECRET}\n{SECRET}\n", "utf-8")
    late = await pager.sends(webhook(OVER, clock_id, datetime.now(UTC)), NEXT_SECRET)
    await asyncio.to_thread(secrets.write_text, f"{SECRET}\n", "utf-8")

    assert (both.status_code, early.status_code, late.status_code) == (202, 403, 202)


async def test_what_pagerduty_did_not_sign_changes_nothing_and_is_told_so(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    body = webhook(SEEN, clock_id, datetime.now(UTC))
    raw = encoded(body)
    wrong = [
        await pager.sends(body, header=""),
        await pager.sends(body, "another secret"),
        await pager.sends(body, header=signatures(raw, SECRET).replace("v1=", "v2=")),
        await pager.sends(body, header="v1=,v1=zz, ,="),
        await pager.posts(
            raw.replace(b'"number": 2', b'"number": 3'), {"X-PagerDuty-Signature": signatures(raw, SECRET)}
        ),
        await pager.posts(b" " * 300_000, {"X-PagerDuty-Signature": "v1=00"}),
    ]

    assert [answer.status_code for answer in wrong] == [401, 403, 403, 403, 403, 413]
    assert wrong[0].json()["title"] == "UNSIGNED"
    assert not (await pager.pages(incident_id))[0].HasField("acknowledged_at")


async def test_what_is_signed_and_not_ours_is_taken_so_that_the_webhook_stays_on(pager: PagerDuty) -> None:
    now = datetime.now(UTC)
    others = [
        await pager.sends(webhook(SEEN, "d3640fbd41094207a1c11e58e46b1662", now)),
        await pager.sends(webhook(SEEN, command_id(), now)),
        await pager.sends(webhook(SEEN, f"candor-test-{command_id()}", now)),
        await pager.sends(webhook("incident.priority_updated", command_id(), now)),
        await pager.sends(ping(now)),
        await pager.sends({"event": {"event_type": SEEN, "id": 5, "data": []}}),
        await pager.posts(b"[]", {"X-PagerDuty-Signature": signatures(b"[]", SECRET)}),
        await pager.posts(b"\xff{", {"X-PagerDuty-Signature": signatures(b"\xff{", SECRET)}),
    ]

    assert {answer.status_code for answer in others} == {202}
    assert [answer.json()["outcome"] for answer in others] == ["page_unknown"] * 3 + ["ignored"] * 5


async def test_an_old_event_changes_nothing_and_a_clock_that_is_off_does_not_matter(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    old = await pager.tells(SEEN, clock_id, at=datetime.now(UTC) - timedelta(hours=1))
    still = (await pager.pages(incident_id))[0].HasField("acknowledged_at")
    ahead = await pager.tells(SEEN, clock_id, at=datetime.now(UTC) + timedelta(minutes=5))
    acknowledged_at = (await pager.pages(incident_id))[0].acknowledged_at

    assert (old, still, ahead) == ("expired", False, "acknowledged")
    assert acknowledged_at.ToDatetime(UTC) <= datetime.now(UTC)


async def test_what_overtakes_our_own_record_of_the_page_is_sent_again(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    rows = pager.desk.deployment.rows
    page_id = (await pager.pages(incident_id))[0].page_id
    await rows("escalation", "UPDATE page SET delivered = false WHERE page_id = %s RETURNING 1 AS one", page_id)
    await rows(
        "escalation",
        "UPDATE dispatch SET state = 'waiting', not_before = now() + interval '1 hour',"
        " leased_until = now() + interval '1 hour' WHERE page_id = %s RETURNING 1 AS one",
        page_id,
    )
    body = webhook(SEEN, clock_id, datetime.now(UTC))
    early = await pager.sends(body)
    await rows("escalation", "UPDATE page SET delivered = true WHERE page_id = %s RETURNING 1 AS one", page_id)
    again = await pager.sends(body)

    assert (early.status_code, early.headers["Retry-After"]) == (503, "5")
    assert again.json() == {"outcome": "acknowledged"}


async def test_an_event_about_a_clock_that_is_stopped_is_only_recorded(pager: PagerDuty) -> None:
    incident_id, clock_id = await pager.paged()
    await pager.desk.not_report(clock_id, "li", "wang")
    outcome = await pager.tells(SEEN, clock_id)
    kept = await pager.desk.deployment.rows(
        "escalation",
        "SELECT outcome, agent FROM page_event JOIN page USING (page_id) WHERE incident_id = %s",
        incident_id,
    )

    assert outcome == "clock_stopped"
    assert kept == [{"outcome": "clock_stopped", "agent": "Tenex Engineer PLH1HKV"}]
