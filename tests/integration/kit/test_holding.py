"""What a holder's consumer does with the tasks of the rights service: once, proven, and answered as often as asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.holding import nothing_held, task_consumer
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions, Tx
from toy import Refused, Toy


@dataclass
class Holder:
    """A holder on a database whose outbox nobody empties."""

    transactions: Transactions
    carried_out: list[str] = field(default_factory=list)
    refuses: bool = False

    async def carry_out(self, tx: Tx, fact: facts_pb2.TaskAsked) -> model_pb2.Proof:
        self.carried_out.append(fact.task_id)
        await tx.publish(fact, key="effect")
        if self.refuses:
            raise Refused("PURPOSE_UNKNOWN", "not now")
        return nothing_held(tx.now)

    async def hear(self, fact: facts_pb2.TaskAsked) -> None:
        (handler,) = task_consumer("mine", self.carry_out).handlers.values()
        await self.transactions.run(Caller("candor.rights"), lambda tx: handler(tx, fact))

    async def left(self) -> list[tuple[str, bytes, bytes]]:
        """What would leave: topic, key and value, in order."""
        async with self.transactions.pool.connection() as connection:
            cursor = await connection.execute("SELECT topic, key, value FROM kit_outbox ORDER BY id")
            return [(row["topic"], bytes(row["key"]), bytes(row["value"])) for row in await cursor.fetchall()]

    async def answers(self) -> list[service_pb2.AnswerTaskRequest]:
        return [
            service_pb2.AnswerTaskRequest.FromString(value)
            for topic, _key, value in await self.left()
            if topic == "candor.rights.intake.v1"
        ]


@pytest.fixture
async def holder(idle: Toy) -> AsyncIterator[Holder]:
    await database.migrate(idle.database_url, {"kit": "candor_kit"})
    async with database.pool(idle.database_url, 2) as pool:
        yield Holder(Transactions(idle.name, pool, SystemClock(), Wake()))


def asked(task_id: str, attempt: int = 1) -> facts_pb2.TaskAsked:
    return facts_pb2.TaskAsked(
        task_id=task_id, request_id="r-1", holder_id="mine", right=model_pb2.RIGHT_DELETION, attempt=attempt
    )


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_a_task_is_carried_out_once_and_answered_as_often_as_it_is_asked(holder: Holder) -> None:
    task_id = str(uuid4())
    for attempt in (1, 2, 3):
        await holder.hear(asked(task_id, attempt))

    first, *again = await holder.answers()

    assert holder.carried_out == [task_id]
    assert (first.task_id, first.holder_id) == (task_id, "mine")
    assert first.proof.outcome == model_pb2.OUTCOME_NOTHING_HELD
    assert [answer.proof for answer in again] == [first.proof] * 2
    assert len({first.command_id, *(answer.command_id for answer in again)}) == 3
    assert {key for topic, key, _value in await holder.left() if topic == "candor.rights.intake.v1"} == {b"r-1"}


async def test_every_task_is_carried_out_for_itself(holder: Holder) -> None:
    tasks = [str(uuid4()), str(uuid4())]
    for task_id in tasks:
        await holder.hear(asked(task_id))

    assert holder.carried_out == tasks
    assert [answer.task_id for answer in await holder.answers()] == tasks


async def test_a_task_that_was_refused_leaves_nothing_and_is_carried_out_when_asked_again(holder: Holder) -> None:
    task_id = str(uuid4())
    holder.refuses = True
    with pytest.raises(Refused):
        await holder.hear(asked(task_id))
    assert await holder.left() == []

    holder.refuses = False
    await holder.hear(asked(task_id, attempt=2))

    assert holder.carried_out == [task_id, task_id]
    assert [answer.task_id for answer in await holder.answers()] == [task_id]
