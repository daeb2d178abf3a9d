"""Calls about disposals as officers make them, and a product backend that is played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import grpc
import pytest
from candor.escalation.v1 import disposal_pb2, disposal_pb2_grpc, facts_pb2
from candor.rights.v1 import holder_pb2, holder_pb2_grpc
from candor.rights.v1 import model_pb2 as rights_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from deployment import Deployment
from google.protobuf.timestamp_pb2 import Timestamp

WARN, LIMIT = disposal_pb2.MEASURE_WARN, disposal_pb2.MEASURE_LIMIT_FUNCTIONS
SUSPEND, CLOSE = disposal_pb2.MEASURE_SUSPEND_SERVICE, disposal_pb2.MEASURE_CLOSE_ACCOUNT
APPLY, LIFT = disposal_pb2.DISPOSAL_ACT_APPLY, disposal_pb2.DISPOSAL_ACT_LIFT
DELIVER = disposal_pb2.DISPOSAL_ACT_DELIVER_STATEMENT
CARRIED_OUT, COULD_NOT = disposal_pb2.ASK_STATE_CARRIED_OUT, disposal_pb2.ASK_STATE_COULD_NOT
T = TypeVar("T")
FACTS = "the-quoted-facts of what the user did"


def stamp(at: datetime) -> Timestamp:
    wire = Timestamp()
    wire.FromDatetime(at)
    return wire


async def refusal(call: Awaitable[Any]) -> str:
    """The reason that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    return found.reason


async def until(ask: Callable[[], Awaitable[T]], fits: Callable[[T], bool], seconds: float = 30) -> T:
    """Ask again until the answer fits."""
    async with asyncio.timeout(seconds):
        while not fits(answer := await ask()):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.1)
    return answer


def public_statement(**change: Any) -> disposal_pb2.PublicStatement:
    """A public statement that the database takes."""
    fields: dict[str, Any] = {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "legal_ground": "Terms of service, clause 5",
        "explanation": "The account spread refuted claims three times.",
        "content_type": ["CONTENT_TYPE_SYNTHETIC_MEDIA"],
        "category": "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "content_date": "2026-11-20",
        "decision_facts": "Three generated texts repeat a refuted claim.",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "territorial_scope": ["DE"],
        "content_language": "EN",
    }
    return disposal_pb2.PublicStatement(**{**fields, **change})


class DisposalDesk:
    """Officers, a product backend and the rights service in one hand; subject and product are this desk's own."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        unique = uuid4().hex[:12]
        self.subject = f"account-{unique}"
        self.product = f"chat-{unique}"

    def stub(self, *roles: str, name: str = "li") -> Any:
        return disposal_pb2_grpc.DisposalServiceStub(self.deployment.channel("escalation", *roles, name=name))

    @property
    def officer(self) -> Any:
        return self.stub("privacy_officer", name="li")

    @property
    def second(self) -> Any:
        return self.stub("privacy_officer", name="wang")

    @property
    def backend(self) -> Any:
        return self.stub("backend", name="chat-backend")

    def grounds(self, **change: Any) -> disposal_pb2.Grounds:
        fields: dict[str, Any] = {"legal_basis": "服务协议第5条", "facts": FACTS, "reason": "属于虚假信息"}
        return disposal_pb2.Grounds(**{**fields, **change})

    def sanction(
        self, measure: disposal_pb2.Measure.ValueType, grounds: disposal_pb2.Grounds | None = None, **change: Any
    ) -> disposal_pb2.ImposeSanctionRequest:
        until = change.pop("until", None)
        return disposal_pb2.ImposeSanctionRequest(
            command_id=command_id(),
            subject=self.subject,
            product=self.product,
            measure=measure,
            until=stamp(until) if until else None,
            grounds=grounds or self.grounds(),
            **change,
        )

    async def impose(self, measure: disposal_pb2.Measure.ValueType, **change: Any) -> str:
        change.setdefault("departure", "three times within a day")
        return str((await self.officer.ImposeSanction(self.sanction(measure, **change))).disposal_id)

    def order(self, measure: disposal_pb2.Measure.ValueType, **change: Any) -> disposal_pb2.OrderDisposalRequest:
        return disposal_pb2.OrderDisposalRequest(
            command_id=command_id(), measure=measure, product=self.product, grounds=self.grounds(), **change
        )

    async def asked(
        self, disposal_id: str, act: disposal_pb2.DisposalAct.ValueType, count: int = 1
    ) -> list[facts_pb2.DisposalAsked]:
        """The facts that ask for an act of a disposal, once there are that many."""
        return await self.deployment.facts(
            "escalation",
            facts_pb2.DisposalAsked,
            lambda fact: fact.disposal_id == disposal_id and fact.act == act,
            count=count,
        )

    def answer(
        self,
        fact: facts_pb2.DisposalAsked,
        outcome: disposal_pb2.AskState.ValueType = CARRIED_OUT,
        evidence: str = "ticket 5",
    ) -> disposal_pb2.AcknowledgeDisposalRequest:
        return disposal_pb2.AcknowledgeDisposalRequest(
            command_id=command_id(),
            disposal_id=fact.disposal_id,
            ask_id=fact.ask_id,
            outcome=outcome,
            evidence=evidence,
            carried_out_at=stamp(datetime.now(UTC)),
        )

    async def acknowledge(self, fact: facts_pb2.DisposalAsked, **change: Any) -> None:
        """Answer as a backend does, on the intake topic, and wait until it is on record."""
        request = self.answer(fact, **change)
        await self.deployment.emit("escalation", request)
        await self.deployment.facts(
            "escalation",
            facts_pb2.DisposalAcknowledged,
            lambda said: said.ask_id == fact.ask_id and said.outcome == request.outcome,
        )

    async def seen(self, disposal_id: str) -> disposal_pb2.GetDisposalResponse:
        request = disposal_pb2.GetDisposalRequest(disposal_id=disposal_id)
        answer: disposal_pb2.GetDisposalResponse = await self.stub("auditor").GetDisposal(request)
        return answer

    async def statement(self, fact: facts_pb2.DisposalAsked) -> disposal_pb2.GetStatementOfReasonsResponse:
        request = disposal_pb2.GetStatementOfReasonsRequest(statement_id=fact.statement_id)
        answer: disposal_pb2.GetStatementOfReasonsResponse = await self.backend.GetStatementOfReasons(request)
        return answer

    async def complain(self, disposal_id: str, words: str = "it was satire") -> str:
        request = disposal_pb2.FileComplaintRequest(
            command_id=command_id(), disposal_id=disposal_id, subject=self.subject, statement=words
        )
        return str((await self.backend.FileComplaint(request)).complaint_id)

    def decision(
        self, complaint_id: str, outcome: disposal_pb2.ComplaintOutcome.ValueType, *, unfounded: bool = False
    ) -> disposal_pb2.DecideComplaintRequest:
        return disposal_pb2.DecideComplaintRequest(
            command_id=command_id(),
            complaint_id=complaint_id,
            outcome=outcome,
            reasons="the evidence was looked at again",
            manifestly_unfounded=unfounded,
        )

    async def ask(self, right: rights_pb2.Right.ValueType, **change: Any) -> rights_service_pb2.AnswerTaskRequest:
        return await self.deployment.ask("escalation", self.subject, right, **change)

    async def export(self) -> list[holder_pb2.ExportResponse]:
        channel = self.deployment.channel("escalation", "service", name="candor.rights")
        request = holder_pb2.ExportRequest(task_id=str(uuid4()), subject=self.subject)
        return [item async for item in holder_pb2_grpc.DataHolderServiceStub(channel).Export(request)]
