"""Notices of a person who asks for erasure: kept out of reach while the law keeps them, then let go."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from candor_kit.transaction import Tx

from candor_escalation.domain.content_notice import retained_until
from candor_escalation.domain.disposal import plus_months
from candor_escalation.sealing import Held, Sealing
from candor_escalation.store import notices
from candor_escalation.store.notices import StoredNotice


@dataclass
class Kept:
    """What became of a person's notices: counts by kind, and until when the restricted ones are kept."""

    counts: Counter[str] = field(default_factory=Counter)
    ends: list[datetime] = field(default_factory=list)


class NoticeKeeping:
    """``months``: how long the law keeps a notice that was decided."""

    def __init__(self, sealing: Sealing, months: int) -> None:
        self._envelopes = sealing.notices
        self._months = months

    async def erase(self, tx: Tx, theirs: list[StoredNotice], old: Held) -> Kept:
        """Restrict or let go of locked notices whose giver's key is gone."""
        kept = Kept()
        for stored in theirs:
            notice_id, until = stored.notice.notice_id, retained_until(stored.notice, self._months)
            if until is not None and until <= tx.now:
                await notices.let_go(tx.connection, notice_id)
                kept.counts["notice"] += 1
                continue
            until = until or plus_months(tx.now, self._months)
            wrapped = await self._envelopes.restrict(tx, notice_id, stored.wrapped, old.key)
            await notices.rewrap(tx.connection, notice_id, wrapped, until)
            kept.counts["notice_restricted"] += 1
            kept.ends.append(until)
        return kept

    async def renew(self, tx: Tx, newer: list[StoredNotice], old: Held, new: Held) -> None:
        """Put what was given after the request for erasure under the person's new key."""
        for stored in newer:
            wrapped = self._envelopes.renew(stored.notice.notice_id, stored.wrapped, old.key, new)
            await notices.rewrap(tx.connection, stored.notice.notice_id, wrapped, None)

    async def let_next_go(self, tx: Tx) -> bool:
        """Forget a restricted notice that the law keeps no longer.

        Source: PIPL 47
        """
        stored = await notices.next_to_let_go(tx.connection)
        if stored is None:
            return False
        await notices.let_go(tx.connection, stored.notice.notice_id)
        await self._envelopes.destroy(tx, stored.notice.notice_id)
        return True
