"""Signals of outside systems, many at a time: what was reported before is counted, what is new is taken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_kit.transaction import Tx

from candor_escalation import store
from candor_escalation.alerts import Reported
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.signals import Signals
from candor_escalation.store import intake


@dataclass(frozen=True)
class Taken:
    """What became of a report: its incident, and whether it was known; or why it was refused."""

    incident_id: str = ""
    repeated: bool = False
    refused: Refused | None = None


class Intake:
    """One transaction for everything that came in together."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    async def take(self, tx: Tx, reported: Sequence[Reported]) -> list[Taken]:
        """Take reports; what became of each, in their order.

        A repeat is counted and costs no row of its own. What is refused is refused alone, and every repeat of it.
        """
        first = {one.digest: one for one in reversed(reported)}
        times = Counter(one.digest for one in reported)
        resolved = {one.digest: one.resolved_at for one in reported if one.resolved_at is not None}
        await intake.lock(tx.connection, [_number(digest) for digest in first])
        now = await store.now(tx.connection)
        known = await intake.repeat(tx.connection, times, resolved, now)
        await _count(tx, known, times)
        fresh = [one for digest, one in first.items() if digest not in known]
        taken = {digest: Taken(incident_id, repeated=True) for digest, incident_id in known.items()}
        for one in sorted(fresh, key=lambda one: (one.signal.kind, one.signal.correlation_key)):
            taken[one.digest] = await self._fresh(tx, one, times[one.digest], resolved.get(one.digest), now)
        await self._note_resolved(tx, {taken[digest].incident_id for digest in resolved} - {""})
        return _in_order(reported, taken)

    async def _fresh(self, tx: Tx, one: Reported, times: int, resolved_at: datetime | None, now: datetime) -> Taken:
        try:
            async with tx.savepoint():
                incident, _ = await self._signals.take(tx, one.signal)
        except Refused as refused:
            return Taken(refused=refused)
        await intake.add(tx.connection, one.digest, incident.incident_id, times, resolved_at, now)
        if times > 1:
            await intake.count(tx.connection, incident.incident_id, times - 1)
        return Taken(incident.incident_id)

    async def _note_resolved(self, tx: Tx, incident_ids: set[str]) -> None:
        """Put on record how many alerts still last. That none does stops no clock."""
        for incident_id in sorted(incident_ids):
            lasting = await intake.lasting(tx.connection, incident_id)
            await self._signals.note(tx, incident_id, {"alerts_unresolved": float(lasting)}, "alertmanager")


async def _count(tx: Tx, known: Mapping[bytes, str], times: Mapping[bytes, int]) -> None:
    """Count repeats on their incidents, each once, in the order of their ids."""
    sums: Counter[str] = Counter()
    for digest, incident_id in known.items():
        sums[incident_id] += times[digest]
    for incident_id in sorted(sums):
        await intake.count(tx.connection, incident_id, sums[incident_id])


def _in_order(reported: Sequence[Reported], taken: Mapping[bytes, Taken]) -> list[Taken]:
    """What became of each report; after the first, the same digest is a repeat."""
    told: list[Taken] = []
    met: set[bytes] = set()
    for one in reported:
        outcome = taken[one.digest]
        repeated = outcome.repeated or (one.digest in met and outcome.refused is None)
        told.append(Taken(outcome.incident_id, repeated, outcome.refused))
        met.add(one.digest)
    return told


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big", signed=True)
