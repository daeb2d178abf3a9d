"""Signals: what is reported, told, corrected or disputed of an incident, and the end of one in which nothing runs."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from candor.escalation.v1 import facts_pb2, model_pb2, service_pb2
from candor_kit.transaction import Tx

from candor_escalation import codec, store
from candor_escalation.domain import anchor as anchor_rules
from candor_escalation.domain import fact as fact_rules
from candor_escalation.domain import incident as rules
from candor_escalation.domain.anchor import Entry
from candor_escalation.domain.clock import Change
from candor_escalation.domain.incident import Anchor, Incident, Json, Signal
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.clocks import CORRECTED, DISPUTED, FACTS, REPORTED, Clocks
from candor_escalation.handlers.picture import drawn
from candor_escalation.store import evidence, incidents


class Signals:
    """Opens incidents and adds to them; what is known decides which clocks start."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    async def report_signal(self, tx: Tx, request: service_pb2.ReportSignalRequest) -> service_pb2.ReportSignalResponse:
        """Open an incident, or add to the open one of the same kind and key."""
        incident, change = await self.take(tx, codec.signal(request))
        return service_pb2.ReportSignalResponse(incident_id=incident.incident_id, clock_ids=change.begun)

    async def record_facts(self, tx: Tx, request: service_pb2.RecordFactsRequest) -> service_pb2.RecordFactsResponse:
        """Add or correct facts of an incident; a reason settles what sources disagree about."""
        incident = await self._locked(tx, request.incident_id)
        now = await store.now(tx.connection)
        anchors = codec.anchors(request.anchors)
        known = await incidents.facts(tx.connection, incident.incident_id)
        added = fact_rules.from_person(
            known, codec.facts(request.facts), now, tx.caller.name, request.source, request.reason
        )
        await incidents.add_facts(tx.connection, incident.incident_id, added)
        await incidents.repeats(tx.connection, incident.incident_id, request.source, b"")
        earlier = await self._report_anchors(tx, incident, anchors, request.source, now)
        change = await self._clocks.reassess(tx, incident, REPORTED if earlier else FACTS, request.reason)
        return service_pb2.RecordFactsResponse(clock_ids=change.begun)

    async def correct_anchor(
        self, tx: Tx, request: service_pb2.CorrectAnchorRequest
    ) -> service_pb2.CorrectAnchorResponse:
        """Set an anchor right, earlier or later; what depends on it is counted anew."""
        incident = await self._locked(tx, request.incident_id)
        now = await store.now(tx.connection)
        entries = await incidents.anchors(tx.connection, incident.incident_id)
        told = Anchor(request.name, codec.instant(request.at), request.evidence)
        entry = anchor_rules.corrected(entries, told, now, tx.caller.name, "correction", request.reason)
        await incidents.add_anchors(tx.connection, incident.incident_id, [entry])
        fact = facts_pb2.AnchorCorrected(
            incident_id=incident.incident_id,
            anchor=model_pb2.Anchor(name=entry.name, at=request.at, evidence=entry.evidence),
            previous_at=codec.timestamp(anchor_rules.effective(entries)[entry.name].at),
            corrected_by=tx.caller.name,
            corrected_at=codec.timestamp(now),
        )
        await tx.publish(fact, key=incident.incident_id)
        change = await self._clocks.reassess(tx, incident, CORRECTED, request.reason)
        return service_pb2.CorrectAnchorResponse(clock_ids=change.counted)

    async def dispute_anchor(
        self, tx: Tx, request: service_pb2.DisputeAnchorRequest
    ) -> service_pb2.DisputeAnchorResponse:
        """Put on record that an anchor may be wrong; the earliest instant counts until it is settled."""
        incident = await self._locked(tx, request.incident_id)
        now = await store.now(tx.connection)
        entries = await incidents.anchors(tx.connection, incident.incident_id)
        claimed = codec.instant(request.at) if request.HasField("at") else None
        entry = anchor_rules.disputed(entries, request.name, claimed, now, tx.caller.name, request.reason)
        await incidents.add_anchors(tx.connection, incident.incident_id, [entry])
        fact = facts_pb2.AnchorDisputed(
            incident_id=incident.incident_id,
            name=entry.name,
            at=codec.timestamp(anchor_rules.effective(entries)[entry.name].at),
            disputed_by=tx.caller.name,
            disputed_at=codec.timestamp(now),
        )
        await tx.publish(fact, key=incident.incident_id)
        change = await self._clocks.reassess(tx, incident, DISPUTED, request.reason)
        return service_pb2.DisputeAnchorResponse(clock_ids=change.counted)

    async def close_incident(
        self, tx: Tx, request: service_pb2.CloseIncidentRequest
    ) -> service_pb2.CloseIncidentResponse:
        """Close an incident in which no clock runs."""
        incident = await self._found(tx, request.incident_id)
        closed = await self._clocks.close(tx, incident, request.reason)
        return service_pb2.CloseIncidentResponse(closed_at=codec.timestamp(closed.closed_at))

    async def take(self, tx: Tx, signal: Signal) -> tuple[Incident, Change]:
        """Read a signal into its incident, which it opens if need be.

        A source that says again what it said last changes nothing, so such a signal is only counted: a storm of them
        costs a row each.
        """
        incident = await self._open(tx, signal)
        now = await store.now(tx.connection)
        if incident is None:
            async with tx.connection.pipeline():  # nearly all of it writes, which need not be waited for one by one
                return await self._begin(tx, signal, now)
        if await self._repeats(tx, incident, signal, now):
            return incident, Change()
        known = await incidents.facts(tx.connection, incident.incident_id)
        told = signal.told(fact_rules.said_last(known, signal.source))
        added = fact_rules.from_signal(known, told, now, tx.caller.name, signal.source)
        await incidents.add_facts(tx.connection, incident.incident_id, added)
        earlier = await self._report_anchors(tx, incident, signal.anchors, signal.source, now)
        if not (added or earlier):
            return incident, Change()
        return incident, await self._clocks.reassess(tx, incident, REPORTED if earlier else FACTS)

    async def _begin(self, tx: Tx, signal: Signal, now: datetime) -> tuple[Incident, Change]:
        """Open an incident: all that is known of it is what this signal tells."""
        incident = rules.opened(signal, tx.new_id(), now)
        await incidents.insert(tx.connection, incident)
        await tx.publish(facts_pb2.IncidentOpened(incident=codec.incident_message(incident)), key=incident.incident_id)
        await self._repeats(tx, incident, signal, now)
        added = fact_rules.from_signal([], signal.told({}), now, tx.caller.name, signal.source)
        await incidents.add_facts(tx.connection, incident.incident_id, added)
        entries = anchor_rules.reported([], signal.anchors, now, tx.caller.name, signal.source)
        await incidents.add_anchors(tx.connection, incident.incident_id, entries)
        return incident, await self._clocks.begin(tx, incident, drawn(added, entries, [], now))

    @staticmethod
    async def _repeats(tx: Tx, incident: Incident, signal: Signal, now: datetime) -> bool:
        """Put a signal on record; whether its source says what it said last."""
        await incidents.add_signal(tx.connection, incident.incident_id, signal, tx.caller.name, now)
        if signal.evidence:
            await evidence.add(tx.connection, incident.incident_id, signal.evidence, tx.new_id())
        return await incidents.repeats(tx.connection, incident.incident_id, signal.source, _digest(signal))

    async def note(self, tx: Tx, incident_id: str, told: Mapping[str, Json], source: str) -> None:
        """Record what another service tells about an incident that there is; on a closed one it may let a duty rise."""
        incident = await incidents.lock(tx.connection, incident_id)
        if incident is None:
            return
        now = await store.now(tx.connection)
        known = await incidents.facts(tx.connection, incident_id)
        added = fact_rules.from_signal(known, told, now, tx.caller.name, source)
        if not added:
            return
        await incidents.add_facts(tx.connection, incident_id, added)
        if incident.is_open or await self._clocks.may_rise(tx, incident):
            await self._clocks.reassess(tx, incident)

    @staticmethod
    async def _report_anchors(
        tx: Tx, incident: Incident, told: tuple[Anchor, ...], source: str, now: datetime
    ) -> list[Entry]:
        entries = await incidents.anchors(tx.connection, incident.incident_id)
        added = anchor_rules.reported(entries, told, now, tx.caller.name, source)
        await incidents.add_anchors(tx.connection, incident.incident_id, added)
        return added

    async def _locked(self, tx: Tx, incident_id: str) -> Incident:
        """An incident that facts can be added to: open, or one whose duty fell and may rise again."""
        incident = await self._found(tx, incident_id)
        may_rise = not incident.is_open and await self._clocks.may_rise(tx, incident)
        rules.refuse_closed(incident, may_rise=may_rise)
        return incident

    @staticmethod
    async def _found(tx: Tx, incident_id: str) -> Incident:
        incident = await incidents.lock(tx.connection, incident_id)
        if incident is None:
            raise Refused("INCIDENT_UNKNOWN", "there is no such incident", field="incident_id")
        return incident

    @staticmethod
    async def _open(tx: Tx, signal: Signal) -> Incident | None:
        """The open incident of the signal's kind and key, joined and locked; None when there is none."""
        key = signal.correlation_key
        found = await incidents.lock_open(tx.connection, signal.kind, key) if key else None
        if found is None:
            return None
        await incidents.update(tx.connection, rules.joined(found))
        return rules.joined(found)


def _digest(signal: Signal) -> bytes:
    """What a signal says, apart from what names its occasion."""
    said = [
        sorted(signal.facts.items()),
        sorted((name, list(texts)) for name, texts in signal.gathers.items()),
        [(anchor.name, anchor.at.isoformat()) for anchor in signal.anchors],
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).digest()
