"""Complaints and proposals on the real stack: what users say, what reviews suggest, and who decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from candor.escalation.v1 import disposal_pb2, facts_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor_cli.session import command_id

from .disposal_desk import (
    DELIVER,
    FACTS,
    LIFT,
    LIMIT,
    SUSPEND,
    WARN,
    DisposalDesk,
    refusal,
    stamp,
    until,
)

DAY = timedelta(days=1)
UPHELD, REVERSED = disposal_pb2.COMPLAINT_OUTCOME_UPHELD, disposal_pb2.COMPLAINT_OUTCOME_REVERSED


@pytest.mark.clause("DSA 20")
async def test_dsa_20_another_person_reverses_and_the_restriction_is_lifted(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + DAY)
    (told, *_) = await desk.asked(disposal_id, DELIVER)
    await desk.acknowledge(told)
    complaint_id = await desk.complain(disposal_id, "it was satire")
    shown = await desk.second.GetComplaint(disposal_pb2.GetComplaintRequest(complaint_id=complaint_id))
    own = await refusal(desk.officer.DecideComplaint(desk.decision(complaint_id, REVERSED)))
    decided = await desk.second.DecideComplaint(desk.decision(complaint_id, REVERSED))
    (lift, *_) = await desk.asked(disposal_id, LIFT)
    answers = await desk.asked(disposal_id, DELIVER, count=2)
    outcome = next(fact for fact in answers if fact.statement_id != told.statement_id)
    texts = await desk.statement(outcome)

    assert (shown.statement, shown.subject, shown.disposal_facts) == ("it was satire", desk.subject, FACTS)
    assert own == "SAME_PERSON"
    assert decided.state == disposal_pb2.DISPOSAL_STATE_REVERSED
    assert lift.subject == desk.subject
    assert "撤销原处置" in texts.zh
    assert "looked at again" in texts.en
    assert await refusal(desk.second.DecideComplaint(desk.decision(complaint_id, UPHELD))) == "COMPLAINT_CLOSED"
    proposed = await desk.officer.ProposeSanction(disposal_pb2.ProposeSanctionRequest(subject=desk.subject))
    assert proposed.measure == WARN  # what was reversed does not count


async def test_a_complaint_is_the_user_s_own_once_and_its_decision_no_machine_s(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    other = DisposalDesk(desk.deployment)
    assert await refusal(other.complain(disposal_id)) == "DISPOSAL_UNKNOWN"
    complaint_id = await desk.complain(disposal_id)
    assert await refusal(desk.complain(disposal_id)) == "COMPLAINT_CLOSED"
    decision = desk.decision(complaint_id, UPHELD)
    assert await refusal(desk.backend.DecideComplaint(decision)) == "WRONG_ROLE"
    await desk.deployment.emit("escalation", decision)
    letters = await desk.deployment.dead_letters(
        "escalation", lambda headers: headers.get("ce_id") == decision.command_id
    )
    assert "WRONG_ROLE" in letters[0].values()


@pytest.mark.clause("DSA 23")
async def test_dsa_23_unfounded_complaints_are_counted_warned_of_and_then_suspended(desk: DisposalDesk) -> None:
    limit = desk.sanction(LIMIT, functions=["complaints"], until=datetime.now(UTC) + DAY)
    assert await refusal(desk.officer.ImposeSanction(limit)) == "LADDER_DEPARTED"
    content = await desk.impose(WARN)
    complaint_id = await desk.complain(content)
    await desk.second.DecideComplaint(desk.decision(complaint_id, UPHELD, unfounded=True))
    counted = [
        await desk.officer.RecordUnfoundedNotice(
            disposal_pb2.RecordUnfoundedNoticeRequest(
                command_id=command_id(), subject=desk.subject, reference=f"notice-{number}"
            )
        )
        for number in (1, 2)
    ]
    limit.command_id = command_id()
    limited = await desk.officer.ImposeSanction(limit)
    another = await desk.impose(WARN)

    assert [answer.unfounded for answer in counted] == [2, 3]
    assert [answer.abuse for answer in counted] == [disposal_pb2.MEASURE_UNSPECIFIED, LIMIT]
    assert await refusal(desk.complain(another)) == "COMPLAINT_CLOSED"
    assert await desk.complain(limited.disposal_id)  # about the limit itself one may complain


@pytest.mark.clause("Deep Synthesis 12")
async def test_the_procedure_and_its_time_limits_are_published(desk: DisposalDesk) -> None:
    async with httpx.AsyncClient() as client:
        page = await client.get(f"{desk.deployment.http('escalation')}/complaints")
    told = await desk.backend.GetComplaintProcedure(disposal_pb2.GetComplaintProcedureRequest())

    assert (page.status_code, told.open_months, told.answer_days) == (200, 6, 15)
    assert "15 日" in page.text
    assert "within 6 months" in page.text
    assert "15 days" in told.en


@pytest.mark.clause("DSA 21")
async def test_dsa_21_the_out_of_court_reference_is_recorded(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    for finding in ("", "for the user"):
        await desk.officer.RecordOutOfCourt(
            disposal_pb2.RecordOutOfCourtRequest(
                command_id=command_id(),
                disposal_id=disposal_id,
                body="Appeals Centre",
                reference="A-1",
                finding=finding,
            )
        )
    seen = await desk.seen(disposal_id)

    assert [(one.reference, one.finding) for one in seen.out_of_court] == [("A-1", ""), ("A-1", "for the user")]


@pytest.mark.clause("Generative AI Measures 14")
async def test_an_upheld_review_proposes_and_does_nothing_by_itself(desk: DisposalDesk) -> None:
    fact = generation_pb2.ReviewDecided(
        generation_id=str(uuid4()),
        subject=desk.subject,
        product=desk.product,
        machine_decision=generation_model_pb2.DECISION_BLOCK,
        outcome=generation_model_pb2.REVIEW_OUTCOME_UPHELD,
        categories=["rumour"],
        decided_at=stamp(datetime.now(UTC)),
    )
    await desk.deployment.tell("generation", fact, at=datetime.now(UTC))
    said = await desk.deployment.facts(
        "escalation", facts_pb2.DisposalProposed, lambda one: one.proposal.generation_id == fact.generation_id
    )
    proposal = said[0].proposal
    published = await desk.deployment.published("escalation")
    imposed = await desk.officer.ImposeSanction(
        desk.sanction(WARN, grounds=desk.grounds(proposal_id=proposal.proposal_id))
    )
    left = await desk.officer.ListDisposalProposals(disposal_pb2.ListDisposalProposalsRequest())
    other = DisposalDesk(desk.deployment)
    foreign = other.sanction(WARN, grounds=other.grounds(proposal_id=proposal.proposal_id))

    assert (proposal.disposal, proposal.sanction) == (disposal_pb2.MEASURE_STOP_TRANSMISSION, WARN)
    assert not [one for one in published if one.type.endswith("DisposalAsked") and desk.subject.encode() in one.value]
    assert imposed.disposal_id
    assert proposal.proposal_id not in {one.proposal_id for one in left.proposals}
    assert await refusal(other.officer.ImposeSanction(foreign)) == "PROPOSAL_UNKNOWN"


@pytest.mark.parametrize("outcome", ["released", "dismissed"])
async def test_a_released_review_or_a_person_dismisses_a_proposal(desk: DisposalDesk, outcome: str) -> None:
    fact = generation_pb2.ReviewDecided(
        generation_id=str(uuid4()), product=desk.product, outcome=generation_model_pb2.REVIEW_OUTCOME_UPHELD
    )
    await desk.deployment.tell("generation", fact, at=datetime.now(UTC))
    said = await desk.deployment.facts(
        "escalation", facts_pb2.DisposalProposed, lambda one: one.proposal.generation_id == fact.generation_id
    )
    proposal_id = said[0].proposal.proposal_id
    if outcome == "released":
        fact.outcome = generation_model_pb2.REVIEW_OUTCOME_RELEASED
        fact.on_appeal = True
        await desk.deployment.tell("generation", fact, at=datetime.now(UTC))
    else:
        await desk.officer.DismissDisposalProposal(
            disposal_pb2.DismissDisposalProposalRequest(command_id=command_id(), proposal_id=proposal_id)
        )
    request = disposal_pb2.ListDisposalProposalsRequest()
    await until(
        lambda: desk.officer.ListDisposalProposals(request),
        lambda listed: proposal_id not in {one.proposal_id for one in listed.proposals},
    )
    assert said[0].proposal.sanction == disposal_pb2.MEASURE_UNSPECIFIED
