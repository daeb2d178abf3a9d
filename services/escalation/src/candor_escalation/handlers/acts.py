"""What was done in an incident: the facts this service publishes, kept by incident with the ids they are proven by."""

from collections.abc import Iterator, Sequence
from functools import cache

from candor.escalation.v1 import act_pb2, facts_pb2
from candor_kit.envelope import Heard
from candor_kit.ids import is_uuid
from candor_kit.query import Query
from candor_kit.transaction import Tx
from candor_kit.validation import parts
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from candor_escalation import codec
from candor_escalation.domain.incident import Json
from candor_escalation.page_token import PAGE_SIZE
from candor_escalation.store import acts
from candor_escalation.store.acts import Act, Note, Numbered

_PERSONAL = "subject"
_TYPES = {
    descriptor.full_name: GetMessageClass(descriptor)
    for descriptor in facts_pb2.DESCRIPTOR.message_types_by_name.values()
}


async def hear(tx: Tx, heard: Sequence[Heard]) -> None:
    """Keep the facts that tell of an incident, in the transaction that publishes them.

    What a fact says is kept without the subject: no row of this service names a person (promise 4).
    """
    found = [act for item in heard if (act := _act(tx, item)) is not None]
    if found:
        await acts.insert(tx.connection, found)


async def list_acts(query: Query, request: act_pb2.ListActsRequest) -> act_pb2.ListActsResponse:
    """The acts of an incident in order."""
    limit = request.page_size or PAGE_SIZE
    after = int(request.page_token or 0)
    found = await acts.of_incident(query.connection, request.incident_id, after=after, limit=limit + 1)
    shown = found[:limit]
    return act_pb2.ListActsResponse(
        acts=[_act_message(item) for item in shown],
        next_page_token=str(shown[-1].number) if len(found) > limit else "",
    )


async def list_latest_acts(query: Query, request: act_pb2.ListLatestActsRequest) -> act_pb2.ListLatestActsResponse:
    """The latest acts of all incidents."""
    found = await acts.latest(query.connection, request.page_size or PAGE_SIZE)
    return act_pb2.ListLatestActsResponse(acts=[_act_message(item) for item in found])


async def list_notes(query: Query, request: act_pb2.ListNotesRequest) -> act_pb2.ListNotesResponse:
    """The signals and anchors of an incident in order."""
    found = await acts.notes(query.connection, request.incident_id)
    return act_pb2.ListNotesResponse(notes=[_note_message(note) for note in found])


def incident_of(fact: Message) -> str | None:
    """The incident that a fact names, itself or in what it carries; None where it names none."""
    return next(_incidents(fact), None)


def impersonal(fact: Message) -> Message:
    """The fact without the subjects it names, wherever in it."""
    if not _names_persons(fact.DESCRIPTOR):
        return fact
    for field, value in fact.ListFields():
        if field.name == _PERSONAL:
            fact.ClearField(_PERSONAL)
        for part in parts(field, value):
            if isinstance(part, Message):
                impersonal(part)
    return fact


@cache
def _names_persons(kind: Descriptor) -> bool:
    """Whether a message of a kind can name a subject, itself or in what it carries."""
    if not kind.full_name.startswith("candor."):
        return False
    carried = (field.message_type for field in kind.fields if field.message_type not in {None, kind})
    return _PERSONAL in kind.fields_by_name or any(map(_names_persons, carried))


def told(act: Act) -> dict[str, Json]:
    """What an act says, as protobuf JSON by its own field names; empty for what JSON cannot say, as NaN."""
    known = _TYPES.get(act.type)
    try:
        return json_format.MessageToDict(known.FromString(act.value), preserving_proto_field_name=True) if known else {}
    except json_format.Error:
        return {}


def _act(tx: Tx, item: Heard) -> Act | None:
    """The act that a fact is; None for one that tells of no incident."""
    known = _TYPES.get(item.head.type)
    fact = known.FromString(item.value) if known else None
    incident_id = incident_of(fact) if fact else None
    if fact is None or incident_id is None:
        return None
    value = impersonal(fact).SerializeToString(deterministic=True)
    return Act(incident_id, item.head.id, item.head.type, value, tx.now)


def _incidents(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name == "incident_id" and is_uuid(value):
            yield value
        elif field.message_type is not None and not field.is_repeated:
            yield from _incidents(value)


def _act_message(item: Numbered) -> act_pb2.IncidentAct:
    act = item.act
    message = act_pb2.IncidentAct(
        fact_id=act.fact_id,
        incident_id=act.incident_id,
        type=act.type,
        recorded_at=codec.timestamp(act.recorded_at),
    )
    message.told.update(told(act))
    return message


def _note_message(note: Note) -> act_pb2.IncidentNote:
    return act_pb2.IncidentNote(
        kind=note.kind,
        name=note.name,
        at=codec.timestamp(note.at),
        evidence=note.evidence,
        recorded_at=codec.timestamp(note.recorded_at),
        recorded_by=note.recorded_by,
        source=note.source,
    )
