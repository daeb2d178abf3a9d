"""What the tests of this folder do to a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor.generation.v1 import service_pb2 as generation_pb2
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from candor.refutation.v1 import model_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import command_id
from deployment import Deployment
from google.protobuf.timestamp_pb2 import Timestamp

from .samples import Rumour

SOURCE = model_pb2.Source(title="Official notice", url="https://example.org/notice")


@dataclass(frozen=True)
class Refutation:
    """The service as its callers see it."""

    deployment: Deployment

    @property
    def stub(self) -> service_pb2_grpc.RefutationServiceAsyncStub:
        return self.stub_for("on_call", name="olga")

    def stub_for(self, *roles: str, name: str) -> service_pb2_grpc.RefutationServiceAsyncStub:
        return service_pb2_grpc.RefutationServiceStub(self.deployment.channel("refutation", *roles, name=name))

    async def register(self, rumour: Rumour) -> str:
        request = service_pb2.RegisterClaimRequest(command_id=command_id(), text=rumour.text, locale=rumour.locale)
        return (await self.stub.RegisterClaim(request)).claim_id

    async def refute(self, rumour: Rumour, verdict: model_pb2.Verdict.ValueType = model_pb2.VERDICT_FALSE) -> str:
        claim_id = await self.register(rumour)
        await self.decide(claim_id, verdict, rumour.truth)
        return claim_id

    async def decide(self, claim_id: str, verdict: model_pb2.Verdict.ValueType, truth: str) -> model_pb2.Claim:
        request = service_pb2.RecordVerdictRequest(
            command_id=command_id(), claim_id=claim_id, verdict=verdict, explanation=truth, sources=[SOURCE]
        )
        return (await self.stub.RecordVerdict(request)).claim

    async def record(self, outputs: Sequence[str], *, at: datetime | None = None, subject: str = "reader") -> list[str]:
        """Record generations with these outputs and return their ids."""
        stub = generation_grpc.GenerationServiceStub(self.deployment.channel("generation", "backend"))
        return [(await stub.Record(generated(output, at, subject))).generation_id for output in outputs]

    async def claim(self, claim_id: str) -> service_pb2.GetClaimResponse:
        return await self.stub.GetClaim(service_pb2.GetClaimRequest(claim_id=claim_id))


def generated(output: str, at: datetime | None = None, subject: str = "reader") -> generation_pb2.RecordRequest:
    """Return the command that records an output."""
    occurred_at = Timestamp()
    occurred_at.FromDatetime(at or datetime.now(UTC))
    return generation_pb2.RecordRequest(
        command_id=command_id(),
        subject=subject,
        occurred_at=occurred_at,
        provider="example",
        model="writer-1",
        product="chat",
        locale="zh-CN",
        modality=generation_model_pb2.MODALITY_TEXT,
        prompt="?",
        output=output,
    )


@pytest.fixture
async def refutation(deployment: Deployment) -> Refutation:
    return Refutation(deployment)
