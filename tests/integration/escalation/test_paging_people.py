"""People and channels on the real stack: rotations, overrides, channels that fail, acknowledgements that expire."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import grpc
import httpx
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, oncall_pb2, oncall_pb2_grpc, service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from providers import AM_TOKEN, FEISHU_SECRET, Providers, started

from .desk import ONE_LAW, Desk, instant, stamp, until

if TYPE_CHECKING:
    from .conftest import Channels

ANSWER_SECONDS = 2
HOLDS_SECONDS = 4
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def providers() -> AsyncIterator[Providers]:
    async with started() as providers:
        yield providers


@pytest.fixture(scope="module")
def environment(
    providers: Providers,
    channels: Channels,
    oncall_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """Four levels: a rotation, a rotation of which nobody is on shift, a person, and Alertmanager."""
    hook = {"kind": "webhook", "url": channels.address}
    quiet = WEEK[(datetime.now(UTC).weekday() + 3) % 7]
    file = {
        "contacts": [
            {
                "name": "anna",
                "channels": [
                    {"kind": "feishu", "url": "${TEST_FEISHU_URL}", "secret": "${TEST_FEISHU_SECRET}"},
                    hook | {"url": f"{channels.address}/anna"},
                ],
            },
            {"name": "bo", "webhook": f"{channels.address}/bo"},
            {"name": "chief", "webhook": f"{channels.address}/chief"},
            {
                "name": "wall",
                "channels": [{"kind": "alertmanager", "url": providers.url("alertmanager"), "token": AM_TOKEN}],
            },
        ],
        "schedules": [
            {"name": "line", "rotations": [{"people": ["anna"], "zone": "Asia/Shanghai", "from": "2026-01-05"}]},
            {
                "name": "nights",
                "rotations": [
                    {
                        "people": ["bo"],
                        "zone": "UTC",
                        "from": "2026-01-05",
                        "hours": {"from": "02:00", "to": "03:00", "days": [quiet]},
                    }
                ],
            },
        ],
        "chain": [{"schedule": "line"}, {"schedule": "nights"}, {"contact": "chief"}, {"contact": "wall"}],
        "pace": {
            "answer": {"share": 0.5, "at_least_seconds": 1, "at_most_seconds": ANSWER_SECONDS},
            "acknowledgement": {"share": 0.5, "at_least_seconds": 1, "at_most_seconds": HOLDS_SECONDS},
        },
    }
    path: Path = tmp_path_factory.mktemp("people") / "oncall.yaml"
    path.write_text(json.dumps(file), "utf-8")
    return oncall_environment | {
        "CANDOR_ONCALL_FILE": str(path),
        "TEST_FEISHU_URL": providers.url("feishu"),
        "TEST_FEISHU_SECRET": FEISHU_SECRET,
    }


@pytest.fixture(scope="module")
async def line(desk: Desk, environment: dict[str, str], oncall_environment: dict[str, str]) -> AsyncIterator[Desk]:
    """The escalation service with the roster of this module, to which nothing from before is left to be sent."""
    for query in _QUIET:
        await desk.deployment.rows("escalation", query)
    await asyncio.to_thread(desk.deployment.runner.restart_service, "escalation", environment)
    yield desk
    await asyncio.to_thread(desk.deployment.runner.restart_service, "escalation", oncall_environment)


_QUIET = (
    "UPDATE dispatch SET state = 'withdrawn' WHERE state IN ('waiting', 'standing', 'ending') RETURNING page_id",
    "UPDATE page SET state = 'cancelled' WHERE state IN ('queued', 'sent', 'acknowledged') RETURNING page_id",
    "UPDATE milestone SET state = 'cancelled' WHERE state = 'pending' RETURNING clock_id",
    "UPDATE clock SET state = 'not_reported', stopped_at = now() WHERE state = 'running' RETURNING clock_id",
    "DELETE FROM channel_usage RETURNING channel",
)


@pytest.fixture(autouse=True)
async def calm(line: Desk, providers: Providers, channels: Channels) -> AsyncIterator[None]:
    """Around each test nothing is paged about; after it providers are well again."""
    for query in _QUIET:
        await line.deployment.rows("escalation", query)
    yield
    providers.trouble.clear()
    providers.limits.clear()
    channels.answers.clear()


async def one_clock(desk: Desk) -> tuple[str, str]:
    """An incident with a single clock; its id and the clock's."""
    reported = await desk.report("illegal_content", ONE_LAW, aware=datetime.now(UTC))
    return reported.incident_id, reported.clock_ids[0]


