"""A person exercises their rights against the whole system: every holder is the real service."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from candor.consent.v1 import model_pb2 as consent_pb2
from candor.consent.v1 import service_pb2 as consent_service
from candor.consent.v1 import service_pb2_grpc as consent_grpc
from candor.generation.v1 import facts_pb2 as generation_facts
from candor.generation.v1 import model_pb2 as generation_pb2
from candor.generation.v1 import service_pb2 as generation_service
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from candor.rights.v1 import facts_pb2, model_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import command_id
from deployment import Deployment

from .played import SERVICES, opening, stamp, until, verifying

CONTACT = "ada.lovelace@example.org"


@dataclass
class Someone:
    """A person with consents and generations, and the calls they cause."""

    deployment: Deployment
    subject: str
    purpose_id: str
    training_id: str

    @property
    def rights(self) -> Any:
        return service_pb2_grpc.RightsServiceStub(self.deployment.channel("rights", "backend", "privacy_officer"))

    @property
    def consent(self) -> Any:
        return consent_grpc.ConsentServiceStub(self.deployment.channel("consent", "backend", "privacy_officer"))

    async def generate(self, count: int) -> list[str]:
        stub = generation_grpc.GenerationServiceStub(self.deployment.channel("generation", "backend"))
        answers = [await stub.Record(self._generation(number)) for number in range(count)]
        wanted = {answer.generation_id for answer in answers}
        await self.deployment.facts(
            "generation",
            generation_facts.GenerationRecorded,
            lambda fact: fact.generation_id in wanted,
            count=count,
            timeout=60,
        )
        return sorted(wanted)

    def _generation(self, number: int) -> generation_service.RecordRequest:
        return generation_service.RecordRequest(
            command_id=command_id(),
            subject=self.subject,
            occurred_at=stamp(datetime.now(UTC)),
            provider="acme",
            model="acme-7b",
            product="chat",
            locale="zh-CN",
            modality=generation_pb2.MODALITY_TEXT,
            prompt=f"问题 {number}",
            output=f"回答 {number}:天空为什么是蓝色的",
        )

    async def exercise(self, right: model_pb2.Right.ValueType) -> str:
        """Open a request, verify the person, and wait until every holder has answered."""
        opened = await self.rights.OpenRequest(opening(self.subject, right, CONTACT))
        await self.rights.VerifyIdentity(verifying(opened.request_id))
        answers = await self.deployment.facts(
            "rights",
            facts_pb2.TaskAnswered,
            lambda fact: fact.request_id == opened.request_id,
            count=len(SERVICES),
            timeout=60,
        )
        assert sorted(answer.holder_id for answer in answers) == list(SERVICES)
        return str(opened.request_id)

    async def get(self, request_id: str) -> service_pb2.GetRequestResponse:
        answer: service_pb2.GetRequestResponse = await self.rights.GetRequest(
            service_pb2.GetRequestRequest(request_id=request_id)
        )
        return answer

    async def package(self) -> dict[str, Any]:
        request_id = await self.exercise(model_pb2.RIGHT_ACCESS)
        await self.deployment.facts(
            "rights", facts_pb2.RequestClosed, lambda fact: fact.request_id == request_id, timeout=60
        )
        replies = self.rights.GetPackage(service_pb2.GetPackageRequest(request_id=request_id))
        document: dict[str, Any] = json.loads(b"".join([reply.chunk async for reply in replies]))
        return document

    async def may(self) -> bool:
        answer = await self.consent.CheckConsent(
            consent_service.CheckConsentRequest(subject=self.subject, purpose_id=self.purpose_id)
        )
        return bool(answer.allowed)


@pytest.fixture
async def someone(deployment: Deployment) -> Someone:
    unique = uuid4().hex[:12]
    person = Someone(deployment, f"person-{unique}", f"chat-{unique}", f"training-{unique}")
    for purpose_id, training in ((person.purpose_id, False), (person.training_id, True)):
        await person.consent.DefinePurpose(
            consent_service.DefinePurposeRequest(
                command_id=command_id(),
                purpose_id=purpose_id,
                description="Answer what the person asks",
                method="A language model reads the prompt",
                categories=["prompt"],
                training=training,
            )
        )
    notice = consent_service.PublishNoticeRequest(
        command_id=command_id(),
        notice_id=f"privacy-{unique}",
        locale="zh",
        url="https://example.com/privacy",
        text_sha256=bytes(32),
        purposes=[
            consent_pb2.PurposeRef(purpose_id=purpose_id, version=1)
            for purpose_id in (person.purpose_id, person.training_id)
        ],
        effective_from=stamp(datetime.now(UTC) - timedelta(minutes=1)),
    )
    await person.consent.PublishNotice(notice)
    for purpose_id in (person.purpose_id, person.training_id):
        await person.consent.GrantConsent(
            consent_service.GrantConsentRequest(
                command_id=command_id(),
                subject=person.subject,
                purpose_id=purpose_id,
                notice_id=f"privacy-{unique}",
                notice_version=1,
                kind=consent_pb2.CONSENT_KIND_GENERAL,
                age_band=consent_pb2.AGE_BAND_ADULT,
                given_at=stamp(datetime.now(UTC)),
                channel="signup",
            )
        )
    return person


def part(package: dict[str, Any], holder_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(holder for holder in package["holders"] if holder["holder_id"] == holder_id)
    return found


async def test_access_returns_one_package_with_what_every_service_holds(someone: Someone) -> None:
    generations = await someone.generate(3)
    package = await someone.package()
    assert package["subject"] == someone.subject
    assert [holder["holder_id"] for holder in package["holders"]] == ["rights", *SERVICES]
    assert part(package, "rights")["items"][0]["data"]["contact"] == CONTACT
    text = json.dumps(part(package, "generation")["items"], ensure_ascii=False)
    assert all(generation in text for generation in generations)
    assert "回答 2:天空为什么是蓝色的" in text
    consents = json.dumps(part(package, "consent")["items"])
    assert someone.purpose_id in consents
    assert someone.training_id in consents
    for holder_id in SERVICES:
        held = sum(kind["count"] for kind in part(package, holder_id)["held"])
        assert len(part(package, holder_id)["items"]) == held


async def test_after_a_deletion_nobody_holds_anything_and_every_holder_has_proven_it(someone: Someone) -> None:
    generations = await someone.generate(3)
    request_id = await someone.exercise(model_pb2.RIGHT_DELETION)
    shown = await someone.get(request_id)
    assert (shown.summary.tasks, shown.summary.tasks_answered) == (4, 4)
    assert (shown.subject, shown.contact) == ("", "")
    proofs = {task.holder_id: task.proof for task in shown.tasks}
    assert {kind.kind: kind.count for kind in proofs["generation"].kinds} == {"generation": 3}
    assert proofs["consent"].outcome in {model_pb2.OUTCOME_DONE, model_pb2.OUTCOME_RESTRICTED}
    # What came over gRPC or the topic may lie in a topic for a while, so the request is not closed yet.
    assert shown.summary.state == model_pb2.REQUEST_STATE_IN_PROGRESS
    row = (await someone.deployment.rows("rights", "SELECT closes_at FROM request WHERE request_id = %s", request_id))[
        0
    ]
    named = [
        proof.last_copy_expires_at.ToDatetime(UTC)
        for proof in proofs.values()
        if proof.HasField("last_copy_expires_at")
    ]
    assert row["closes_at"] >= max(named)
    assert row["closes_at"] > datetime.now(UTC) + timedelta(days=7)

    package = await someone.package()
    generation = json.dumps(part(package, "generation"), ensure_ascii=False)
    assert not any(gone in generation for gone in generations)
    assert "天空" not in json.dumps(package, ensure_ascii=False)


async def test_a_withdrawal_withdraws_every_consent(someone: Someone) -> None:
    assert await someone.may()
    request_id = await someone.exercise(model_pb2.RIGHT_CONSENT_WITHDRAWAL)
    assert not await someone.may()
    assert (await someone.get(request_id)).summary.state == model_pb2.REQUEST_STATE_CLOSED


async def test_a_refusal_of_training_ends_training_and_nothing_else(someone: Someone) -> None:
    question = consent_service.CheckTrainingRequest(subject=someone.subject)
    assert (await someone.consent.CheckTraining(question)).eligible
    request_id = await someone.exercise(model_pb2.RIGHT_TRAINING_REFUSAL)
    assert not (await someone.consent.CheckTraining(question)).eligible
    assert await someone.may()
    assert (await someone.get(request_id)).summary.state == model_pb2.REQUEST_STATE_CLOSED


async def test_a_person_who_has_nothing_is_served_all_the_same(deployment: Deployment) -> None:
    nobody = Someone(deployment, f"nobody-{uuid4().hex[:12]}", "", "")
    request_id = await nobody.exercise(model_pb2.RIGHT_DELETION)
    outcomes = {task.proof.outcome for task in (await nobody.get(request_id)).tasks}
    assert outcomes == {model_pb2.OUTCOME_NOTHING_HELD}


async def test_a_holder_that_was_down_answers_when_it_is_back(someone: Someone) -> None:
    runner = someone.deployment.runner
    await asyncio.to_thread(runner.kill_service, "refutation")
    try:
        opened = await someone.rights.OpenRequest(opening(someone.subject, model_pb2.RIGHT_ACCESS, CONTACT))
        await someone.rights.VerifyIdentity(verifying(opened.request_id))
        await someone.deployment.facts(
            "rights", facts_pb2.TaskAnswered, lambda fact: fact.request_id == opened.request_id, count=3, timeout=60
        )
        summary = (await someone.get(opened.request_id)).summary
        assert (summary.tasks_answered, summary.state) == (3, model_pb2.REQUEST_STATE_IN_PROGRESS)
    finally:
        await asyncio.to_thread(runner.start_service, "refutation")

    async def closed() -> bool:
        return (await someone.get(opened.request_id)).summary.state == model_pb2.REQUEST_STATE_CLOSED

    await until(closed, seconds=60)
