"""Legal holds: when they last, what they say to whoever asks for erasure, and what only their key opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor.generation.v1 import hold_pb2
from candor_generation import hold_codec, sealing
from candor_generation.domain import hold
from candor_generation.domain.hold import Hold, Restriction, State
from candor_generation.domain.refusal import Refused
from candor_kit import validation
from candor_kit.errors import Refusal
from candor_kit.keys import Cipher, new_key
from cryptography.exceptions import InvalidTag
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACED = Hold("h", False, "incident-1", "evidence", "GDPR 17(3)(e)", "officer", NOW, NOW + timedelta(days=30))
ID = "01990000-0000-7000-8000-000000000001"
OTHER_ID = "01990000-0000-7000-8000-000000000002"


@pytest.mark.clause("PIPL 47", "GDPR 17(3)")
def test_pipl_47_a_hold_lasts_until_its_time_or_its_release_and_is_then_executed() -> None:
    assert PLACED.state(NOW) is State.ACTIVE
    assert PLACED.state(PLACED.until - timedelta(microseconds=1)) is State.ACTIVE
    assert PLACED.state(PLACED.until) is State.ENDED
    released = hold.release(PLACED, NOW)
    assert released.state(NOW) is State.ENDED
    assert replace(released, executed_at=NOW).state(NOW) is State.EXECUTED
    with pytest.raises(Refused, match="HOLD_STATE"):
        hold.release(released, NOW)
    with pytest.raises(Refused, match="HOLD_STATE"):
        hold.release(PLACED, PLACED.until)


def test_a_hold_is_placed_for_the_future() -> None:
    assert hold.place(PLACED, NOW) is PLACED
    with pytest.raises(Refused, match="HOLD_TIME_PAST"):
        hold.place(PLACED, PLACED.until)


@pytest.mark.parametrize("days", [1, 60])
def test_a_hold_that_is_placed_again_is_never_shortened(days: int) -> None:
    asked = replace(PLACED, until=NOW + timedelta(days=days), reason="more evidence")
    wider = hold.widen(PLACED, asked, NOW)
    assert wider.until == NOW + timedelta(days=max(days, 30))
    assert (wider.reason, wider.placed_at) == ("more evidence", NOW)


@pytest.mark.parametrize("other", [replace(PLACED, of_subject=True), replace(PLACED, incident_id="incident-2")])
def test_a_hold_keeps_its_scope(other: Hold) -> None:
    with pytest.raises(Refused, match="HOLD_STATE"):
        hold.widen(PLACED, other, NOW)


def test_a_hold_that_has_ended_is_not_taken_up_again() -> None:
    asked = replace(PLACED, until=NOW + timedelta(days=90))
    with pytest.raises(Refused, match="HOLD_STATE"):
        hold.widen(PLACED, asked, PLACED.until)
    with pytest.raises(Refused, match="HOLD_STATE"):
        hold.widen(hold.release(PLACED, NOW), asked, NOW)


@pytest.mark.clause("PIPL 47", "GDPR 18(2)")
@given(st.lists(st.tuples(st.text("ab", min_size=1), st.integers(1, 1000)), max_size=6))
def test_pipl_47_who_asks_is_told_every_ground_once_and_the_last_end(given_holds: list[tuple[str, int]]) -> None:
    holds = [
        replace(PLACED, hold_id=str(number), citation=citation, until=NOW + timedelta(days=days))
        for number, (citation, days) in enumerate(given_holds)
    ]
    said = hold.restriction(holds)
    assert said.until == max((found.until for found in holds), default=None)
    assert sorted(said.basis.split("; ")) == sorted({found.citation for found in holds} or {""})


def test_what_is_told_of_the_grounds_fits_a_proof() -> None:
    said = Restriction()
    for number in range(10):
        said = said.also(f"{number} " + "x" * 198, NOW)
    assert len(said.basis) == 500


@pytest.mark.clause("PIPL 47", "GDPR 17(3)")
@given(st.binary(min_size=32, max_size=32), st.from_regex("[A-Za-z0-9_.:-]{1,128}", fullmatch=True))
def test_gdpr_17_3_only_the_hold_opens_what_it_keeps(record_key: bytes, subject: str) -> None:
    key, other = Cipher(new_key()), Cipher(new_key())
    wrapped = sealing.hold(key, record_key, subject, ID)
    assert sealing.unhold(key, wrapped, ID) == (record_key, subject)
    assert subject.encode() not in wrapped or len(subject) < 3
    for cipher, name in ((other, ID), (key, OTHER_ID)):
        with pytest.raises(InvalidTag):
            sealing.unhold(cipher, wrapped, name)


def test_whom_a_hold_covers_is_sealed_to_that_hold() -> None:
    key = new_key()
    sealed = sealing.name_subject(key, "anna", ID)
    assert sealing.named_subject(key, sealed, ID) == "anna"
    with pytest.raises(InvalidTag):
        sealing.named_subject(key, sealed, OTHER_ID)


def _place(**fields: object) -> hold_pb2.PlaceHoldRequest:
    until = Timestamp()
    until.FromDatetime(NOW)
    given_fields = {"command_id": ID, "reason": "r", "citation": "GDPR 17(3)(e)", "until": until, **fields}
    return hold_pb2.PlaceHoldRequest(**given_fields)  # type: ignore[arg-type]  # whatever a caller may send


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "anna"},
        {"generation_ids": [ID]},
        {"generation_ids": [ID, OTHER_ID], "incident_id": "inc-1", "hold_id": OTHER_ID},
    ],
)
def test_a_hold_has_one_scope(fields: dict[str, object]) -> None:
    validation.check(_place(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"subject": "anna", "generation_ids": [ID]},
        {"subject": "anna", "incident_id": "inc-1"},
        {"incident_id": "inc-1"},
        {"generation_ids": ["no id"]},
        {"subject": "an na"},
        {"subject": "anna", "hold_id": "no id"},
        {"subject": "anna", "citation": ""},
        {"subject": "anna", "citation": "anna@example.com"},
        {"subject": "anna", "reason": ""},
    ],
)
def test_what_has_no_or_two_scopes_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        validation.check(_place(**fields))


def test_a_hold_is_named_by_its_command_where_nothing_else_is_said() -> None:
    named = hold_codec.hold_of(_place(subject="anna"), "officer", NOW)
    assert (named.hold_id, named.of_subject, named.placed_by) == (ID, True, "officer")
    assert hold_codec.hold_of(_place(generation_ids=[ID], hold_id=OTHER_ID.upper()), "o", NOW).hold_id == OTHER_ID


def test_pages_go_on_where_they_ended_and_only_with_tokens_of_ours() -> None:
    placed = replace(PLACED, hold_id=ID)
    assert hold_codec.after("") is None
    assert hold_codec.after(hold_codec.token(placed)) == (NOW, ID)
    for token in ("x", "AAAA", hold_codec.token(replace(PLACED, hold_id="' OR 1"))):
        with pytest.raises(Refusal):
            hold_codec.after(token)


def test_what_is_told_of_a_hold_names_nobody() -> None:
    message = hold_codec.hold_message(replace(PLACED, of_subject=True, released_at=NOW, restricted=3), NOW)
    assert (message.state, message.restricted) == (hold_pb2.HOLD_STATE_ENDED, 3)
    assert message.released_at.ToDatetime(tzinfo=UTC) == NOW
    assert not any("subject" in field.name for field in message.DESCRIPTOR.fields if field.name != "of_subject")
