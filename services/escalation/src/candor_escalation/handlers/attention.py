"""Asks that a person must look after: on-call is paged about a disposal until it is carried out or taken back."""

from datetime import datetime

from candor_kit.transaction import Tx

from candor_escalation.domain import signals as rules
from candor_escalation.domain.disposal import COULD_NOT, WAITING, Ask, Disposal
from candor_escalation.handlers.signals import Signals
from candor_escalation.store import disposal_asks, incidents

_KIND = "disposal_unanswered"


class Attention:
    """Opens the incident of a disposal that is not carried out, and lets its clocks fall once it is."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    async def look(self, tx: Tx, disposal: Disposal) -> None:
        """Look at the asks of a locked disposal as they are now.

        Source: Deep Synthesis 10; Generative AI Measures 14; DSA 14
        """
        asks = await disposal_asks.of_disposal(tx.connection, disposal.disposal_id)
        late = [asked for asked in asks if asked.state == WAITING and asked.overdue]
        failed = [asked for asked in asks if asked.state == COULD_NOT]
        if not late and not failed:
            await self._carried_out(tx, disposal.disposal_id)
            return
        since = min(_due(asked) for asked in (*late, *failed))
        signal = rules.disposal_unanswered(
            disposal.disposal_id, disposal.measure.value, disposal.product, len(late), len(failed), min(since, tx.now)
        )
        await self._signals.take(tx, signal)

    async def _carried_out(self, tx: Tx, disposal_id: str) -> None:
        incident = await incidents.lock_open(tx.connection, _KIND, disposal_id)
        if incident is not None:
            told = {"carried_out": True, "asks_late": 0.0, "asks_failed": 0.0}
            await self._signals.note(tx, incident.incident_id, told, "disposals")


def _due(asked: Ask) -> datetime:
    """When an ask called for a person: its answer was late, or said that it could not be done."""
    return asked.answered_at if asked.answered_at and asked.state == COULD_NOT else asked.answer_by
