"""The registers' messages to domain and back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from candor.escalation.v1 import register_pb2
from candor.rights.v1 import model_pb2 as rights_model_pb2

from candor_escalation import codec
from candor_escalation.domain import register, transfer
from candor_escalation.domain.incident import Json
from candor_escalation.domain.register import Entry, Gate
from candor_escalation.domain.transfer import Item

_REGISTERS = {
    register.ALGORITHM_FILING: register_pb2.REGISTER_ALGORITHM_FILING,
    register.SECURITY_ASSESSMENT: register_pb2.REGISTER_SECURITY_ASSESSMENT,
    register.ALGORITHM_REVIEW: register_pb2.REGISTER_ALGORITHM_REVIEW,
    register.MODEL_RELEASE: register_pb2.REGISTER_MODEL_RELEASE,
    register.TECHNOLOGY_TRANSFER: register_pb2.REGISTER_TECHNOLOGY_TRANSFER,
    register.AUTHORITY_ORDER: register_pb2.REGISTER_AUTHORITY_ORDER,
    register.DRILL: register_pb2.REGISTER_DRILL,
}
_NAMES = {number: name for name, number in _REGISTERS.items()}
_EVENTS = {
    register_pb2.SERVICE_EVENT_START: "start",
    register_pb2.SERVICE_EVENT_CHANGE: "change",
    register_pb2.SERVICE_EVENT_END: "end",
}
_OUTCOMES = {
    transfer.CLEAR: register_pb2.TRANSFER_OUTCOME_CLEAR,
    transfer.DECISION_NEEDED: register_pb2.TRANSFER_OUTCOME_DECISION_NEEDED,
    transfer.PROHIBITED: register_pb2.TRANSFER_OUTCOME_PROHIBITED,
    transfer.ALLOWED: register_pb2.TRANSFER_OUTCOME_ALLOWED,
    transfer.TURNED_DOWN: register_pb2.TRANSFER_OUTCOME_REFUSED,
}


def register_name(number: register_pb2.Register.ValueType) -> str:
    """What the domain calls a register."""
    return _NAMES[number]


def event_name(number: register_pb2.ServiceEvent.ValueType) -> str:
    """Start, change or end."""
    return _EVENTS[number]


def order_kind(number: register_pb2.OrderKind.ValueType) -> str:
    """What an order orders: remove_content, …."""
    return register_pb2.OrderKind.Name(number).removeprefix("ORDER_KIND_").lower()


def outcome(state: str) -> register_pb2.TransferOutcome.ValueType:
    """The state of a transfer."""
    return _OUTCOMES[state]


def told_entry(request: register_pb2.RecordEntryRequest, entry_id: str, by: str, now: datetime) -> Entry:
    """What was told, as the first version of an entry."""
    return Entry(
        entry_id=entry_id,
        register=register_name(request.register),
        version=1,
        title=request.title,
        product=request.product,
        state=request.state,
        fields=codec.facts(request.fields),
        recorded_at=now,
        recorded_by=by,
        evidence_sha256=request.evidence_sha256,
        valid_until=codec.instant(request.valid_until) if request.HasField("valid_until") else None,
    )


def entry_message(entry: Entry) -> register_pb2.RegisterEntry:
    """One version of an entry."""
    return register_pb2.RegisterEntry(
        entry_id=entry.entry_id,
        register=_REGISTERS[entry.register],
        version=entry.version,
        title=entry.title,
        product=entry.product,
        state=entry.state,
        fields=codec.values(entry.fields),
        evidence_sha256=entry.evidence_sha256,
        valid_until=codec.timestamp(entry.valid_until),
        recorded_at=codec.timestamp(entry.recorded_at),
        recorded_by=entry.recorded_by,
        incident_id=entry.incident_id or "",
    )


def effect(proof: rights_model_pb2.Proof) -> str:
    """What a holder proved of a model, in words."""
    outcome_name = rights_model_pb2.Outcome.Name(proof.outcome).removeprefix("OUTCOME_").lower()
    counts = ", ".join(f"{kind.count} {kind.kind}" for kind in proof.kinds)
    return f"{outcome_name} {codec.instant(proof.completed_at).isoformat()}{f' ({counts})' if counts else ''}"


def gate_message(gate: Gate) -> register_pb2.Gate:
    """A gate before a release."""
    return register_pb2.Gate(name=gate.name, citation=gate.citation, passed=gate.passed, detail=gate.detail)


def item_messages(items: Iterable[Item]) -> list[register_pb2.CatalogueItem]:
    """Items that a transfer may concern."""
    return [
        register_pb2.CatalogueItem(
            number=item.number, title=item.title, citation=item.citation, prohibited=item.prohibited
        )
        for item in items
    ]


def filing(entry: Entry) -> Mapping[str, Json]:
    """What is public of a filing: the number and where it can be looked up.

    Source: Algorithm Provisions 26
    """
    return {
        "product": entry.product,
        "title": entry.title,
        "number": entry.fields.get("number"),
        "link": entry.fields.get("link"),
    }
