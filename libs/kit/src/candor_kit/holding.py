"""A service as a holder of personal data: a task is carried out once and answered as often as it is asked.

Asks are sent again until they are answered (promise 5), and topics may give the same record twice. A second run would
find nothing left of what the first one erased, so what is answered is the proof of the first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from candor_kit.consumer import FactConsumer
from candor_kit.database import Connection
from candor_kit.transaction import Tx

# An erasure keeps its holder from writing until it is committed: few together, so that what waits meanwhile is short.
_TOGETHER = 16

CarryOut = Callable[[Tx, facts_pb2.TaskAsked], Awaitable[model_pb2.Proof]]


def task_consumer(holder_id: str, carry_out: CarryOut, *, name: str = "rights-asks") -> FactConsumer:
    """Return the consumer that carries out and answers what the rights service asks of a holder.

    Effect, proof and answer are one transaction. The answer goes to the intake of rights under the request's id, so
    that answers of one request keep their order.

    Args:
        holder_id: the holder's id in the register of rights; tasks of other holders are passed.
        carry_out: does what is asked, in the transaction it is given, and proves it. It MUST NOT answer by itself. What
            it refuses leaves nothing behind: the ask is set aside, and the next one is carried out anew.
        name: the consumer's name.

    Source: PIPL 47
    """

    async def on_task_asked(tx: Tx, fact: facts_pb2.TaskAsked) -> None:
        if fact.holder_id != holder_id:
            return
        proof = await _proof_of(tx.connection, fact.task_id)
        if proof is None:
            proof = await carry_out(tx, fact)
            await _keep(tx, fact.task_id, proof)
        answer = service_pb2.AnswerTaskRequest(task_id=fact.task_id, holder_id=holder_id, proof=proof)
        await tx.send(answer, service="rights", key=fact.request_id)

    return FactConsumer(
        name=name, topic="candor.rights.v1", handlers={facts_pb2.TaskAsked: on_task_asked}, most=_TOGETHER
    )


def nothing_held(now: datetime) -> model_pb2.Proof:
    """Return the proof of a holder that has nothing of the person which the task could be done to.

    Args:
        now: when that was found, aware.
    """
    completed_at = Timestamp()
    completed_at.FromDatetime(now)
    return model_pb2.Proof(outcome=model_pb2.OUTCOME_NOTHING_HELD, completed_at=completed_at)


async def _proof_of(connection: Connection, task_id: str) -> model_pb2.Proof | None:
    cursor = await connection.execute("SELECT proof FROM kit_task WHERE task_id = %s", (task_id,))
    row = await cursor.fetchone()
    return model_pb2.Proof.FromString(bytes(row["proof"])) if row else None


async def _keep(tx: Tx, task_id: str, proof: model_pb2.Proof) -> None:
    await tx.connection.execute(
        "INSERT INTO kit_task (task_id, proof, answered_at) VALUES (%s, %s, %s)",
        (task_id, proof.SerializeToString(deterministic=True), tx.now),
    )
