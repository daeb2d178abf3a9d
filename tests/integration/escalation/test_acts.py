"""The acts of an incident: every published fact, in its transaction, under the id that the log proves it by."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from candor.escalation.v1 import act_pb2, act_pb2_grpc, facts_pb2
from candor_kit.errors import Refusal
from google.protobuf import json_format

from .desk import Desk, instant


def stub(desk: Desk, *roles: str) -> Any:
    return act_pb2_grpc.ActServiceStub(desk.deployment.channel("escalation", *(roles or ("auditor",))))


async def acts_of(desk: Desk, incident_id: str, size: int = 100) -> list[act_pb2.IncidentAct]:
    found: list[act_pb2.IncidentAct] = []
    token = ""
    while True:
        request = act_pb2.ListActsRequest(incident_id=incident_id, page_size=size, page_token=token)
        page = await stub(desk).ListActs(request)
        found += page.acts
        token = page.next_page_token
        if not token:
            return found


async def test_every_fact_of_an_incident_is_an_act_under_the_id_it_was_published_with(desk: Desk) -> None:
    reported = await desk.report("pi_leak", {"persons": 1}, aware=datetime.now(UTC))
    drafts = await desk.draft(reported.clock_ids[0])
    submission_id = await desk.submit(reported.clock_ids[0], drafts["zh"].revision)
    await desk.receipt(submission_id)
    acts = await acts_of(desk, reported.incident_id)
    kinds = [act.type.rpartition(".")[2] for act in acts]

    assert kinds[0] == "IncidentOpened"
    assert kinds.count("ClockStarted") == len(reported.clock_ids)
    wanted = ["ReportDrafted", "ReportSubmitted", "ReceiptRecorded", "ClockStopped"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    receipt = next(act for act in acts if act.type.endswith("ReceiptRecorded"))
    told = json_format.MessageToDict(receipt.told)
    assert told["submission"]["receipt"]["reference"] == "12387-2026-0001"
    await desk.deployment.facts(
        "escalation", facts_pb2.ReceiptRecorded, lambda fact: fact.incident_id == reported.incident_id
    )
    published = {fact.fact_id: fact for fact in await desk.deployment.published("escalation")}
    kept = facts_pb2.ReceiptRecorded.FromString(published[receipt.fact_id].value)
    assert (kept.incident_id, kept.submission.submission_id) == (reported.incident_id, submission_id)
    assert [instant(act.recorded_at) for act in acts] == sorted(instant(act.recorded_at) for act in acts)


async def test_acts_come_page_by_page_and_none_twice(desk: Desk) -> None:
    reported = await desk.report("pi_leak", {"persons": 1}, aware=datetime.now(UTC))
    for persons in range(2, 6):
        await desk.tell(reported.incident_id, {"persons": persons}, aware=datetime.now(UTC) - timedelta(hours=persons))
    whole = [act.fact_id for act in await acts_of(desk, reported.incident_id)]

    assert len(whole) > 5
    assert len(set(whole)) == len(whole)
    # Pages go out meanwhile: what was there stays as it was, in front.
    assert [act.fact_id for act in await acts_of(desk, reported.incident_id, 2)][: len(whole)] == whole


async def test_the_latest_act_stands_first_whatever_its_incident(desk: Desk) -> None:
    reported = await asyncio.gather(
        *(desk.report("security", {}, f"latest-{number}", aware=datetime.now(UTC)) for number in range(3))
    )
    last = await desk.report("pi_leak", {"persons": 1}, aware=datetime.now(UTC))
    latest = await stub(desk, "on_call").ListLatestActs(act_pb2.ListLatestActsRequest(page_size=1000))

    # Pages of the earlier ones may still go out; the openings stand in their order.
    incidents = [act.incident_id for act in latest.acts if act.type.endswith("IncidentOpened")]
    assert {last.incident_id, *(answer.incident_id for answer in reported)} <= set(incidents)
    assert incidents.index(last.incident_id) < min(incidents.index(answer.incident_id) for answer in reported)


async def test_signals_and_every_instant_that_was_told_are_noted(desk: Desk) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    reported = await desk.report("pi_leak", {"persons": 1}, aware=now)
    await desk.tell(reported.incident_id, {}, aware=now - timedelta(hours=1))
    answer = await stub(desk, "privacy_officer").ListNotes(act_pb2.ListNotesRequest(incident_id=reported.incident_id))

    assert [(note.kind, note.name) for note in answer.notes] == [
        ("signal", ""),
        ("anchor", "aware"),
        ("anchor", "aware"),
    ]
    assert [instant(note.at) for note in answer.notes[1:]] == [now, now - timedelta(hours=1)]
    assert answer.notes[1].evidence == "a call"
    assert not answer.notes[0].HasField("at")


@pytest.mark.parametrize("token", ["x", "-1", "1 OR 1=1", "9" * 19])
async def test_a_token_of_another_kind_is_refused(desk: Desk, token: str) -> None:
    request = act_pb2.ListActsRequest(incident_id="01a20387-f5b9-703f-937d-3280cbb75ead", page_token=token)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(desk).ListActs(request)

    refusal = Refusal.from_rpc(refused.value)
    assert refusal is not None
    assert [violation.field for violation in refusal.violations] == ["page_token"]


async def test_who_may_not_see_incidents_sees_no_acts(desk: Desk) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(desk, "backend").ListLatestActs(act_pb2.ListLatestActsRequest())

    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED
