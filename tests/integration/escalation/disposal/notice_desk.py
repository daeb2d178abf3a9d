"""Notices as a product backend's form sends them, and the officers who decide on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from candor.escalation.v1 import (
    disposal_pb2,
    facts_pb2,
    model_pb2,
    notice_pb2,
    notice_pb2_grpc,
    service_pb2,
    service_pb2_grpc,
)
from candor.generation.v1 import model_pb2 as generation_pb2
from candor.generation.v1 import service_pb2 as generation_service_pb2
from candor.generation.v1 import service_pb2_grpc as generation_service_pb2_grpc
from candor_cli.session import command_id

from .disposal_desk import APPLY, DisposalDesk, stamp

ILLEGAL = notice_pb2.NOTICE_FORM_ILLEGAL_CONTENT
INTIMATE = notice_pb2.NOTICE_FORM_INTIMATE_IMAGE
COMPLAINT = notice_pb2.NOTICE_FORM_PUBLIC_COMPLAINT
ACTED, NOT_ACTED = notice_pb2.NOTICE_OUTCOME_ACTED, notice_pb2.NOTICE_OUTCOME_NOT_ACTED
LAW, TERMS = notice_pb2.NOTICE_BASIS_LAW, notice_pb2.NOTICE_BASIS_TERMS
CONFIRMATION, ANSWER = notice_pb2.NOTICE_TEXT_CONFIRMATION, notice_pb2.NOTICE_TEXT_ANSWER
URL = "https://chat.example/p/alice-of-wonderland"
WORDS = "the-sealed-explanation: it shows me and I never agreed"


class NoticeDesk(DisposalDesk):
    """A desk with a form: who gives notices is this desk's own ``notifier``."""

    @property
    def notifier(self) -> str:
        return f"{self.subject}-notifier"

    def notices(self, *roles: str, name: str = "li") -> Any:
        return notice_pb2_grpc.NoticeServiceStub(self.deployment.channel("escalation", *roles, name=name))

    @property
    def form(self) -> Any:
        return self.notices("backend", name="chat-backend")

    @property
    def decider(self) -> Any:
        return self.notices("privacy_officer", name="li")

    def notice(self, *forms: notice_pb2.NoticeForm.ValueType, **change: Any) -> notice_pb2.SubmitNoticeRequest:
        fields: dict[str, Any] = {
            "command_id": command_id(),
            "product": self.product,
            "forms": forms or (ILLEGAL,),
            "category": "STATEMENT_CATEGORY_CYBER_VIOLENCE",
            "explanation": WORDS,
            "locations": [URL],
            "notifier": self.notifier,
            "contact_held": True,
            "good_faith": True,
            "reference": "ticket-7",
            "received_at": stamp(datetime.now(UTC)),
        }
        return notice_pb2.SubmitNoticeRequest(**{**fields, **change})

    async def submit(self, *forms: notice_pb2.NoticeForm.ValueType, **change: Any) -> notice_pb2.Notice:
        """Give a notice; the notice as it was announced."""
        notice_id = (await self.form.SubmitNotice(self.notice(*forms, **change))).notice_id
        return await self.received(notice_id)

    async def received(self, notice_id: str) -> notice_pb2.Notice:
        (fact, *_) = await self.deployment.facts(
            "escalation", facts_pb2.NoticeReceived, lambda fact: fact.notice.notice_id == notice_id
        )
        return fact.notice

    async def sent(self, notice_id: str, text: notice_pb2.NoticeText.ValueType) -> None:
        await self.form.AcknowledgeNotice(
            notice_pb2.AcknowledgeNoticeRequest(
                command_id=command_id(), notice_id=notice_id, text=text, sent_at=stamp(datetime.now(UTC))
            )
        )

    def judgement(
        self, notice_id: str, outcome: notice_pb2.NoticeOutcome.ValueType = NOT_ACTED, **change: Any
    ) -> notice_pb2.DecideNoticeRequest:
        fields: dict[str, Any] = {"reasons": "the-sealed-reasons: it was looked at again"}
        return notice_pb2.DecideNoticeRequest(
            command_id=command_id(), notice_id=notice_id, outcome=outcome, **{**fields, **change}
        )

    async def texts(self, notice_id: str) -> notice_pb2.GetNoticeTextsResponse:
        request = notice_pb2.GetNoticeTextsRequest(notice_id=notice_id)
        answer: notice_pb2.GetNoticeTextsResponse = await self.form.GetNoticeTexts(request)
        return answer

    async def opened(self, notice_id: str) -> notice_pb2.GetNoticeResponse:
        request = notice_pb2.GetNoticeRequest(notice_id=notice_id)
        answer: notice_pb2.GetNoticeResponse = await self.decider.GetNotice(request)
        return answer

    async def removed(self, notice_id: str, **change: Any) -> str:
        """Order a removal because of a notice, and have the backend carry it out."""
        order = self.order(disposal_pb2.MEASURE_REMOVE, **change)
        order.grounds.notice_id = notice_id
        disposal_id = str((await self.officer.OrderDisposal(order)).disposal_id)
        (ask, *_) = await self.asked(disposal_id, APPLY)
        assert ask.notice_id == notice_id
        await self.acknowledge(ask)
        return disposal_id

    async def incident(self, incident_id: str) -> service_pb2.GetIncidentResponse:
        stub = service_pb2_grpc.EscalationServiceStub(self.deployment.channel("escalation", "auditor"))
        answer: service_pb2.GetIncidentResponse = await stub.GetIncident(
            service_pb2.GetIncidentRequest(incident_id=incident_id)
        )
        return answer

    async def clocks(self, notice: notice_pb2.Notice, place: int = 0) -> dict[str, model_pb2.Clock]:
        """The clocks of a notice's incident by pack and obligation."""
        seen = await self.incident(notice.incident_ids[place])
        return {f"{clock.pack_id}/{clock.obligation_id}": clock for clock in seen.clocks}

    async def generated(self, generation_id: str = "") -> str:
        """A generation of this desk's person on record; its id."""
        request = generation_service_pb2.RecordRequest(
            command_id=generation_id or command_id(),
            subject=self.subject,
            product=self.product,
            provider="acme",
            model="acme-1",
            locale="en",
            modality=generation_pb2.MODALITY_TEXT,
            prompt="a prompt",
            output="an output",
            occurred_at=stamp(datetime.now(UTC)),
        )
        channel = self.deployment.channel("generation", "backend", name="chat-backend")
        answer = await generation_service_pb2_grpc.GenerationServiceStub(channel).Record(request)
        return str(answer.generation_id)