def token_of(page_id: str) -> str:
    """How the token of a page's link begins."""
    return base64.urlsafe_b64encode(UUID(page_id).bytes).decode()[:21]


async def facts(desk: Desk, kind: Any, incident_id: str, count: int = 1) -> list[Any]:
    return list(
        await desk.deployment.facts("escalation", kind, lambda fact: fact.incident_id == incident_id, count=count)
    )


async def pages(desk: Desk, incident_id: str, count: int) -> list[model_pb2.Page]:
    seen = await until(lambda: desk.incident(incident_id), lambda seen: len(seen.pages) >= count)
    return list(seen.pages)


def oncall(desk: Desk, *roles: str, name: str = "lead") -> Any:
    return oncall_pb2_grpc.OnCallServiceStub(desk.deployment.channel("escalation", *roles, name=name))


async def test_nobody_answers_and_the_next_level_is_asked_past_where_nobody_is_on_shift(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    incident_id, _ = await one_clock(line)
    first = (await pages(line, incident_id, 1))[0]
    await providers.wait("feishu", token_of(first.page_id))
    await channels.wait(incident_id, "chief")
    escalated = await facts(line, facts_pb2.PageEscalated, incident_id, 2)
    seen = await until(lambda: pages(line, incident_id, 3), lambda seen: seen[2].HasField("sent_at"))
    lasted = (instant(seen[2].sent_at) - instant(seen[0].sent_at)).total_seconds()

    assert [(fact.cause, fact.next_level, fact.next_contact) for fact in escalated[:2]] == [
        ("unanswered", 2, ""), ("nobody_on_shift", 3, "chief"),
    ]  # fmt: skip
    assert lasted >= ANSWER_SECONDS - 0.5  # by the causes, nobody's time was waited for at the empty level
    assert [(page.contact, page.schedule, page.delivered) for page in seen[:3]] == [
        ("anna", "line", True), ("", "nights", False), ("chief", "", True),
    ]  # fmt: skip
    assert seen[1].provider_answer == "nobody is on shift"
    assert (seen[0].channel, seen[0].provider_answer) == ("feishu", "logid 20261122233112A1B2C3")


async def test_a_provider_that_answers_200_with_an_error_gives_way_to_the_next_channel_at_once(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    providers.trouble["feishu"] = "keyword"
    incident_id, _ = await one_clock(line)
    await channels.wait(incident_id, "anna", seconds=ANSWER_SECONDS)
    sent = await facts(line, facts_pb2.PageSent, incident_id, 2)
    page = (await line.incident(incident_id)).pages[0]

    assert [(fact.page.channel, fact.page.delivered, fact.page.provider_answer[:10]) for fact in sent[:2]] == [
        ("feishu", False, "code 19024"), ("webhook", True, "anna-1"),
    ]  # fmt: skip
    assert [(tried.channel, tried.state) for tried in page.dispatches] == [("feishu", "refused"), ("webhook", "taken")]
    assert page.dispatches[0].error.startswith("code 19024")
    assert page.dispatches[1].provider_id == "anna-1"


async def test_where_nothing_comes_through_to_anybody_it_is_said_and_the_chain_starts_over(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    providers.trouble.update(feishu="broken", alertmanager="broken")
    channels.answers.update(anna=(200, '{"ok": false}'), chief=(403, "gone"))
    began = asyncio.get_running_loop().time()
    incident_id, clock_id = await one_clock(line)
    nobody = await facts(line, facts_pb2.NobodyReached, incident_id)
    lasted = asyncio.get_running_loop().time() - began
    seen = await pages(line, incident_id, 5)

    assert [(fact.clock_id, fact.round, fact.levels) for fact in nobody] == [(clock_id, 1, 4)]
    assert lasted < 2 * ANSWER_SECONDS  # nobody's time to answer was waited for
    assert [(page.level, page.round, page.delivered) for page in seen] == [
        (1, 1, False), (2, 1, False), (3, 1, False), (4, 1, False), (1, 2, False),
    ]  # fmt: skip


async def test_an_acknowledgement_expires_and_people_are_paged_again_until_the_clock_is_stopped(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    providers.trouble["feishu"] = "keyword"  # so that the webhook is sent the link
    incident_id, clock_id = await one_clock(line)
    url = (await channels.wait(incident_id, "anna"))[0]["ack_url"]
    async with httpx.AsyncClient(trust_env=False, headers={"Accept": "text/html"}) as phone:
        pressed = await phone.post(url)
        told = await channels.wait(incident_id, "anna", count=2)
        used = await phone.post(url)
    acknowledged = (await facts(line, facts_pb2.PageAcknowledged, incident_id))[0]
    expired = (await facts(line, facts_pb2.PageAcknowledgementExpired, incident_id))[0]
    holds = instant(acknowledged.acknowledged_until) - instant(acknowledged.acknowledged_at)

    assert pressed.status_code == 200
    assert told[1]["cause"] == "acknowledgement_expired"
    assert abs(holds - HOLDS_SECONDS * SECOND) < SECOND
    assert (expired.clock_id, expired.contact) == (clock_id, "anna")
    assert used.status_code == 403
    assert "Acknowledged by anna at 20" in used.text

    await line.not_report(clock_id, "officer", "lead")
    for left in (  # that could page anybody about it
        "SELECT state FROM page WHERE clock_id = %s AND state IN ('queued', 'sent')",
        "SELECT state FROM page WHERE clock_id = %s AND state = 'acknowledged' AND acknowledged_until IS NOT NULL",
        "SELECT kind FROM milestone WHERE clock_id = %s AND state = 'pending'",
    ):
        assert await line.deployment.rows("escalation", left, clock_id) == []


async def test_what_a_provider_takes_later_outlives_a_kill_and_the_next_channel_is_asked_meanwhile(
    line: Desk, providers: Providers, channels: Channels, environment: dict[str, str]
) -> None:
    before = len(providers.of("feishu"))
    providers.trouble["feishu"] = "limited"  # for seven seconds, it says
    incident_id, _ = await one_clock(line)
    await channels.wait(incident_id, "anna", seconds=ANSWER_SECONDS)
    blocked = "SELECT blocked_until FROM channel_usage WHERE blocked_until > clock_timestamp()"
    await until(lambda: line.deployment.rows("escalation", blocked), bool)
    del providers.trouble["feishu"]
    another_id, _ = await one_clock(line)  # nothing is sent by that channel, whatever it is about
    await channels.wait(another_id, "anna", seconds=ANSWER_SECONDS)
    waiting = (await line.incident(incident_id)).pages[0]
    held = (await line.incident(another_id)).pages[0]
    asked = len(providers.of("feishu")) - before
    # And a page that a process of an earlier version, which knew of no dispatches, queued and left behind.
    left = (
        "INSERT INTO page (page_id, incident_id, clock_id, cause, contact, level, round, state, not_before)"
        " SELECT gen_random_uuid(), incident_id, clock_id, 'start', 'bo', 1, 1, 'queued',"
        " clock_timestamp() - interval '60 seconds' FROM clock WHERE incident_id = %s RETURNING page_id"
    )
    await line.deployment.rows("escalation", left, incident_id)
    await asyncio.to_thread(line.deployment.runner.kill_service, "escalation")
    await asyncio.to_thread(line.deployment.runner.start_service, "escalation", environment)
    await channels.wait(incident_id, "bo")
    again = await providers.wait("feishu", token_of(waiting.page_id), count=2, seconds=30)
    (once,) = await providers.wait("feishu", token_of(held.page_id), seconds=30)

    assert asked == 1
    assert [tried.state for tried in waiting.dispatches] == ["waiting", "taken"]
    assert held.dispatches[0].error.startswith("held back")
    assert [again[0].status, again[1].status, once.status] == [429, 200, 200]
    assert again[1].at - again[0].at >= 7
    assert once.at - again[0].at >= 7


async def test_no_more_is_sent_than_a_provider_allows_and_nothing_is_dropped(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    before = len(providers.of("feishu"))
    opened = [incident_id for incident_id, _ in await asyncio.gather(*(one_clock(line) for _ in range(9)))]
    first = [(await pages(line, incident_id, 1))[0].page_id for incident_id in opened]
    for page_id in first:
        await providers.wait("feishu", token_of(page_id))
    held = [incident_id for incident_id in opened if channels.about(incident_id, "anna")]

    assert all(taken.status == 200 for taken in providers.of("feishu")[before:])
    assert len(held) >= 4  # five a second are allowed; the others had a page by the next channel at once
    query = (
        "SELECT page_id FROM dispatch WHERE state IN ('taken', 'withdrawn') AND provider_id <> ''"
        " AND channel = 'feishu' AND page_id = ANY(%s::uuid[])"
    )
    assert await until(lambda: line.deployment.rows("escalation", query, first), lambda rows: len(rows) == len(opened))
    instants = [taken.at for taken in providers.of("feishu")[before:]]
    assert all(later - earlier >= 1 for earlier, later in zip(instants, instants[5:], strict=False))


async def test_who_stands_in_is_paged_until_the_override_is_ended(line: Desk, channels: Channels) -> None:
    now = datetime.now(UTC)
    desk = oncall(line, "on_call")
    made = await desk.OverrideOnCall(
        oncall_pb2.OverrideOnCallRequest(
            command_id=command_id(), schedule="line", contact="bo", reason="anna is on a flight",
            starts_at=stamp(now - timedelta(hours=1)), ends_at=stamp(now + timedelta(hours=1)),
        )
    )  # fmt: skip
    who = await desk.WhoIsOnCall(oncall_pb2.WhoIsOnCallRequest())
    before = await desk.WhoIsOnCall(oncall_pb2.WhoIsOnCallRequest(at=stamp(now - timedelta(hours=2))))
    incident_id, _ = await one_clock(line)
    await channels.wait(incident_id, "bo")
    ended = await desk.EndOverride(oncall_pb2.EndOverrideRequest(command_id=command_id(), override_id=made.override_id))
    after = await desk.WhoIsOnCall(oncall_pb2.WhoIsOnCallRequest())
    listed = await oncall(line, "auditor").ListShifts(
        oncall_pb2.ListShiftsRequest(
            schedule="line", starts_at=stamp(now - timedelta(hours=2)), ends_at=stamp(now + timedelta(hours=2))
        )
    )

    assert [(level.level, level.contact, level.override_id) for level in who.levels] == [
        (1, "bo", made.override_id), (2, "", ""), (3, "chief", ""), (4, "wall", ""),
    ]  # fmt: skip
    assert (before.levels[0].contact, after.levels[0].contact) == ("anna", "anna")
    assert list(after.levels[0].channels) == ["feishu", "webhook"]
    assert [(shift.contact, shift.override_id) for shift in listed.shifts] == [
        ("anna", ""), ("bo", made.override_id), ("anna", ""),
    ]  # fmt: skip
    assert instant(listed.shifts[1].ends_at) == instant(ended.ended_at)
    assert [override.made_by for override in listed.overrides] == ["lead"]
    kinds: tuple[Any, ...] = (facts_pb2.OnCallOverridden, facts_pb2.OnCallOverrideEnded)
    for kind in kinds:
        told = await line.deployment.facts(
            "escalation", kind, lambda fact: fact.override.override_id == made.override_id
        )
        assert [(fact.override.contact, fact.override.reason) for fact in told] == [("bo", "anna is on a flight")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": "no-line"}, "SCHEDULE_UNKNOWN"),
        ({"contact": "nobody"}, "CONTACT_UNKNOWN"),
        ({"ends_at": stamp(datetime(2026, 1, 1, tzinfo=UTC))}, "PERIOD_INVALID"),
        ({"reason": ""}, "INVALID_FIELD"),
    ],
)
async def test_an_override_that_makes_no_sense_is_refused(line: Desk, changes: dict[str, Any], reason: str) -> None:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "command_id": command_id(), "schedule": "line", "contact": "bo", "reason": "a flight",
        "starts_at": stamp(now), "ends_at": stamp(now + timedelta(hours=1)),
    }  # fmt: skip
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await oncall(line, "on_call").OverrideOnCall(oncall_pb2.OverrideOnCallRequest(**usual | changes))

    refusal = Refusal.from_rpc(refused.value)
    assert refusal is not None
    assert refusal.reason == reason


async def test_an_override_that_is_unknown_cannot_be_ended(line: Desk) -> None:
    request = oncall_pb2.EndOverrideRequest(command_id=command_id(), override_id=command_id())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await oncall(line, "privacy_officer").EndOverride(request)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_alert_is_posted_again_before_it_ends_until_somebody_acknowledges(
    line: Desk, providers: Providers, channels: Channels
) -> None:
    providers.trouble["feishu"] = "keyword"
    channels.answers.update(anna=(403, "gone"), chief=(403, "gone"))
    incident_id, clock_id = await one_clock(line)
    await providers.wait("alertmanager", clock_id)
    standing = "SELECT page_id FROM dispatch WHERE state = 'standing' AND channel = 'alertmanager'"
    await until(lambda: line.deployment.rows("escalation", standing), bool)
    due = "UPDATE dispatch SET not_before = clock_timestamp() WHERE state = 'standing' RETURNING page_id"
    page_id = (await line.deployment.rows("escalation", due))[0]["page_id"]
    await providers.wait("alertmanager", clock_id, count=2)
    await line.stub("on_call", name="anna").AcknowledgePage(
        service_pb2.AcknowledgePageRequest(command_id=command_id(), page_id=str(page_id))
    )
    posted = [taken.body[0] for taken in await providers.wait("alertmanager", clock_id, count=3)]
    page = await until(
        lambda: line.incident(incident_id),
        lambda seen: any(tried.state == "ended" for page in seen.pages for tried in page.dispatches),
    )

    assert posted[0]["labels"] == posted[1]["labels"] == posted[2]["labels"]
    assert posted[1]["endsAt"] > posted[0]["endsAt"]
    assert datetime.fromisoformat(posted[2]["endsAt"]) <= datetime.now(UTC)
    assert await line.deployment.rows("escalation", standing) == []
    ended = [tried for seen in page.pages for tried in seen.dispatches if tried.state == "ended"]
    assert [tried.provider_id for tried in ended] == [f"clock_id={clock_id}"]


async def test_no_secret_and_no_address_is_in_any_row_or_fact(line: Desk, providers: Providers) -> None:
    providers.trouble["feishu"] = "silent"
    incident_id, _ = await one_clock(line)
    await facts(line, facts_pb2.PageSent, incident_id)
    tables = ("page", "dispatch", "channel_usage", "oncall_override", "kit_outbox")
    held = [
        row["text"]
        for table in tables
        for row in await line.deployment.rows("escalation", f"SELECT t::text AS text FROM {table} t")  # noqa: S608 - names of ours
    ]

    assert held
    assert not [text for text in held for secret in (FEISHU_SECRET, providers.address, AM_TOKEN) if secret in text]
