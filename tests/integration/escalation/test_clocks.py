from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit.errors import Refusal

from .desk import Desk, instant, until

if TYPE_CHECKING:
    from .conftest import Channels

HOUR = timedelta(hours=1)


def reason(error: grpc.aio.AioRpcError) -> str:
    refusal = Refusal.from_rpc(error)
    return refusal.reason if refusal else ""


async def test_a_leak_starts_the_clocks_of_every_law_that_may_apply(desk: Desk) -> None:
    aware = datetime.now(UTC).replace(microsecond=0) - HOUR
    reported = await desk.report("pi_leak", {"persons": 2_000_000}, aware=aware)
    seen = await desk.incident(reported.incident_id)
    dues = {f"{clock.pack_id}/{clock.obligation_id}": clock for clock in seen.clocks}

    assert set(dues) >= {
        "cn.pipl.57/authority",
        "cn.pipl.57/individuals",
        "cn.incident-reporting/other",
        "eu.gdpr.33/authority",
    }
    assert set(reported.clock_ids) == {clock.clock_id for clock in seen.clocks}
    assert instant(dues["cn.incident-reporting/other"].strict_due) == aware + 4 * HOUR
    gdpr = dues["eu.gdpr.33/authority"]
    assert instant(gdpr.strict_due) == aware + 72 * HOUR
    assert instant(gdpr.legal_latest) == aware.replace(minute=0, second=0) + 73 * HOUR
    assert "unknown: risk_unlikely" in gdpr.anchor.evidence
    assert gdpr.legal_number
    pipl = dues["cn.pipl.57/authority"]
    assert not pipl.legal_number
    assert not pipl.HasField("legal_latest")
    assert [milestone.kind for milestone in gdpr.milestones] == ["half", "quarter", "hour_left", "due", "overdue"]


async def test_a_milestone_that_is_due_is_announced_once_and_pages(desk: Desk, channels: Channels) -> None:
    aware = datetime.now(UTC) - 72 * HOUR + timedelta(seconds=4)
    reported = await desk.report("pi_leak", {"risk_unlikely": False, "persons": 1}, aware=aware)
    gdpr = await desk.clock(reported.incident_id, "eu.gdpr.33", "authority")
    facts = await desk.deployment.facts(
        "escalation",
        facts_pb2.MilestoneReached,
        lambda fact: fact.clock_id == gdpr.clock_id,
        count=3,
    )

    assert [fact.kind for fact in facts] == ["half", "quarter", "due"]
    due = facts[2]
    assert timedelta(0) <= instant(due.reached_at) - instant(due.due_at) < timedelta(seconds=2)
    assert await channels.wait(reported.incident_id, "duty-officer")


async def test_an_earlier_anchor_moves_the_clock_and_a_later_one_does_not(desk: Desk) -> None:
    aware = datetime.now(UTC).replace(microsecond=0) - HOUR
    reported = await desk.report("pi_leak", {"persons": 5}, aware=aware)

    await desk.tell(reported.incident_id, {}, aware=aware + timedelta(minutes=5))
    unmoved = await desk.clock(reported.incident_id, "eu.gdpr.33", "authority")
    await desk.tell(reported.incident_id, {}, found=aware - HOUR)
    moved = await desk.clock(reported.incident_id, "eu.gdpr.33", "authority")

    assert instant(unmoved.strict_due) == aware + 72 * HOUR
    assert instant(moved.strict_due) == aware + 71 * HOUR
    assert moved.clock_id == unmoved.clock_id
    assert [milestone.kind for milestone in moved.milestones] == ["half", "quarter", "hour_left", "due", "overdue"]


