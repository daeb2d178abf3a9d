"""What product backends are asked, told and answer about a disposal; the disposal is locked."""

from datetime import datetime

from candor.escalation.v1 import facts_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, disposal_codec
from candor_escalation.domain import disposal as rules
from candor_escalation.domain.disposal import Act, Ask, Disposal, Patience
from candor_escalation.domain.statement import Texts
from candor_escalation.handlers.attention import Attention
from candor_escalation.sealing import Sealing, seal_texts
from candor_escalation.store import disposal_asks, disposal_texts, disposals
from candor_escalation.store.disposal_texts import SealedText
from candor_escalation.store.disposals import Stored


class Asking:
    """Asks, asks again, and takes back. ``patience`` says how long a backend may take, ``attention`` whom to call."""

    def __init__(self, sealing: Sealing, patience: Patience, attention: Attention) -> None:
        self._sealing = sealing
        self._patience = patience
        self._attention = attention

    async def ask(self, tx: Tx, disposal: Disposal, act: Act, subject: str, statement_id: str = "") -> Ask:
        """Ask a product backend for the first time; ``subject`` is empty where nobody may be named."""
        asked = rules.ask(tx.new_id(), disposal.disposal_id, act, statement_id, self._patience, tx.now)
        await disposal_asks.insert(tx.connection, asked)
        await tx.publish(disposal_codec.asked(disposal, asked, subject), key=disposal.disposal_id)
        return asked

    async def tell(self, tx: Tx, disposal: Disposal, key: bytes, kind: str, texts: Texts, subject: str) -> None:
        """Keep what the user is told, "reasons" or "complaint", sealed, and ask the backend to deliver it.

        Source: DSA 17; DSA 20
        """
        statement_id = tx.new_id()
        sealed = seal_texts(key, statement_id, texts)
        text = SealedText(statement_id, disposal.disposal_id, kind, tx.now, sealed)
        await disposal_texts.add_text(tx.connection, text)
        await self.ask(tx, disposal, Act.DELIVER_STATEMENT, subject, statement_id)

    async def ask_again(self, tx: Tx, stored: Stored, asked: Ask) -> None:
        """Ask once more what was not answered: a new fact, the same ask."""
        again = rules.ask_again(asked, self._patience, tx.now)
        await disposal_asks.update(tx.connection, again)
        subject = await self.subject(tx, stored)
        await tx.publish(disposal_codec.asked(stored.disposal, again, subject), key=asked.disposal_id)

    async def answered(self, tx: Tx, disposal: Disposal, answered: Ask) -> None:
        """Keep what a backend answered about a locked disposal, or that it answered nothing in time."""
        await disposal_asks.update(tx.connection, answered)
        await self._attention.look(tx, disposal)

    async def lift(self, tx: Tx, stored: Stored, state: str) -> Disposal:
        """Take a locked disposal back and ask its backend to; what was still asked for it is asked no more."""
        lifted = rules.lift(stored.disposal, state, tx.now)
        await disposals.update(tx.connection, lifted)
        for asked in await disposal_asks.of_disposal(tx.connection, lifted.disposal_id):
            await disposal_asks.update(tx.connection, rules.withdraw(asked))
        await self._attention.look(tx, lifted)
        await self.ask(tx, lifted, Act.LIFT, await self.subject(tx, stored))
        fact = facts_pb2.DisposalLifted(
            disposal_id=lifted.disposal_id,
            state=disposal_codec.wire_state(state),
            lifted_at=codec.timestamp(tx.now),
        )
        await tx.publish(fact, key=lifted.disposal_id)
        return lifted

    async def subject(self, tx: Tx, stored: Stored) -> str:
        """Whom an ask may name: nobody once the person is erased, for topics outlast a proof otherwise (promise 4)."""
        if stored.disposal.restricted_until is not None:
            return ""
        matter = await self._sealing.matter(tx.connection, stored)
        return matter.subject if matter else ""


def overdue(asked: Ask, product: str, at: datetime) -> facts_pb2.DisposalOverdue:
    """The fact that nobody answered by ``at``."""
    return facts_pb2.DisposalOverdue(
        ask_id=asked.ask_id,
        disposal_id=asked.disposal_id,
        act=disposal_codec.wire_act(asked.act),
        product=product,
        answer_by=codec.timestamp(at),
    )
