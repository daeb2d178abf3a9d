"""Orders to delete a model: taken over from the escalation service, put to the holder, answered with a proof."""

from candor.escalation.v1 import facts_pb2 as escalation_pb2
from candor.rights.v1 import facts_pb2, order_pb2
from candor_kit.transaction import Tx

from candor_rights import codec
from candor_rights.domain.order import ModelDeletion, ordered
from candor_rights.domain.refusal import Refused
from candor_rights.domain.task import BackOff, answer, ask_again
from candor_rights.handlers.answers import answerer
from candor_rights.store import holders, orders


class OrderHandlers:
    """The holder of the model is asked until it answers; the register of orders hears of the answer."""

    def __init__(self, back_off: BackOff) -> None:
        self._back_off = back_off

    async def on_model_deletion_ordered(self, tx: Tx, fact: escalation_pb2.ModelDeletionOrdered) -> None:
        """Ask the holder for the first time."""
        at = codec.instant(fact.ordered_at)
        registered = await holders.lock(tx.connection, fact.holder_id)
        deletion = ordered(fact.entry_id, fact.incident_id, at, fact.holder_id, registered, self._back_off, tx.now)
        if await orders.insert(tx.connection, deletion):
            await _ask(tx, deletion)

    async def answer_model_deletion(
        self, tx: Tx, command: order_pb2.AnswerModelDeletionRequest
    ) -> order_pb2.AnswerModelDeletionResponse:
        """Take the holder's proof. The same proof again changes nothing."""
        deletion = await orders.lock(tx.connection, command.order_id)
        if deletion is None:
            raise Refused("ORDER_UNKNOWN", "there is no such order", field="order_id")
        proof = codec.proof_of(command.proof)
        answered = answer(deletion, command.holder_id, proof, answerer(tx.caller), tx.now)
        if answered is not deletion:
            await orders.answered(tx.connection, answered, proof)
            fact = facts_pb2.ModelDeletionAnswered(
                order_id=deletion.order_id, holder_id=deletion.holder_id, proof=command.proof
            )
            await tx.publish(fact, key=deletion.order_id)
        return order_pb2.AnswerModelDeletionResponse()

    async def ask_next_again(self, tx: Tx) -> bool:
        """Ask a holder once more that has not answered; whether there was one."""
        deletion = await orders.next_unanswered(tx.connection, tx.now)
        if deletion is None:
            return False
        asked = ask_again(deletion, self._back_off, tx.now)
        await orders.asked(tx.connection, asked)
        await _ask(tx, asked)
        return True


async def _ask(tx: Tx, deletion: ModelDeletion) -> None:
    fact = facts_pb2.ModelDeletionAsked(
        order_id=deletion.order_id,
        holder_id=deletion.holder_id,
        ordered_at=codec.timestamp(deletion.ordered_at),
        attempt=deletion.attempts,
    )
    await tx.publish(fact, key=deletion.order_id)