async def test_signals_of_one_key_at_once_are_one_incident(desk: Desk) -> None:
    key = f"storm-{datetime.now(UTC).timestamp()}"
    now = datetime.now(UTC)
    answers = await asyncio.gather(*(desk.report("security", {}, key, aware=now) for _ in range(12)))
    seen = await desk.incident(answers[0].incident_id)

    assert len({answer.incident_id for answer in answers}) == 1
    assert seen.incident.signals == 12
    assert len(seen.clocks) == len({(clock.pack_id, clock.obligation_id) for clock in seen.clocks})
    assert sum(len(answer.clock_ids) for answer in answers) == len(seen.clocks)


async def test_facts_are_corrected_and_both_are_kept(desk: Desk) -> None:
    reported = await desk.report("pi_leak", {"persons": 10}, aware=datetime.now(UTC))
    started = await desk.tell(reported.incident_id, {"persons": 1_000_000})
    seen = await desk.incident(reported.incident_id)

    assert [fact.value.number_value for fact in seen.facts if fact.name == "persons"] == [10, 1_000_000]
    report = await desk.clock(reported.incident_id, "cn.incident-reporting", "other")
    assert report.clock_id in started.clock_ids  # the incident-reporting measures apply from one million on
    assert report.clock_id not in reported.clock_ids


async def test_an_anchor_that_has_not_happened_yet_is_refused(desk: Desk) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.report("pi_leak", {}, aware=datetime.now(UTC) + HOUR)

    assert reason(refused.value) == "TIME_IN_FUTURE"


async def test_a_killed_service_neither_loses_nor_doubles_a_milestone(
    desk: Desk, oncall_environment: dict[str, str]
) -> None:
    aware = datetime.now(UTC) - 72 * HOUR + timedelta(seconds=5)
    key = f"kill-{aware.timestamp()}"
    reported = [
        await desk.report("pi_leak", {"risk_unlikely": False, "persons": 1}, f"{key}-{number}", aware=aware)
        for number in range(15)
    ]
    clocks = {(await desk.clock(answer.incident_id, "eu.gdpr.33", "authority")).clock_id for answer in reported}
    await until(lambda: asyncio.sleep(0, datetime.now(UTC)), lambda now: now >= aware + 72 * HOUR, 10)

    desk.deployment.runner.kill_service("escalation")
    desk.deployment.runner.start_service("escalation", oncall_environment)

    def ours(fact: facts_pb2.MilestoneReached) -> bool:
        return fact.clock_id in clocks and fact.kind == "due"

    await desk.deployment.facts("escalation", facts_pb2.MilestoneReached, ours, count=15)
    # Nothing of them is left to come: neither in the table of what falls due nor on its way to the topic.
    pending = "SELECT clock_id FROM milestone WHERE kind = 'due' AND state = 'pending' AND clock_id = ANY(%s)"
    assert await desk.deployment.rows("escalation", pending, list(clocks)) == []
    await until(lambda: desk.deployment.rows("escalation", "SELECT id FROM kit_outbox"), lambda rows: not rows)
    name = facts_pb2.MilestoneReached.DESCRIPTOR.full_name
    published = [fact for fact in await desk.deployment.published("escalation") if fact.type == name]
    facts = [facts_pb2.MilestoneReached.FromString(fact.value) for fact in published]
    assert sorted(fact.clock_id for fact in facts if ours(fact)) == sorted(clocks)


async def test_the_audit_can_list_clocks_by_due_date_page_by_page(desk: Desk) -> None:
    stub = desk.stub("auditor")
    whole = await stub.ListClocks(service_pb2.ListClocksRequest(running_only=True, page_size=1000))
    token, pieces = "", []
    while True:
        piece = await stub.ListClocks(service_pb2.ListClocksRequest(running_only=True, page_size=7, page_token=token))
        pieces += [clock.clock_id for clock in piece.clocks]
        token = piece.next_page_token
        if not token:
            break

    assert pieces == [clock.clock_id for clock in whole.clocks]
    dues = [instant(clock.strict_due) for clock in whole.clocks]
    assert dues == sorted(dues)
    assert all(clock.state == model_pb2.CLOCK_STATE_RUNNING for clock in whole.clocks)
