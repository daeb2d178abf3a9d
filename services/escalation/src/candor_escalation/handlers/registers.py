"""Registers: entries recorded, service events and orders turned into incidents, releases and transfers decided."""

from collections.abc import Mapping
from dataclasses import replace

from candor.escalation.v1 import facts_pb2, register_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor_kit import log
from candor_kit.transaction import Tx

from candor_escalation import codec, register_codec
from candor_escalation.domain import incident as incident_rules
from candor_escalation.domain import register as rules
from candor_escalation.domain import transfer
from candor_escalation.domain.incident import Json
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.register import Entry
from candor_escalation.domain.transfer import Item
from candor_escalation.handlers.entries import append
from candor_escalation.handlers.signals import Signals
from candor_escalation.store import registers

_LOG = log.get(__name__)
_AT_ONCE = 20
"""Entries that one transaction tells of at most."""


class Registers:
    """What is kept on record for authorities. ``profile``: of the company, ``catalogue``: what may not just leave."""

    def __init__(self, signals: Signals, profile: Mapping[str, object], catalogue: tuple[Item, ...]) -> None:
        self._signals = signals
        self._profile = profile
        self._catalogue = catalogue

    async def record_entry(self, tx: Tx, request: register_pb2.RecordEntryRequest) -> register_pb2.RecordEntryResponse:
        """Record an entry, or the next version of one."""
        told = register_codec.told_entry(request, request.entry_id or tx.new_id(), tx.caller.name, tx.now)
        if request.entry_id:
            told = rules.following(await self._locked(tx, request.entry_id), told)
        elif told.register == rules.AUTHORITY_ORDER:
            raise Refused("ENTRY_UNKNOWN", "an order is recorded by RecordOrder, and answered here", field="entry_id")
        entry = await append(tx, rules.check(told))
        return register_pb2.RecordEntryResponse(entry_id=entry.entry_id, version=entry.version)

    async def report_service_event(
        self, tx: Tx, request: register_pb2.ReportServiceEventRequest
    ) -> register_pb2.ReportServiceEventResponse:
        """Start the clocks to file, to change or to cancel.

        Source: Algorithm Provisions 24
        """
        signal = rules.service_event(
            request.product,
            register_codec.event_name(request.event),
            codec.instant(request.at),
            request.description,
            codec.facts(request.facts),
        )
        incident, change = await self._signals.take(tx, signal)
        return register_pb2.ReportServiceEventResponse(incident_id=incident.incident_id, clock_ids=change.begun)

    async def release_model(
        self, tx: Tx, request: register_pb2.ReleaseModelRequest
    ) -> register_pb2.ReleaseModelResponse:
        """Release a model, if every gate is passed; the gates are kept with the release.

        Source: Generative AI Measures 17
        """
        found = rules.gates(
            request.product,
            await registers.of_product(tx.connection, request.product),
            self.public_opinion,
            tx.now,
        )
        rules.refuse_shut(found)
        entry = Entry(
            entry_id=tx.new_id(),
            register=rules.MODEL_RELEASE,
            version=1,
            title=request.model,
            product=request.product,
            state=rules.RELEASED,
            fields={gate.name: gate.detail for gate in found},
            recorded_at=tx.now,
            recorded_by=tx.caller.name,
            evidence_sha256=request.training_data_sha256,
        )
        await append(tx, entry)
        return register_pb2.ReleaseModelResponse(entry_id=entry.entry_id)

    async def screen_transfer(
        self, tx: Tx, request: register_pb2.ScreenTransferRequest
    ) -> register_pb2.ScreenTransferResponse:
        """Screen a transfer against the catalogues and keep what came of it.

        Source: Technology Import and Export Regulations 29
        """
        items = transfer.concerned(request.technology, request.origin, request.destination, self._catalogue)
        fields: dict[str, Json] = {
            "technology": request.technology,
            "origin": request.origin,
            "destination": request.destination,
            "recipient": request.recipient,
            "items": [item.number for item in items],
            "screened_by": tx.caller.name,
        }
        entry = Entry(
            entry_id=tx.new_id(),
            register=rules.TECHNOLOGY_TRANSFER,
            version=1,
            title=request.title,
            product="",
            state=transfer.screened(items),
            fields=fields,
            recorded_at=tx.now,
            recorded_by=tx.caller.name,
        )
        await append(tx, entry)
        return register_pb2.ScreenTransferResponse(
            entry_id=entry.entry_id,
            outcome=register_codec.outcome(entry.state),
            items=register_codec.item_messages(items),
        )

    async def decide_transfer(
        self, tx: Tx, request: register_pb2.DecideTransferRequest
    ) -> register_pb2.DecideTransferResponse:
        """Allow or refuse a transfer, by another person than who asked for the screening."""
        before = await self._locked(tx, request.entry_id)
        rules.refuse_other(before, rules.TECHNOLOGY_TRANSFER)
        state = transfer.decide(
            before.state,
            str(before.fields["screened_by"]),
            tx.caller.name,
            allow=request.allow,
            licence=request.licence,
        )
        decision: dict[str, Json] = {"reason": request.reason, "licence": request.licence}
        entry = replace(
            before,
            version=before.version + 1,
            state=state,
            fields={**before.fields, **decision},
            recorded_at=tx.now,
            recorded_by=tx.caller.name,
        )
        await append(tx, entry)
        return register_pb2.DecideTransferResponse(outcome=register_codec.outcome(state))

    async def record_order(self, tx: Tx, request: register_pb2.RecordOrderRequest) -> register_pb2.RecordOrderResponse:
        """Record an authority's order and open its incident; a model's deletion goes over to the rights service.

        Source: DSA 9(1); Deep Synthesis 21
        """
        received_at = codec.instant(request.received_at)
        incident_rules.refuse_future(received_at, tx.now, "the receipt of the order")
        entry = _order(request, tx)
        due_at = codec.instant(request.due_at) if request.HasField("due_at") else None
        incident, change = await self._signals.take(tx, rules.order_received(entry, received_at, due_at))
        await append(tx, replace(entry, incident_id=incident.incident_id))
        if request.kind == register_pb2.ORDER_KIND_DELETE_MODEL:
            fact = facts_pb2.ModelDeletionOrdered(
                entry_id=entry.entry_id,
                incident_id=incident.incident_id,
                holder_id=request.holder_id,
                ordered_at=codec.timestamp(tx.now),
            )
            await tx.publish(fact, key=entry.entry_id)
        return register_pb2.RecordOrderResponse(
            entry_id=entry.entry_id, incident_id=incident.incident_id, clock_ids=change.begun
        )

    async def on_model_deletion_answered(self, tx: Tx, fact: rights_pb2.ModelDeletionAnswered) -> None:
        """Note in the order's entry that the model's holder has proved what became of the model."""
        before = await registers.lock(tx.connection, fact.order_id)
        if before is None or before.register != rules.AUTHORITY_ORDER:
            _LOG.warning("an order that is not in the register was answered", entry_id=fact.order_id)
            return
        await append(tx, rules.model_answered(before, register_codec.effect(fact.proof), tx.caller.name, tx.now))

    async def run_out(self, tx: Tx) -> int:
        """Open an incident for each entry that is about to cease to hold, once; how many there were.

        Source: Deep Synthesis 15
        """
        found = await registers.run_out_by(tx.connection, tx.now + rules.LEAD, _AT_ONCE)
        for entry in found:
            await registers.told(tx.connection, entry, tx.now)
            await self._signals.take(tx, rules.running_out(entry, tx.now))
        return len(found)

    @property
    def public_opinion(self) -> Json:
        """Whether the company's services can shape public opinion; None where the profile does not say."""
        said = self._profile.get("public_opinion")
        return said if isinstance(said, bool) else None

    async def _locked(self, tx: Tx, entry_id: str) -> Entry:
        entry = await registers.lock(tx.connection, entry_id)
        if entry is None:
            raise Refused("ENTRY_UNKNOWN", "there is no such entry", field="entry_id")
        return entry


def _order(request: register_pb2.RecordOrderRequest, tx: Tx) -> Entry:
    fields: dict[str, Json] = {
        "kind": register_codec.order_kind(request.kind),
        "authority": request.authority,
        "reference": request.reference,
        "jurisdiction": request.jurisdiction,
        "text": request.text,
        "received_at": codec.instant(request.received_at).isoformat(),
        "holder_id": request.holder_id,
    }
    return Entry(
        entry_id=tx.new_id(),
        register=rules.AUTHORITY_ORDER,
        version=1,
        title=f"{request.authority}: {request.reference}"[:300],
        product="",
        state=rules.RECEIVED,
        fields=fields,
        recorded_at=tx.now,
        recorded_by=tx.caller.name,
        evidence_sha256=request.evidence_sha256,
    )
