"""How a record's payload is kept: sealed under the record's own random key, which the subject's key wraps.

Destroying the wrap deletes one record; destroying the subject's key erases the person (PIPL 47, GDPR 17). What a legal
hold keeps beyond that is wrapped by the hold's key, together with whose it was.
"""

from __future__ import annotations

import os

from candor_kit.keys import KEY_BYTES, Cipher, open_sealed, seal
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from candor_generation.domain.generation import Payload
from candor_generation.domain.record import Personal

RANDOM_BYTES = 56
"""What sealing one record uses up: its key of 32 bytes, and two nonces of 12."""

_KEY = b"candor.generation.key:"
_PAYLOAD = b"candor.generation.payload:"
_HELD = b"candor.generation.held:"
_SUBJECT = b"candor.generation.hold:"
_LENGTH = 4


class Sealer:
    """Seals records one after the other, with randomness drawn for all of them at once."""

    def __init__(self, records: int) -> None:
        self._random = os.urandom(records * RANDOM_BYTES)
        self._at = 0

    def new_key(self) -> bytes:
        """A record's key. The nonces that follow it are this record's too."""
        self._at += RANDOM_BYTES
        return self._random[self._at - RANDOM_BYTES : self._at - 24]

    def payload(self, record_key: bytes, generation_id: bytes, prompt: bytes, output: bytes) -> bytes:
        """Seal a payload under the key that was made last."""
        nonce = self._random[self._at - 24 : self._at - 12]
        plain = len(prompt).to_bytes(_LENGTH, "big") + prompt + output
        return nonce + AESGCM(record_key).encrypt(nonce, plain, _PAYLOAD + generation_id)

    def wrap(self, subject_cipher: AESGCM, record_key: bytes, generation_id: bytes) -> bytes:
        """Seal the key that was made last under its subject's."""
        nonce = self._random[self._at - 12 : self._at]
        return nonce + subject_cipher.encrypt(nonce, record_key, _KEY + generation_id)


def wrap(subject_key: bytes, record_key: bytes, generation_id: str) -> bytes:
    """Seal a record's key under the subject's."""
    return seal(subject_key, record_key, _KEY + generation_id.encode())


def unwrap(subject_key: bytes, wrapped_key: bytes, generation_id: str) -> bytes:
    """A record's key.

    Raises:
        cryptography.exceptions.InvalidTag: it was wrapped by another key, or is another record's.
    """
    return open_sealed(subject_key, wrapped_key, _KEY + generation_id.encode())


def hold(hold_cipher: Cipher, record_key: bytes, subject: str, generation_id: str) -> bytes:
    """Seal a record's key, and whose it is, under a legal hold's.

    Source: PIPL 47; GDPR 17(3)
    """
    return hold_cipher.seal(record_key + subject.encode(), _HELD + generation_id.encode())


def unhold(hold_cipher: Cipher, wrapped: bytes, generation_id: str) -> tuple[bytes, str]:
    """A held record's key, and whose it is.

    Raises:
        cryptography.exceptions.InvalidTag: another hold keeps it, or it is another record's.
    """
    plain = hold_cipher.open(wrapped, _HELD + generation_id.encode())
    return plain[:KEY_BYTES], plain[KEY_BYTES:].decode()


def name_subject(hold_key: bytes, subject: str, hold_id: str) -> bytes:
    """Seal whom a hold covers under the hold's key."""
    return seal(hold_key, subject.encode(), _SUBJECT + hold_id.encode())


def named_subject(hold_key: bytes, sealed: bytes, hold_id: str) -> str:
    """Whom a hold covers.

    Raises:
        cryptography.exceptions.InvalidTag: it is another hold's.
    """
    return open_sealed(hold_key, sealed, _SUBJECT + hold_id.encode()).decode()


def open_payload(record_key: bytes, generation_id: str, personal: Personal) -> Payload:
    """A record's payload.

    Raises:
        cryptography.exceptions.InvalidTag: it was sealed by another key, or is another record's.
    """
    plain = open_sealed(record_key, personal.payload, _PAYLOAD + generation_id.encode())
    end = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
    return Payload(personal.subject, plain[_LENGTH:end].decode(), plain[end:].decode())
