"""The consumer of a holder's tasks, as far as it needs no database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit import validation
from candor_kit.holding import nothing_held, task_consumer
from candor_kit.transaction import Tx

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def _never(_tx: Tx, _fact: facts_pb2.TaskAsked) -> model_pb2.Proof:
    raise AssertionError("the task is another holder's")


async def test_the_task_of_another_holder_is_passed_untouched() -> None:
    consumer = task_consumer("mine", _never)
    another = facts_pb2.TaskAsked(task_id="t", request_id="r", holder_id="another", subject="s")

    # There is no transaction: whatever it did in one would fail.
    await consumer.handlers[facts_pb2.TaskAsked](cast("Tx", None), another)


def test_every_holder_reads_the_asks_of_rights_under_the_same_name() -> None:
    consumer = task_consumer("mine", _never)

    assert (consumer.name, consumer.topic) == ("rights-asks", "candor.rights.v1")
    assert consumer.prepare is None


def test_the_proof_that_nothing_is_held_is_one_that_rights_takes() -> None:
    proof = nothing_held(NOON)
    task_id = "01930b6a-7c00-7000-8000-000000000000"
    answer = service_pb2.AnswerTaskRequest(command_id=task_id, task_id=task_id, holder_id="mine", proof=proof)

    validation.check(answer)
    assert proof.outcome == model_pb2.OUTCOME_NOTHING_HELD
    assert proof.completed_at.ToDatetime(UTC) == NOON
    assert not proof.kinds
    assert not proof.HasField("last_copy_expires_at")
