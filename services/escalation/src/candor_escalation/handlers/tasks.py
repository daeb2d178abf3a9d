"""Asks of the rights service. An incident names no person in this service, so there is nothing to act on.

Promise 4: whatever names a person is erased with them. What is kept here is the kind of an incident, its instants and
what officers state of it, never the subject of a generation; a fact that names one is not stored.
"""

from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec
from candor_escalation.store import tasks

HOLDER = "escalation"


async def on_task_asked(tx: Tx, fact: facts_pb2.TaskAsked) -> None:
    """Answer that nothing is held; a repeated ask gets the same proof."""
    if fact.holder_id != HOLDER:
        return
    proof = await _proof(tx, fact.task_id)
    answer = service_pb2.AnswerTaskRequest(task_id=fact.task_id, holder_id=HOLDER, proof=proof)
    await tx.send(answer, service="rights", key=fact.request_id)


async def _proof(tx: Tx, task_id: str) -> model_pb2.Proof:
    stored = await tasks.proof(tx.connection, task_id)
    if stored is not None:
        return model_pb2.Proof.FromString(stored)
    proof = model_pb2.Proof(outcome=model_pb2.OUTCOME_NOTHING_HELD, completed_at=codec.timestamp(tx.now))
    await tasks.insert(tx.connection, task_id, proof.SerializeToString(deterministic=True), tx.now)
    return proof
