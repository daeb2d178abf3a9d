from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id

from .desk import ONE_LAW, Desk, until

if TYPE_CHECKING:
    from .conftest import Channels

ANSWER_SECONDS = 3


async def one_clock(desk: Desk) -> tuple[str, str]:
    """An incident with a single clock; its id and the clock's."""
    reported = await desk.report("illegal_content", ONE_LAW, aware=datetime.now(UTC))
    return reported.incident_id, reported.clock_ids[0]


async def test_a_page_says_what_is_due_and_comes_with_the_channel_s_own_id(desk: Desk, channels: Channels) -> None:
    incident_id, clock_id = await one_clock(desk)
    page = (await channels.wait(incident_id, "duty-officer"))[0]
    seen = await until(lambda: desk.incident(incident_id), lambda seen: seen.pages[0].HasField("sent_at"))

    assert page["clock_id"] == clock_id
    assert page["citation"] == "互联网信息服务深度合成管理规定 第十条第三款"
    assert page["ack_url"].startswith(desk.deployment.http("escalation") + "/ack/")
    assert page["page_id"] in channels.keys
    assert (seen.pages[0].level, seen.pages[0].delivered, seen.pages[0].provider_answer) == (1, True, "duty-officer-1")


async def test_when_nobody_acknowledges_the_next_person_is_paged(desk: Desk, channels: Channels) -> None:
    incident_id, _ = await one_clock(desk)
    await channels.wait(incident_id, "duty-officer")
    started = asyncio.get_running_loop().time()
    await channels.wait(incident_id, "director")
    lasted = asyncio.get_running_loop().time() - started
    facts = await desk.deployment.facts(
        "escalation", facts_pb2.PageEscalated, lambda fact: fact.incident_id == incident_id, count=2
    )

    assert [fact.next_level for fact in facts[:2]] == [2, 3]
    assert lasted >= 2 * ANSWER_SECONDS - 0.5
    assert len(channels.about(incident_id, "team-lead")) == 1


async def test_a_day_s_work_wakes_nobody_before_half_of_its_time_is_gone(desk: Desk, channels: Channels) -> None:
    reported = await desk.report("complaint", {"against_decision": False}, complaint_received=datetime.now(UTC))
    # Pages leave in order: one about something urgent that comes later would come after any about the complaint.
    urgent, _ = await one_clock(desk)
    await channels.wait(urgent, "duty-officer")
    assert len(reported.clock_ids) > 0
    assert channels.about(reported.incident_id, "duty-officer") == []
    assert list((await desk.incident(reported.incident_id)).pages) == []

    its_own = f"incident_id = '{reported.incident_id}'"
    for passing in (
        f"UPDATE clock SET started_at = now() - (strict_due - now()) WHERE {its_own} RETURNING clock_id",  # noqa: S608 - an id of its own
        f"UPDATE milestone SET due_at = now() WHERE kind = 'half' AND {its_own} RETURNING clock_id",  # noqa: S608 - as above
    ):
        await desk.deployment.rows("escalation", passing)
    page = (await channels.wait(reported.incident_id, "duty-officer"))[0]
    assert page["clock_id"] in reported.clock_ids
    assert len((await desk.incident(reported.incident_id)).pages) == 1


async def test_looking_at_the_link_changes_nothing_and_the_button_works_once(desk: Desk, channels: Channels) -> None:
    incident_id, clock_id = await one_clock(desk)
    url = (await channels.wait(incident_id, "duty-officer"))[0]["ack_url"]
    async with httpx.AsyncClient(trust_env=False) as phone:
        for _ in range(3):
            shown = await phone.get(url)
        before = (await desk.incident(incident_id)).pages[0]
        pressed = await phone.post(url)
        again = await phone.post(url)
        for_machines = await phone.post(url, headers={"Accept": "application/json"})
        forged = await phone.post(url[:-4] + "AAAA")
    after = await desk.incident(incident_id)

    assert shown.status_code == 200
    assert 'form method="post"' in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert not before.HasField("acknowledged_at")
    assert (pressed.status_code, again.status_code, forged.status_code) == (200, 403, 403)
    assert for_machines.json()["title"] == "LINK_INVALID"
    assert after.pages[0].HasField("acknowledged_at")
    acknowledged = await desk.deployment.facts(
        "escalation", facts_pb2.PageAcknowledged, lambda fact: fact.incident_id == incident_id
    )
    assert [fact.contact for fact in acknowledged] == ["duty-officer"]

    another_id, _ = await one_clock(desk)
    await channels.wait(another_id, "team-lead")  # a later page was not answered in time, so this one was neither
    assert [page.level for page in (await desk.incident(incident_id)).pages] == [1]  # the paging rests
    running = await desk.clock(incident_id, "cn.deep-synthesis.10", "report")
    assert (running.clock_id, running.state) == (clock_id, model_pb2.CLOCK_STATE_RUNNING)  # the clock does not


async def test_an_acknowledgement_covers_the_pages_until_the_next_milestone_that_pages(
    desk: Desk, channels: Channels
) -> None:
    aware = datetime.now(UTC) - timedelta(hours=24) + timedelta(seconds=6)
    incident_id = (await desk.report("illegal_content", ONE_LAW, aware=aware)).incident_id
    page = (await channels.wait(incident_id, "duty-officer"))[0]
    await desk.stub("on_call", name="anna").AcknowledgePage(
        service_pb2.AcknowledgePageRequest(command_id=command_id(), page_id=page["page_id"])
    )
    pages = await channels.wait(incident_id, "duty-officer", count=2)

    assert [told["cause"] for told in pages] == ["start", "due"]
    assert channels.about(incident_id, "team-lead") == []


async def test_a_due_date_pages_again_even_while_the_first_page_is_unanswered(desk: Desk, channels: Channels) -> None:
    aware = datetime.now(UTC) - timedelta(hours=24) + timedelta(seconds=2)
    incident_id = (await desk.report("illegal_content", ONE_LAW, aware=aware)).incident_id
    pages = await channels.wait(incident_id, "duty-officer", count=2)

    assert [told["cause"] for told in pages] == ["start", "due"]
    lead = await channels.wait(incident_id, "team-lead")
    assert [told["cause"] for told in lead] == ["due"]


async def test_what_a_channel_refuses_in_a_body_with_status_200_goes_to_the_next_person_at_once(
    desk: Desk, channels: Channels
) -> None:
    channels.answers["duty-officer"] = (200, '{"errcode": 310000, "errmsg": "keywords not in content"}')
    try:
        incident_id, _ = await one_clock(desk)
        await channels.wait(incident_id, "team-lead", seconds=ANSWER_SECONDS)
    finally:
        del channels.answers["duty-officer"]
    seen = await until(lambda: desk.incident(incident_id), lambda seen: len(seen.pages) > 1)

    assert (seen.pages[0].delivered, seen.pages[0].provider_answer[:14]) == (False, "errcode 310000")


async def test_a_page_that_does_not_exist_is_refused(desk: Desk) -> None:
    request = service_pb2.AcknowledgePageRequest(command_id=command_id(), page_id=command_id())
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.stub("on_call").AcknowledgePage(request)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
