"""What the escalation service holds for the pages about disposals and registers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from candor.escalation.v1 import disposal_pb2, disposal_pb2_grpc, register_pb2, register_pb2_grpc
from candor.generation.v1 import model_pb2 as generation_model
from candor.generation.v1 import review_pb2, review_pb2_grpc
from candor_cli.session import command_id
from google.protobuf.timestamp_pb2 import Timestamp

from .desk import Desk

DELIVER = disposal_pb2.DISPOSAL_ACT_DELIVER_STATEMENT


def stub(desk: Desk, role: str = "privacy_officer", name: str = "li") -> Any:
    return disposal_pb2_grpc.DisposalServiceStub(desk.deployment.channel("escalation", role, name=name))


async def disposal(desk: Desk, subject: str) -> disposal_pb2.GetDisposalResponse:
    """A disposal about a person's generation, ordered by li, that waits for its backend."""
    grounds = disposal_pb2.Grounds(legal_basis="Terms 5", facts="It was a rumour.", reason="It is false.")
    ordered = await stub(desk).OrderDisposal(
        disposal_pb2.OrderDisposalRequest(
            command_id=command_id(),
            measure=disposal_pb2.MEASURE_REMOVE,
            product="chat",
            generation_id=str(uuid4()),
            subject=subject,
            grounds=grounds,
        )
    )
    found: disposal_pb2.GetDisposalResponse = await stub(desk).GetDisposal(
        disposal_pb2.GetDisposalRequest(disposal_id=ordered.disposal_id)
    )
    return found


async def complaint(desk: Desk, subject: str) -> tuple[disposal_pb2.GetDisposalResponse, str]:
    """A disposal that its user was told about, and complains of; the complaint's id."""
    found = await disposal(desk, subject)
    backend = stub(desk, "backend", "chat-backend")
    now = Timestamp()
    now.FromDatetime(datetime.now(UTC))
    await backend.AcknowledgeDisposal(
        disposal_pb2.AcknowledgeDisposalRequest(
            command_id=command_id(),
            disposal_id=found.disposal.disposal_id,
            ask_id=next(ask.ask_id for ask in found.asks if ask.act == DELIVER),
            outcome=disposal_pb2.ASK_STATE_CARRIED_OUT,
            carried_out_at=now,
        )
    )
    filed = await backend.FileComplaint(
        disposal_pb2.FileComplaintRequest(
            command_id=command_id(),
            disposal_id=found.disposal.disposal_id,
            subject=subject,
            statement="It was satire.",
        )
    )
    return found, str(filed.complaint_id)


async def proposal(desk: Desk, subject: str) -> disposal_pb2.DisposalProposal:
    """A proposal that follows from an upheld review."""
    word = f"proposed{uuid4().hex[:8]}"
    generation_id = await desk.flag(f"console-{word}", word, subject)
    reviews = review_pb2_grpc.ReviewServiceStub(desk.deployment.channel("generation", "on_call", name="zhao"))
    await reviews.DecideReview(
        review_pb2.DecideReviewRequest(
            command_id=command_id(),
            generation_id=generation_id,
            outcome=generation_model.REVIEW_OUTCOME_UPHELD,
            reason=generation_model.REVIEW_REASON_CONFIRMED,
        )
    )
    async with asyncio.timeout(60):
        while True:
            listed = await stub(desk).ListDisposalProposals(disposal_pb2.ListDisposalProposalsRequest())
            for one in listed.proposals:
                if one.generation_id == generation_id:
                    found: disposal_pb2.DisposalProposal = one
                    return found
            await asyncio.sleep(0.2)


async def entry(desk: Desk, title: str) -> str:
    """A transfer of technology that waits for a person's decision; its id."""
    channel = desk.deployment.channel("escalation", "privacy_officer", name="li")
    screened = await register_pb2_grpc.RegisterServiceStub(channel).ScreenTransfer(
        register_pb2.ScreenTransferRequest(
            command_id=command_id(),
            title=title,
            technology="个性化信息推送服务技术 personalised push",
            origin="CN",
            destination="DE",
            recipient="Example GmbH",
        )
    )
    assert screened.outcome == register_pb2.TRANSFER_OUTCOME_DECISION_NEEDED
    return str(screened.entry_id)
