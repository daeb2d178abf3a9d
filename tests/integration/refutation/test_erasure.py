"""What an erasure means here: nothing is held, and what was erased is not matched."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from candor.generation.v1 import facts_pb2 as generation_facts_pb2
from candor.refutation.v1 import facts_pb2
from candor.rights.v1 import facts_pb2 as rights_facts_pb2
from candor.rights.v1 import holder_pb2, holder_pb2_grpc, model_pb2
from candor.rights.v1.service_pb2 import AnswerTaskRequest
from candor_cli.session import command_id
from candor_kit import envelope
from deployment import Deployment

from .conftest import Refutation
from .samples import Rumour


async def ask(
    deployment: Deployment,
    holder_id: str,
    right: model_pb2.Right.ValueType,
    subject: str,
    task_id: str,
    attempt: int = 1,
) -> None:
    """Put an ask on the topic of rights, as rights does."""
    now = datetime.now(UTC)
    fact = rights_facts_pb2.TaskAsked(
        task_id=task_id, request_id=task_id, holder_id=holder_id, right=right, subject=subject, attempt=attempt
    )
    fact.requested_at.FromDatetime(now)
    headers = envelope.headers_of(
        identifier=command_id(), message_type=fact.DESCRIPTOR.full_name, source="candor.rights", at=now
    )
    producer = await deployment._kafka_producer()
    await producer.send_and_wait(
        "candor.rights.v1", key=task_id.encode(), value=fact.SerializeToString(), headers=headers
    )


async def answers(deployment: Deployment, task_id: str, count: int) -> list[AnswerTaskRequest]:
    follower = deployment._follower("candor.rights.intake.v1")
    return await follower.wait(AnswerTaskRequest, lambda answer: answer.task_id == task_id, count, 60)


async def test_every_ask_is_answered_with_nothing_held_and_a_repeated_one_with_the_same_proof(
    deployment: Deployment,
) -> None:
    for right in (model_pb2.RIGHT_ACCESS, model_pb2.RIGHT_DELETION, model_pb2.RIGHT_CONSENT_WITHDRAWAL):
        task_id = command_id()
        for attempt in (1, 2):
            await ask(deployment, "refutation", right, "somebody", task_id, attempt)

        first, second = await answers(deployment, task_id, 2)

        assert (first.holder_id, first.proof.outcome) == ("refutation", model_pb2.OUTCOME_NOTHING_HELD)
        assert first.proof == second.proof
        assert first.command_id != second.command_id
        assert not first.proof.HasField("last_copy_expires_at")


async def test_an_export_of_a_person_is_empty(deployment: Deployment) -> None:
    stub = holder_pb2_grpc.DataHolderServiceStub(deployment.channel("refutation", "service", name="candor.rights"))

    items = [item async for item in stub.Export(holder_pb2.ExportRequest(task_id=command_id(), subject="somebody"))]

    assert items == []


async def test_an_erased_output_is_not_matched(refutation: Refutation, deployment: Deployment) -> None:
    rumour = Rumour(
        "税务局内部人员透露，从下个月起养猫的家庭要交每只260元的宠物清洁费，不交的会被停掉水电和燃气",
        "税务部门没有宠物清洁费这一税目，收费项目都在政府网站上公示",
        "zh-CN",
    )
    claim_id = await refutation.refute(rumour)
    await asyncio.to_thread(deployment.runner.kill_service, "refutation")
    (erased,) = await refutation.record([rumour.text], subject="leaving-person")
    (kept,) = await refutation.record([rumour.text], subject="staying-person")
    await deployment.facts(
        "generation", generation_facts_pb2.GenerationRecorded, lambda fact: fact.generation_id == kept
    )
    task_id = command_id()
    await ask(deployment, "generation", model_pb2.RIGHT_DELETION, "leaving-person", task_id)
    await answers(deployment, task_id, 1)

    await asyncio.to_thread(deployment.runner.start_service, "refutation")
    await deployment.facts("refutation", facts_pb2.ClaimMatched, lambda fact: fact.claim_id == claim_id)
    # A third output, read after both: what is missing now stays missing.
    (last,) = await refutation.record([rumour.text], subject="staying-person")
    matched = await deployment.facts(
        "refutation", facts_pb2.ClaimMatched, lambda fact: fact.claim_id == claim_id, count=2
    )

    assert {fact.generation_id for fact in matched} == {kept, last}
    rows = await deployment.rows("refutation", "SELECT generation_id FROM match WHERE generation_id = %s", erased)
    assert rows == []
