"""What falls due by itself: asks to repeat, asks that are late, terms that pass, records that may no longer be kept."""

from dataclasses import replace

from candor_kit.transaction import Tx

from candor_escalation.domain.disposal import ENDED
from candor_escalation.handlers.asking import Asking, overdue
from candor_escalation.handlers.notice_keeping import NoticeKeeping
from candor_escalation.sealing import Sealing
from candor_escalation.store import complaints, disposal_asks, disposals, public_statements
from candor_escalation.store.disposals import Stored


class DisposalDue:
    """Each takes one row that is due by the database's clock, and returns whether there was one."""

    def __init__(self, sealing: Sealing, asking: Asking, notices: NoticeKeeping) -> None:
        self._sealing = sealing
        self._asking = asking
        self._notices = notices

    async def ask_next_again(self, tx: Tx) -> bool:
        """Ask a backend once more that has not answered."""
        asked = await disposal_asks.next_to_repeat(tx.connection)
        if asked is None:
            return False
        await self._asking.ask_again(tx, await _disposal(tx, asked.disposal_id), asked)
        return True

    async def note_next_late(self, tx: Tx) -> bool:
        """Say once that an ask was not answered in time, and page on-call about its disposal."""
        asked = await disposal_asks.next_late(tx.connection)
        if asked is None:
            return False
        stored = await _disposal(tx, asked.disposal_id)
        await self._asking.answered(tx, stored.disposal, replace(asked, overdue=True))
        await tx.publish(overdue(asked, stored.disposal.product, asked.answer_by), key=asked.disposal_id)
        return True

    async def end_next(self, tx: Tx) -> bool:
        """Take back a disposal whose term has passed, so that nobody stays suspended longer than was decided.

        Source: DSA 23
        """
        stored = await disposals.next_ended(tx.connection)
        if stored is None:
            return False
        await self._asking.lift(tx, stored, ENDED)
        return True

    async def let_next_go(self, tx: Tx) -> bool:
        """Forget a restricted record that the law keeps no longer.

        Source: PIPL 47
        """
        stored = await disposals.next_to_let_go(tx.connection)
        if stored is None:
            return await self._notices.let_next_go(tx)
        disposal_id = stored.disposal.disposal_id
        await disposals.let_go(tx.connection, disposal_id)
        await self._sealing.destroy(tx, disposal_id)
        return True

    @staticmethod
    async def counts(tx: Tx) -> dict[str, int]:
        """What a person must look after, by kind."""
        late, could_not = await disposal_asks.count_attention(tx.connection)
        public = await public_statements.count_unsent(tx.connection)
        return {
            "asks_overdue": late,
            "asks_could_not": could_not,
            "complaints_overdue": await complaints.count_late(tx.connection),
            "public_statements_queued": public["queued"],
            "public_statements_refused": public["refused"],
        }


async def _disposal(tx: Tx, disposal_id: str) -> Stored:
    stored = await disposals.find(tx.connection, disposal_id)
    if stored is None:
        raise LookupError("an ask without its disposal")
    return stored
