"""Asks that no backend answers: on-call is paged about the disposal until it is carried out or taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from candor.escalation.v1 import disposal_pb2, model_pb2, service_pb2, service_pb2_grpc

from .disposal_desk import APPLY, CARRIED_OUT, COULD_NOT, DELIVER, SUSPEND, DisposalDesk, until

if TYPE_CHECKING:
    from tests.integration.escalation.conftest import Channels

RUNNING, FALLEN = model_pb2.CLOCK_STATE_RUNNING, model_pb2.CLOCK_STATE_FALLEN
CLOSED = model_pb2.INCIDENT_STATE_CLOSED
DUTIES = {"cn.deep-synthesis.10", "eu.dsa.14"}


async def incidents(desk: DisposalDesk, disposal_id: str) -> list[service_pb2.GetIncidentResponse]:
    """The incidents about a disposal, the oldest in front."""
    rows = await desk.deployment.rows(
        "escalation",
        "SELECT incident_id::text AS id FROM incident WHERE kind = 'disposal_unanswered' AND correlation_key = %s"
        " ORDER BY opened_at",
        disposal_id,
    )
    stub = service_pb2_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "auditor"))
    return [await stub.GetIncident(service_pb2.GetIncidentRequest(incident_id=row["id"])) for row in rows]


async def opened(desk: DisposalDesk, disposal_id: str) -> service_pb2.GetIncidentResponse:
    """The one incident about a disposal, once there is one."""
    (seen,) = await until(lambda: incidents(desk, disposal_id), bool)
    return seen


async def closed(desk: DisposalDesk, disposal_id: str) -> service_pb2.GetIncidentResponse:
    return (await until(lambda: incidents(desk, disposal_id), lambda found: found[0].incident.state == CLOSED))[0]


@pytest.mark.clause("Deep Synthesis 10")
@pytest.mark.clause("DSA 14")
async def test_an_ask_that_nobody_answers_in_time_pages_on_call_until_it_is_carried_out(
    desk: DisposalDesk, channels: Channels
) -> None:
    answer = await desk.officer.OrderDisposal(desk.order(disposal_pb2.MEASURE_REMOVE))
    seen = await opened(desk, answer.disposal_id)
    await channels.wait(seen.incident.incident_id, "duty-officer")
    (ask, *_) = await desk.asked(answer.disposal_id, APPLY, count=2)  # asked again, and still one incident
    await desk.acknowledge(ask)
    over = await closed(desk, answer.disposal_id)

    assert {clock.pack_id for clock in seen.clocks} == DUTIES
    assert {clock.anchor.at.ToDatetime(UTC) for clock in seen.clocks} == {answer.answer_by.ToDatetime(UTC)}
    assert len({page.clock_id for page in over.pages}) == 1  # one page, however many laws it meets
    assert {clock.state for clock in over.clocks} == {FALLEN}
    assert len(await incidents(desk, answer.disposal_id)) == 1


async def test_what_is_answered_in_time_pages_nobody_and_could_not_pages_at_once(desk: DisposalDesk) -> None:
    good = (await desk.officer.OrderDisposal(desk.order(disposal_pb2.MEASURE_REMOVE))).disposal_id
    bad = (await desk.officer.OrderDisposal(desk.order(disposal_pb2.MEASURE_REMOVE))).disposal_id
    for disposal_id, outcome in ((good, CARRIED_OUT), (bad, COULD_NOT)):
        (ask, *_) = await desk.asked(disposal_id, APPLY)
        await desk.backend.AcknowledgeDisposal(desk.answer(ask, outcome))
    seen = await opened(desk, bad)
    (ask, *_) = await desk.asked(bad, APPLY)
    await desk.acknowledge(ask)
    over = await closed(desk, bad)

    assert {clock.state for clock in seen.clocks} == {RUNNING}
    assert {clock.state for clock in over.clocks} == {FALLEN}
    assert await incidents(desk, good) == []


async def test_several_late_asks_of_a_disposal_are_one_incident_which_ends_when_it_is_taken_back(
    desk: DisposalDesk,
) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + timedelta(days=1))
    await until(
        lambda: desk.seen(disposal_id), lambda seen: len(seen.asks) == 2 and all(ask.overdue for ask in seen.asks)
    )
    (told, *_) = await desk.asked(disposal_id, DELIVER)
    await desk.acknowledge(told)
    half = await opened(desk, disposal_id)
    complaint_id = await desk.complain(disposal_id)
    reversed_ = disposal_pb2.COMPLAINT_OUTCOME_REVERSED
    await desk.second.DecideComplaint(desk.decision(complaint_id, reversed_))
    over = await closed(desk, disposal_id)
    later = await until(lambda: incidents(desk, disposal_id), lambda found: len(found) == 2)

    assert half.incident.state == model_pb2.INCIDENT_STATE_OPEN  # the measure itself is not carried out
    assert {clock.state for clock in over.clocks} == {FALLEN}
    assert later[1].incident.state == model_pb2.INCIDENT_STATE_OPEN  # taking it back is late now as well
