"""The leaf of a compliance act, and whom a fact names."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from candor.consent.v1 import facts_pb2 as consent_facts
from candor.escalation.v1 import facts_pb2 as escalation_facts
from candor.generation.v1 import facts_pb2 as generation_facts
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.rights.v1 import facts_pb2 as rights_facts
from candor_generation.domain import act, leaf
from candor_generation.domain.act import Act, ActOpening
from candor_generation.domain.evidence import EvidenceError
from candor_generation.domain.leaf import LeafError
from candor_generation.handlers.acts import subject_of
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

FACTS = [
    descriptor
    for module in (consent_facts, escalation_facts, generation_facts, refutation_facts, rights_facts)
    for descriptor in module.DESCRIPTOR.message_types_by_name.values()
]
NAMING = [descriptor for descriptor in FACTS if "subject" in descriptor.fields_by_name]
KEY, FACT = bytes(range(32)), b"\x0a\x04fact"
MADE = Act(
    "candor.consent",
    "01a20387-f5b9-703f-937d-3280cbb75ead",
    "candor.consent.v1.ConsentGranted",
    datetime(2026, 11, 22, 8, 0, 0, 250_000, tzinfo=UTC),
    act.commit(KEY, "candor.consent.v1.ConsentGranted", FACT),
)


def test_an_act_is_these_bytes() -> None:
    commitment = hmac.new(KEY, b"candor.consent.v1.ConsentGranted\x00\x0a\x04fact", hashlib.sha256).hexdigest()
    assert act.encode(MADE).decode() == (
        f'{{"commitment":"{commitment}","id":"01a20387-f5b9-703f-937d-3280cbb75ead","kind":"act",'
        '"source":"candor.consent","time":"2026-11-22T08:00:00.250000Z","type":"candor.consent.v1.ConsentGranted","v":1}'
    )


@given(st.text(), st.text(), st.text(), st.datetimes(timezones=st.just(UTC)), st.binary(min_size=32, max_size=32))
def test_an_act_is_read_back(source: str, fact_id: str, kind: str, at: datetime, commitment: bytes) -> None:
    made = Act(source, fact_id, kind, at.replace(year=max(at.year, 1000)), commitment)
    entry = act.encode(made)
    assert act.decode(entry) == made
    assert act.is_act(entry)
    with pytest.raises(LeafError):
        act.decode(entry + b" ")


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b"\xff",
        b"[" * 100_000,
        act.encode(MADE).replace(b'"kind":"act"', b'"kind":"deed"'),
        act.encode(MADE).replace(b'"v":1', b'"v":2'),
        leaf.encode_act(act.KIND, MADE.at, {"commitment": "00", "id": "1", "source": "s", "type": "t"}),
        leaf.encode_act(act.KIND, MADE.at, {"commitment": "00" * 32, "id": 1, "source": "s", "type": "t", "x": "y"}),
    ],
)
def test_what_is_no_act_is_refused(entry: bytes) -> None:
    with pytest.raises(LeafError):
        act.decode(entry)


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_an_act_opens_to_its_fact_alone() -> None:
    entry = act.encode(MADE)
    act.check_opening(entry, ActOpening(KEY, FACT))
    for wrong in (ActOpening(KEY, FACT + b"\x00"), ActOpening(bytes(32), FACT), ActOpening(KEY, b"")):
        with pytest.raises(EvidenceError):
            act.check_opening(entry, wrong)
    # The type is committed to with the bytes, which may be a valid message of another type too.
    other = act.encode(Act(MADE.source, MADE.fact_id, "candor.consent.v1.ConsentWithdrawn", MADE.at, MADE.commitment))
    with pytest.raises(EvidenceError):
        act.check_opening(other, ActOpening(KEY, FACT))


def test_facts_name_persons() -> None:
    assert len(NAMING) >= 8


@pytest.mark.parametrize("descriptor", NAMING, ids=lambda descriptor: descriptor.full_name)
@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_whom_a_fact_names_is_found_so_that_it_can_be_erased_with_them(descriptor: Descriptor) -> None:
    value = GetMessageClass(descriptor)(subject="account-7").SerializeToString()
    assert subject_of(descriptor.full_name, value) == "account-7"


def test_a_fact_that_names_nobody_or_cannot_be_read_names_nobody() -> None:
    kind = MADE.type
    assert subject_of(kind, b"") is None
    assert subject_of(kind, b"\xff\xff") is None
    assert subject_of("candor.consent.v9.Unheard", FACT) is None
