"""How a record's payload is kept: sealed under the record's own random key, which the subject's key wraps.

Destroying the wrap deletes one record; destroying the subject's key erases the person (PIPL 47, GDPR 17).
"""

from __future__ import annotations

import json

from candor_kit.keys import open_sealed, seal

from candor_generation.domain.generation import Payload
from candor_generation.domain.record import Personal

_KEY = b"candor.generation.key:"
_PAYLOAD = b"candor.generation.payload:"


def seal_record(subject_key: bytes, record_key: bytes, generation_id: str, payload: Payload) -> Personal:
    """Seal a payload under its record's key, and that key under the subject's."""
    plain = json.dumps({"prompt": payload.prompt, "output": payload.output}, ensure_ascii=False).encode()
    return Personal(
        payload.subject,
        seal(record_key, plain, _PAYLOAD + generation_id.encode()),
        wrap(subject_key, record_key, generation_id),
    )


def wrap(subject_key: bytes, record_key: bytes, generation_id: str) -> bytes:
    """Seal a record's key under the subject's."""
    return seal(subject_key, record_key, _KEY + generation_id.encode())


def unwrap(subject_key: bytes, wrapped_key: bytes, generation_id: str) -> bytes:
    """A record's key.

    Raises:
        cryptography.exceptions.InvalidTag: it was wrapped by another key, or is another record's.
    """
    return open_sealed(subject_key, wrapped_key, _KEY + generation_id.encode())


def open_payload(record_key: bytes, generation_id: str, personal: Personal) -> Payload:
    """A record's payload.

    Raises:
        cryptography.exceptions.InvalidTag: it was sealed by another key, or is another record's.
    """
    value = json.loads(open_sealed(record_key, personal.payload, _PAYLOAD + generation_id.encode()))
    return Payload(personal.subject, value["prompt"], value["output"])
