"""Which facts tell of an incident, and that what is kept of them names no person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from candor.escalation.v1 import facts_pb2, model_pb2
from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor_escalation.handlers import acts
from candor_escalation.store.acts import Act
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
INCIDENT = "01a20387-f5b9-703f-937d-3280cbb75ead"
FACTS = [GetMessageClass(descriptor) for descriptor in facts_pb2.DESCRIPTOR.message_types_by_name.values()]


def filled(message: Message) -> Message:
    """A message with the incident's id wherever it can stand."""
    for field in message.DESCRIPTOR.fields:
        if field.name == "incident_id":
            setattr(message, field.name, INCIDENT)
        elif _is_part(field):
            filled(getattr(message, field.name)).SetInParent()
    return message


def _is_part(field: Any) -> bool:
    kind = field.message_type
    return kind is not None and not field.is_repeated and kind.full_name.startswith("candor.escalation")


def act_of(fact: Message) -> Act:
    return Act(INCIDENT, INCIDENT, fact.DESCRIPTOR.full_name, fact.SerializeToString(), AT)


def names(descriptor: Any, field: str) -> bool:
    return any(each.name == field or (_is_part(each) and names(each.message_type, field)) for each in descriptor.fields)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.DESCRIPTOR.name)
def test_every_fact_that_can_name_an_incident_is_an_act_of_it(fact: type[Message]) -> None:
    expected = INCIDENT if names(fact.DESCRIPTOR, "incident_id") else None
    assert acts.incident_of(filled(fact())) == expected


@pytest.mark.parametrize("wrong", ["", "none", "1"])
def test_what_is_no_id_is_no_incident(wrong: str) -> None:
    assert acts.incident_of(facts_pb2.PageSent(incident_id=wrong)) is None


def test_a_fact_says_what_it_says_by_its_own_names() -> None:
    fact = facts_pb2.ReceiptRecorded(
        incident_id=INCIDENT,
        submission=model_pb2.Submission(
            revision=2, receipt=model_pb2.Receipt(reference="R\x007", proof_sha256=b"\x00")
        ),
    )
    assert acts.told(act_of(fact)) == {
        "incident_id": INCIDENT,
        "submission": {"revision": 2, "receipt": {"reference": "R\x007", "proof_sha256": "AA=="}},
    }


@pytest.mark.parametrize(
    "fact",
    [
        generation_pb2.GenerationFlagged(subject="acct-7", product="chat"),
        rights_pb2.TaskAsked(subject="acct-7", holder_id="crm"),
    ],
)
def test_the_subject_of_a_fact_is_not_kept(fact: Message) -> None:
    kept = acts.impersonal(fact)
    assert kept.ListFields()
    assert b"acct-7" not in kept.SerializeToString()


def test_what_json_cannot_say_is_left_out_and_no_error() -> None:
    said = facts_pb2.RegisterEntryRecorded()
    said.entry.fields["persons"].number_value = float("nan")
    assert acts.told(act_of(said)) == {}
