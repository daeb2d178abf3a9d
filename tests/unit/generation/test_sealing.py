"""A payload opens with its own keys in its own record only (PIPL 47, GDPR 17)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from candor_generation import sealing
from candor_generation.domain.generation import Payload
from candor_generation.domain.record import Personal
from candor_generation.sealing import RANDOM_BYTES, Sealer
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUBJECT_KEY = bytes(32)
PAYLOAD = Payload("user-1", "你好", "a\x00b")


def sealed(identifier: str) -> tuple[bytes, Personal]:
    """A record's key, and what is kept of it."""
    sealer, name = Sealer(1), identifier.encode()
    key = sealer.new_key()
    payload = sealer.payload(key, name, PAYLOAD.prompt.encode(), PAYLOAD.output.encode())
    return key, Personal(PAYLOAD.subject, payload, sealer.wrap(AESGCM(SUBJECT_KEY), key, name))


def test_a_payload_is_read_back_through_both_keys() -> None:
    key, personal = sealed("one")
    assert sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "one") == key
    assert sealing.open_payload(key, "one", personal) == PAYLOAD
    assert "你好".encode() not in personal.payload
    assert key not in personal.wrapped_key


def test_nothing_opens_under_another_key_or_in_another_record() -> None:
    key, personal = sealed("one")
    with pytest.raises(InvalidTag):
        sealing.unwrap(key, personal.wrapped_key, "one")
    with pytest.raises(InvalidTag):
        sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "two")
    with pytest.raises(InvalidTag):
        sealing.open_payload(key, "two", personal)
    with pytest.raises(InvalidTag):
        sealing.open_payload(key, "one", replace(personal, payload=personal.wrapped_key))


def test_a_key_wrapped_anew_opens_under_the_new_key_only() -> None:
    key, personal = sealed("one")
    new_key = b"\x02" * 32
    again = sealing.wrap(new_key, sealing.unwrap(SUBJECT_KEY, personal.wrapped_key, "one"), "one")
    assert sealing.unwrap(new_key, again, "one") == key
    with pytest.raises(InvalidTag):
        sealing.unwrap(SUBJECT_KEY, again, "one")


def test_no_two_records_share_a_key_or_a_nonce() -> None:
    sealer = Sealer(50)
    keys, nonces = set(), set()
    for number in range(50):
        name = str(number).encode()
        key = sealer.new_key()
        keys.add(key)
        nonces |= {sealer.payload(key, name, b"", b"")[:12], sealer.wrap(AESGCM(SUBJECT_KEY), key, name)[:12]}
    assert (len(keys), len(nonces)) == (50, 100)
    assert {len(key) for key in keys} == {32}
    assert RANDOM_BYTES == 32 + 12 + 12
