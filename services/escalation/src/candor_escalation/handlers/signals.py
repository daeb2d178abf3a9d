"""Signals: what is reported, told or corrected, from a person, a backend or another service's facts."""

from datetime import datetime

from candor.escalation.v1 import facts_pb2, service_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.generation.v1 import model_pb2 as generation_model_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor_kit.transaction import Tx
from google.protobuf.timestamp_pb2 import Timestamp

from candor_escalation import codec
from candor_escalation.domain import incident as rules
from candor_escalation.domain.incident import Anchor, Incident, Json, Signal
from candor_escalation.domain.refusal import Refused
from candor_escalation.handlers.clocks import Clocks
from candor_escalation.store import incidents


class Signals:
    """Opens incidents and adds to them; what is known decides which clocks start."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    async def report_signal(self, tx: Tx, request: service_pb2.ReportSignalRequest) -> service_pb2.ReportSignalResponse:
        """Open an incident, or add to the open one of the same kind and key."""
        incident, started = await self._take(tx, codec.signal(request))
        return service_pb2.ReportSignalResponse(incident_id=incident.incident_id, clock_ids=started)

    async def record_facts(self, tx: Tx, request: service_pb2.RecordFactsRequest) -> service_pb2.RecordFactsResponse:
        """Add or correct facts of an open incident."""
        incident = await incidents.lock(tx.connection, request.incident_id)
        if incident is None:
            raise Refused("INCIDENT_UNKNOWN", "there is no such incident", field="incident_id")
        rules.refuse_closed(incident)
        await _append(tx, incident, codec.facts(request.facts), codec.anchors(request.anchors), request.source)
        return service_pb2.RecordFactsResponse(clock_ids=await self._clocks.reassess(tx, incident))

    async def on_generation_flagged(self, tx: Tx, fact: generation_pb2.GenerationFlagged) -> None:
        """Report an output that screening blocked. What a person should only look at is not illegal yet.

        The subject that the fact names is not stored: no incident holds a person in this service (promise 4).
        """
        if fact.verdict.decision != generation_model_pb2.DECISION_BLOCK:
            return
        categories = [hit.category for hit in fact.verdict.hits if hit.category]
        at = _no_later(fact.occurred_at if fact.HasField("occurred_at") else None, tx.now)
        signal = rules.illegal_content(fact.product, at, fact.generation_id, categories)
        await self._take(tx, signal)

    async def on_spread_detected(self, tx: Tx, fact: refutation_pb2.SpreadDetected) -> None:
        """Report a refuted claim that spreads."""
        at = _no_later(fact.window_end if fact.HasField("window_end") else None, tx.now)
        await self._take(tx, rules.rumour_spread(fact.claim_id, fact.level, fact.matches, at))

    async def take(self, tx: Tx, signal: Signal) -> tuple[str, list[str]]:
        """Read a signal of ours into its incident; the incident's id and the ids of the clocks that start."""
        incident, started = await self._take(tx, signal)
        return incident.incident_id, started

    async def _take(self, tx: Tx, signal: Signal) -> tuple[Incident, list[str]]:
        incident = await self._incident(tx, signal)
        known = rules.current(await incidents.facts(tx.connection, incident.incident_id))
        await incidents.add_signal(tx.connection, incident.incident_id, signal, tx.caller.name, tx.now)
        await _append(tx, incident, signal.told(known), signal.anchors, signal.source)
        return incident, await self._clocks.reassess(tx, incident)

    async def _incident(self, tx: Tx, signal: Signal) -> Incident:
        """The open incident of the signal's kind and key, else a new one; locked."""
        key = signal.correlation_key
        found = await incidents.lock_open(tx.connection, signal.kind, key) if key else None
        if found is not None:
            await incidents.update(tx.connection, rules.joined(found))
            return rules.joined(found)
        incident = rules.opened(signal, tx.new_id(), tx.now)
        await incidents.insert(tx.connection, incident)
        fact = facts_pb2.IncidentOpened(incident=codec.incident_message(incident))
        await tx.publish(fact, key=incident.incident_id)
        return incident


def _no_later(told: Timestamp | None, now: datetime) -> datetime:
    """When it was found: a backend's clock that is ahead of ours must not keep a duty from arising."""
    return min(codec.instant(told), now) if told else now


async def _append(tx: Tx, incident: Incident, told: dict[str, Json], anchors: tuple[Anchor, ...], source: str) -> None:
    """Append what is new among facts and anchors."""
    identifier, by = incident.incident_id, tx.caller.name
    known = rules.current(await incidents.facts(tx.connection, identifier))
    known_anchors = rules.effective(await incidents.anchors(tx.connection, identifier))
    earlier = rules.new_anchors(known_anchors, anchors, tx.now)
    await incidents.add_anchors(tx.connection, identifier, earlier, by, source, tx.now)
    await incidents.add_facts(tx.connection, identifier, rules.new_facts(known, told, tx.now, by, source))
