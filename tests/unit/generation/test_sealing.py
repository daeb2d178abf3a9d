"""A payload opens with its own keys in its own record only (PIPL 47, GDPR 17)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from candor_generation import sealing
from candor_generation.domain.generation import Payload
from cryptography.exceptions import InvalidTag

SUBJECT_KEY, RECORD_KEY = bytes(32), b"\x01" * 32
PAYLOAD = Payload("user-1", "你好", "a\x00b")


def test_a_payload_is_read_back_through_both_keys() -> None:
    personal = sealing.seal_record(SUBJECT_KEY, RECORD_KEY, "one", PAYLOAD)
    assert sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "one") == RECORD_KEY
    assert sealing.open_payload(RECORD_KEY, "one", personal) == PAYLOAD
    assert "你好".encode() not in personal.payload
    assert RECORD_KEY not in personal.wrapped_key


def test_nothing_opens_under_another_key_or_in_another_record() -> None:
    personal = sealing.seal_record(SUBJECT_KEY, RECORD_KEY, "one", PAYLOAD)
    with pytest.raises(InvalidTag):
        sealing.unwrap(RECORD_KEY, personal.wrapped_key, "one")
    with pytest.raises(InvalidTag):
        sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "two")
    with pytest.raises(InvalidTag):
        sealing.open_payload(RECORD_KEY, "two", personal)
    with pytest.raises(InvalidTag):
        sealing.open_payload(RECORD_KEY, "one", replace(personal, payload=personal.wrapped_key))


def test_a_key_wrapped_anew_opens_under_the_new_key_only() -> None:
    personal = sealing.seal_record(SUBJECT_KEY, RECORD_KEY, "one", PAYLOAD)
    new_key = b"\x02" * 32
    again = sealing.wrap(new_key, sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "one"), "one")
    assert sealing.unwrap(new_key, again, "one") == RECORD_KEY
    with pytest.raises(InvalidTag):
        sealing.unwrap(SUBJECT_KEY, again, "one")
