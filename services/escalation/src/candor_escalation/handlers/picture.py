"""What is known of an incident at one moment: facts, contradictions and anchors, those of receipts among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_kit.transaction import Tx

from candor_escalation import store
from candor_escalation.domain import anchor as anchor_rules
from candor_escalation.domain import fact as fact_rules
from candor_escalation.domain.anchor import Entry, Sent
from candor_escalation.domain.incident import Anchor, Fact, Incident, Json
from candor_escalation.store import incidents, receipts


@dataclass(frozen=True)
class Picture:
    """Read from a locked incident. ``now`` is the database's instant, by which everything is planned."""

    facts: Mapping[str, Json]
    disputed: Mapping[str, tuple[Json, ...]]
    anchors: Mapping[str, Anchor]
    now: datetime


async def picture_of(tx: Tx, incident: Incident) -> Picture:
    """What is known of a locked incident now."""
    recorded = await incidents.facts(tx.connection, incident.incident_id)
    entries = await incidents.anchors(tx.connection, incident.incident_id)
    sent = await receipts.of_incident(tx.connection, incident.incident_id)
    return drawn(recorded, entries, sent, await store.now(tx.connection))


def drawn(recorded: Sequence[Fact], entries: Sequence[Entry], sent: Sequence[Sent], now: datetime) -> Picture:
    """The picture that facts, anchors and receipts give, each in the order it was recorded."""
    return Picture(
        facts=fact_rules.current(recorded),
        disputed=fact_rules.contradictions(recorded),
        anchors=anchor_rules.effective(entries) | anchor_rules.of_receipts(sent),
        now=now,
    )
