"""Disposals on the real stack: ordered by a person, asked of a backend until it answers, taken back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import httpx
import pytest
from candor.escalation.v1 import disposal_pb2, facts_pb2

from .disposal_desk import (
    APPLY,
    CARRIED_OUT,
    CLOSE,
    COULD_NOT,
    DELIVER,
    FACTS,
    LIFT,
    LIMIT,
    SUSPEND,
    WARN,
    DisposalDesk,
    refusal,
    until,
)

DAY = timedelta(days=1)
UPHELD, REVERSED = disposal_pb2.COMPLAINT_OUTCOME_UPHELD, disposal_pb2.COMPLAINT_OUTCOME_REVERSED


async def test_an_order_is_asked_of_the_backend_and_acknowledged_by_topic(desk: DisposalDesk) -> None:
    generation_id = str(uuid4())
    ordered = await desk.officer.OrderDisposal(
        desk.order(disposal_pb2.MEASURE_STOP_TRANSMISSION, generation_id=generation_id, subject=desk.subject)
    )
    (asked, *_) = await desk.asked(ordered.disposal_id, APPLY)
    await desk.acknowledge(asked)
    seen = await desk.seen(ordered.disposal_id)

    assert (asked.generation_id, asked.product, asked.subject) == (generation_id, desk.product, desk.subject)
    assert asked.measure == disposal_pb2.MEASURE_STOP_TRANSMISSION
    apply = next(ask for ask in seen.asks if ask.act == APPLY)
    assert (apply.state, apply.evidence) == (CARRIED_OUT, "ticket 5")
    assert seen.disposal.decided_by == "li"
    assert seen.disposal.of_person


async def test_a_model_is_stopped_without_a_statement_to_anybody(desk: DisposalDesk) -> None:
    ordered = await desk.officer.OrderDisposal(desk.order(disposal_pb2.MEASURE_STOP_GENERATION, model="m-1"))
    (asked, *_) = await desk.asked(ordered.disposal_id, APPLY)
    seen = await desk.seen(ordered.disposal_id)

    assert (asked.model, asked.subject) == ("m-1", "")
    assert [ask.act for ask in seen.asks] == [APPLY]
    assert not seen.disposal.of_person


async def test_a_backend_that_never_answers_is_asked_again_and_found_overdue(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    asked = await desk.asked(disposal_id, APPLY, count=2)
    late = await desk.deployment.facts(
        "escalation", facts_pb2.DisposalOverdue, lambda fact: fact.ask_id == asked[0].ask_id
    )
    seen = await desk.seen(disposal_id)
    listed = await desk.officer.ListDisposals(disposal_pb2.ListDisposalsRequest(needs_attention=True, page_size=1000))

    assert [fact.attempt for fact in asked[:2]] == [1, 2]
    assert {fact.ask_id for fact in asked} == {asked[0].ask_id}
    assert late[0].product == desk.product
    assert seen.disposal.needs_attention
    assert next(ask for ask in seen.asks if ask.act == APPLY).overdue
    assert disposal_id in {disposal.disposal_id for disposal in listed.disposals}
    await _gauge(desk, "asks_overdue", 1)


async def test_a_late_answer_ends_the_asking_and_a_second_one_changes_nothing(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    asked = await desk.asked(disposal_id, APPLY, count=2)
    (told, *_) = await desk.asked(disposal_id, DELIVER)
    await desk.acknowledge(asked[1])
    await desk.acknowledge(told)
    repeat = await desk.backend.AcknowledgeDisposal(desk.answer(asked[0]))
    contrary = await refusal(desk.backend.AcknowledgeDisposal(desk.answer(asked[0], COULD_NOT)))
    # What is due first is asked first: once another ask is repeated, this one would have been.
    past = "UPDATE disposal_ask SET ask_again_at = now() - interval '1 day' WHERE ask_id = %s RETURNING state, attempts"
    before = await desk.deployment.rows("escalation", past, asked[0].ask_id)
    await desk.asked(await desk.impose(WARN), APPLY, count=2)
    now = "SELECT state, attempts FROM disposal_ask WHERE ask_id = %s"
    after = await desk.deployment.rows("escalation", now, asked[0].ask_id)
    acknowledged = await desk.deployment.facts(
        "escalation", facts_pb2.DisposalAcknowledged, lambda fact: fact.ask_id == asked[0].ask_id
    )

    assert repeat.state == CARRIED_OUT
    assert contrary == "ASK_ANSWERED"
    assert after == before
    assert after[0]["state"] == "carried_out"
    assert len(acknowledged) == 1
    assert not (await desk.seen(disposal_id)).disposal.needs_attention


async def test_what_a_backend_could_not_do_waits_for_a_person_and_can_be_done_later(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    (asked, *_) = await desk.asked(disposal_id, APPLY)
    await desk.acknowledge(asked, outcome=COULD_NOT, evidence="no such account")
    failed = await desk.seen(disposal_id)
    await desk.acknowledge(asked)
    done = await desk.seen(disposal_id)

    assert failed.disposal.needs_attention
    assert next(ask for ask in failed.asks if ask.act == APPLY).evidence == "no such account"
    assert next(ask for ask in done.asks if ask.act == APPLY).state == CARRIED_OUT


async def test_an_answer_to_nothing_is_set_aside_and_blocks_nothing(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    (asked, *_) = await desk.asked(disposal_id, APPLY)
    wrong = desk.answer(asked)
    wrong.ask_id = str(uuid4())
    await desk.deployment.emit("escalation", wrong, key=disposal_id)
    await desk.acknowledge(asked)
    letters = await desk.deployment.dead_letters("escalation", lambda headers: headers.get("ce_id") == wrong.command_id)

    assert "DISPOSAL_UNKNOWN" in letters[0].values()


@pytest.mark.clause("DSA 17")
async def test_dsa_17_the_user_is_told_the_reasons_and_the_topic_is_not(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + DAY)
    (asked, *_) = await desk.asked(disposal_id, DELIVER)
    texts = await desk.statement(asked)
    await desk.acknowledge(asked)

    assert FACTS in texts.zh
    assert FACTS in texts.en
    assert "暂停服务" in texts.zh
    assert texts.disposal_id == disposal_id
    published = await desk.deployment.published("escalation")
    assert not [fact for fact in published if b"the-quoted-facts" in fact.value]
    rows = await desk.deployment.rows(
        "escalation", "SELECT row_to_json(d)::text AS row FROM disposal d WHERE disposal_id = %s", disposal_id
    )
    assert desk.subject not in rows[0]["row"]


async def test_a_suspension_ends_by_itself_and_the_backend_is_asked_to_lift_it(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + timedelta(seconds=3))
    (apply, *_) = await desk.asked(disposal_id, APPLY)
    (lift, *_) = await desk.asked(disposal_id, LIFT)
    await desk.acknowledge(lift)
    late = await desk.backend.AcknowledgeDisposal(desk.answer(apply))
    seen = await desk.seen(disposal_id)

    assert seen.disposal.state == disposal_pb2.DISPOSAL_STATE_ENDED
    assert late.state == disposal_pb2.ASK_STATE_WITHDRAWN
    assert lift.subject == desk.subject


@pytest.mark.clause("DSA 23")
async def test_dsa_23_the_ladder_proposes_and_more_needs_a_reason(desk: DisposalDesk) -> None:
    async def proposed() -> disposal_pb2.ProposeSanctionResponse:
        request = disposal_pb2.ProposeSanctionRequest(subject=desk.subject)
        answer: disposal_pb2.ProposeSanctionResponse = await desk.officer.ProposeSanction(request)
        return answer

    assert (await proposed()).measure == WARN
    assert await refusal(desk.officer.ImposeSanction(desk.sanction(CLOSE))) == "LADDER_DEPARTED"
    imposed = await desk.officer.ImposeSanction(desk.sanction(WARN))
    assert imposed.proposed == WARN
    after = await proposed()
    assert (after.measure, after.earlier) == (LIMIT, 1)
    await desk.officer.ImposeSanction(desk.sanction(LIMIT, functions=["publish"]))
    assert (await proposed()).measure == SUSPEND
    passed = desk.sanction(SUSPEND, until=datetime.now(UTC) - DAY)
    assert await refusal(desk.officer.ImposeSanction(passed)) == "TERM_PASSED"


async def test_officers_who_decide_at_once_are_proposed_one_rung_after_the_other(desk: DisposalDesk) -> None:
    await desk.impose(WARN)
    limits = [desk.sanction(LIMIT, functions=["publish"]) for _ in range(4)]
    imposed = await asyncio.gather(*(desk.officer.ImposeSanction(limit) for limit in limits))
    again = await desk.officer.ImposeSanction(limits[0])

    assert sorted(answer.proposed for answer in imposed) == [LIMIT, SUSPEND, SUSPEND, SUSPEND]
    assert again == imposed[0]


async def test_bad_commands_are_refused_at_the_edge(desk: DisposalDesk) -> None:
    no_end = desk.sanction(SUSPEND)
    with_end = desk.sanction(WARN, until=datetime.now(UTC) + DAY)
    no_functions = desk.sanction(LIMIT)
    sanction_as_order = desk.order(WARN)
    two_targets = desk.order(disposal_pb2.MEASURE_REMOVE, generation_id=str(uuid4()), model="m-1")
    subject_of_model = desk.order(disposal_pb2.MEASURE_REMOVE, model="m-1", subject=desk.subject)
    for request in (no_end, with_end, no_functions):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.officer.ImposeSanction(request)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    for order in (sanction_as_order, two_targets, subject_of_model):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.officer.OrderDisposal(order)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    unknown = desk.sanction(WARN, grounds=desk.grounds(incident_id=str(uuid4())))
    assert await refusal(desk.officer.ImposeSanction(unknown)) == "INCIDENT_UNKNOWN"


async def test_a_killed_service_goes_on_asking_and_ends_what_ended_meanwhile(
    desk: DisposalDesk, disposal_environment: dict[str, str]
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=4)
    disposal_id = await desk.impose(SUSPEND, until=end)
    desk.deployment.runner.kill_service("escalation")
    await asyncio.sleep(max((end - datetime.now(UTC)).total_seconds(), 0))
    desk.deployment.runner.start_service("escalation", disposal_environment)
    lifted = await desk.deployment.facts(
        "escalation", facts_pb2.DisposalLifted, lambda fact: fact.disposal_id == disposal_id
    )
    asked = await desk.asked(disposal_id, LIFT)

    assert len(lifted) == 1
    assert len({fact.ask_id for fact in asked}) == 1


async def _gauge(desk: DisposalDesk, kind: str, least: float) -> None:
    """Wait until the metric says so."""
    line = f'candor_disposals_attention{{kind="{kind}"}} '

    async def value() -> float:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{desk.deployment.http('escalation')}/metrics")).text
        return max((float(one.removeprefix(line)) for one in text.splitlines() if one.startswith(line)), default=0)

    await until(value, lambda found: found >= least)
