"""Records as people who review them see them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from candor_kit.database import Connection
from candor_kit.keys import SubjectKeys

from candor_generation import codec, sealing
from candor_generation.handlers.reviews import Reviewed
from candor_generation.store import records

_NOTES = b"candor generation review 1\x01"


@dataclass(frozen=True)
class UnderReview:
    """Opens records for the review queue."""

    keys: SubjectKeys

    async def open(self, connection: Connection, generation_id: str) -> Reviewed | None:
        """The record; None where it is erased, or restricted: then its row names nobody and has no key."""
        stored = await records.find(connection, generation_id)
        personal = stored.personal if stored else None
        subject_key = await self.keys.find(connection, personal.subject) if personal else None
        if stored is None or personal is None or subject_key is None:
            return None
        record = codec.record_of(stored)
        record_key = sealing.unwrap(subject_key, personal.wrapped_key, generation_id)
        payload = sealing.open_payload(record_key, generation_id, personal)
        return Reviewed(
            payload.subject,
            record.meta.product,
            payload.prompt,
            payload.output,
            record.verdict,
            notes_key(record_key),
        )


def notes_key(record_key: bytes) -> bytes:
    """What people write about a record is sealed under this: one HKDF-Expand step from the record's key (RFC 5869 2.3).

    Source: RFC 5869 2.3
    """
    return hmac.digest(record_key, _NOTES, hashlib.sha256)
