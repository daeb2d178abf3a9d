"""Leaves of the generation log that are not generations: erasures, verdicts of people, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from candor_kit.transaction import Tx

from candor_generation.domain import leaf
from candor_generation.periods import Periods
from candor_generation.store import logs


@dataclass(frozen=True)
class Leaves:
    """Adds leaves in the transaction of what they are about."""

    periods: Periods
    wake_sequencer: Callable[[], None]

    async def add(self, tx: Tx, kind: str, fields: Mapping[str, str | int]) -> None:
        """Add a leaf to the generation log of the present period.

        Args:
            tx: the transaction of the act itself.
            kind: "erasure", "verdict", "delivery".
            fields: codes, counts, ids and keyed commitments; nothing personal and no plain hash of it.
        """
        log = await self.periods.covering(tx.connection, logs.GENERATION, tx.now)
        if log is None:
            raise LookupError("no log covers the present")
        await logs.add(tx.connection, log.log_id, [leaf.encode_act(kind, tx.now, fields)], tx.now)
        tx.after_commit(self.wake_sequencer)
