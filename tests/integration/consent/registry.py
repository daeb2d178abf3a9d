"""The consent service as its callers see it; every instance has purposes, a notice and subjects of its own."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from candor.consent.v1 import model_pb2, service_pb2, service_pb2_grpc
from candor.rights.v1 import holder_pb2, holder_pb2_grpc
from candor.rights.v1 import model_pb2 as rights_model_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from deployment import Deployment
from google.protobuf.timestamp_pb2 import Timestamp


def stamp(at: datetime) -> Timestamp:
    wire = Timestamp()
    wire.FromDatetime(at)
    return wire


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def refusal(call: Awaitable[Any]) -> str:
    """The reason that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    assert found.domain == "candor.consent.v1"
    return found.reason


class Registry:
    """Calls the consent service as a backend or an officer."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        unique = uuid4().hex[:12]
        self.subject = f"user-{unique}"
        self.chat = f"chat-{unique}"
        self.training = f"training-{unique}"
        self.notice = f"privacy-{unique}"
        self.backend = service_pb2_grpc.ConsentServiceStub(deployment.channel("consent", "backend"))
        self.officer = service_pb2_grpc.ConsentServiceStub(deployment.channel("consent", "privacy_officer"))
        self._holder = holder_pb2_grpc.DataHolderServiceStub(
            deployment.channel("consent", "service", name="candor.rights")
        )

    async def define(self, purpose_id: str, **overrides: Any) -> service_pb2.DefinePurposeResponse:
        terms: dict[str, Any] = {
            "description": "Answer what the person asks",
            "method": "A language model reads the prompt",
            "categories": ["prompt"],
        }
        command = service_pb2.DefinePurposeRequest(
            command_id=command_id(), purpose_id=purpose_id, **{**terms, **overrides}
        )
        answer: service_pb2.DefinePurposeResponse = await self.officer.DefinePurpose(command)
        return answer

    async def publish(self, **versions: int) -> int:
        """Publish a notice that explains purposes (purpose_id=version), from now on; return its version."""
        command = service_pb2.PublishNoticeRequest(
            command_id=command_id(),
            notice_id=self.notice,
            locale="zh",
            url="https://example.com/privacy",
            text_sha256=bytes(32),
            purposes=[model_pb2.PurposeRef(purpose_id=name, version=version) for name, version in versions.items()],
            effective_from=stamp(datetime.now(UTC)),
        )
        answer = await self.officer.PublishNotice(command)
        return int(answer.notice.version)

    async def prepare(self) -> None:
        """Define a purpose of service and one of training, and publish the notice that explains both."""
        await self.define(self.chat)
        await self.define(self.training, description="Train the next model", training=True)
        await self.publish(**{self.chat: 1, self.training: 1})

    def grant(self, purpose_id: str, **overrides: Any) -> service_pb2.GrantConsentRequest:
        fields: dict[str, Any] = {
            "command_id": command_id(),
            "subject": self.subject,
            "purpose_id": purpose_id,
            "notice_id": self.notice,
            "notice_version": 1,
            "kind": model_pb2.CONSENT_KIND_GENERAL,
            "age_band": model_pb2.AGE_BAND_ADULT,
            "given_at": stamp(datetime.now(UTC)),
            "channel": "signup",
        }
        return service_pb2.GrantConsentRequest(**{**fields, **overrides})

    async def agree(self, purpose_id: str, **overrides: Any) -> str:
        """Record a yes; return the consent's identifier."""
        answer = await self.backend.GrantConsent(self.grant(purpose_id, **overrides))
        return str(answer.consent_id)

    def withdrawal(self, purpose_id: str) -> service_pb2.WithdrawConsentRequest:
        return service_pb2.WithdrawConsentRequest(
            command_id=command_id(),
            subject=self.subject,
            purpose_id=purpose_id,
            withdrawn_at=stamp(datetime.now(UTC)),
        )

    def refusal_of_training(self) -> service_pb2.RefuseTrainingRequest:
        return service_pb2.RefuseTrainingRequest(
            command_id=command_id(), subject=self.subject, refused_at=stamp(datetime.now(UTC))
        )

    async def check(self, purpose_id: str, at: datetime | None = None) -> service_pb2.CheckConsentResponse:
        request = service_pb2.CheckConsentRequest(
            subject=self.subject, purpose_id=purpose_id, at=stamp(at) if at else None
        )
        answer: service_pb2.CheckConsentResponse = await self.backend.CheckConsent(request)
        return answer

    async def check_training(self, at: datetime | None = None) -> service_pb2.CheckTrainingResponse:
        request = service_pb2.CheckTrainingRequest(subject=self.subject, at=stamp(at) if at else None)
        answer: service_pb2.CheckTrainingResponse = await self.backend.CheckTraining(request)
        return answer

    async def history(self) -> list[model_pb2.ConsentAct]:
        answer = await self.officer.ListConsentHistory(service_pb2.ListConsentHistoryRequest(subject=self.subject))
        return list(answer.acts)

    async def export(self) -> list[holder_pb2.ExportResponse]:
        request = holder_pb2.ExportRequest(task_id=str(uuid4()), subject=self.subject)
        return [item async for item in self._holder.Export(request)]

    async def ask(
        self,
        right: rights_model_pb2.Right.ValueType,
        *,
        requested_at: datetime | None = None,
        task_id: str = "",
        attempt: int = 1,
    ) -> rights_service_pb2.AnswerTaskRequest:
        """Ask as the rights service does, and wait for the answer to that attempt."""
        return await self.deployment.ask(
            "consent", self.subject, right, requested_at=requested_at, task_id=task_id, attempt=attempt
        )
