"""What of a disposal names or quotes a person, sealed under a random key of the disposal's own.

The person's key wraps that key; where there is no person, or the law keeps the record of one who is erased, a key of
the record's own does, which is destroyed when the record may no longer be kept.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from candor_kit.ids import time_of
from candor_kit.keys import HoldKeys, KeyRing, SubjectKeys, new_key, open_sealed, seal
from candor_kit.transaction import Tx

from candor_escalation.domain.disposal import Matter
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.statement import Texts
from candor_escalation.store import Connection
from candor_escalation.store.disposal_texts import SealedText
from candor_escalation.store.disposals import Stored, Wrapped

_LOCK_BYTES = 8


@dataclass(frozen=True)
class Held:
    """A person whom this transaction has locked, and their key."""

    pseudonym: bytes
    key: bytes


class Sealing:
    """Opens and closes what is sealed."""

    def __init__(self, ring: KeyRing) -> None:
        self.subjects = SubjectKeys(ring)
        self._holds = HoldKeys(ring)

    async def take(self, tx: Tx, subject: str, command_id: str = "") -> Held:
        """Lock a person until the transaction ends.

        Raises:
            Refused: SUBJECT_ERASED, when the command was made before they were erased.
        """
        pseudonym = self.subjects.pseudonym(subject)
        number = int.from_bytes(pseudonym[:_LOCK_BYTES], "big", signed=True)
        await tx.connection.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        key = await self.subjects.key(tx.connection, subject)
        erased_at = await self.subjects.erased_at(tx.connection, subject)
        if command_id and erased_at is not None and _made_at(command_id) <= erased_at:
            raise Refused("SUBJECT_ERASED", "it was made before the person was erased", field="subject")
        return Held(pseudonym, key)

    async def close(self, tx: Tx, disposal_id: str, matter: Matter, held: Held | None) -> tuple[Wrapped, bytes]:
        """Seal what a new disposal is about; the row's part, and the disposal's key."""
        own = new_key()
        sealed = _seal(own, vars(matter), f"escalation.disposal:{disposal_id}")
        if held is not None:
            return Wrapped(held.pseudonym, "subject", _wrap(held.key, own, disposal_id), sealed), own
        hold = await self._holds.key(tx.connection, _hold(disposal_id))
        return Wrapped(None, "hold", _wrap(hold, own, disposal_id), sealed), own

    async def key_of(self, connection: Connection, stored: Stored) -> bytes | None:
        """The key of a disposal; None when it was let go."""
        wrapped, disposal_id = stored.wrapped, stored.disposal.disposal_id
        outer: bytes | None = None
        if wrapped.wrapped_by == "hold":
            outer = await self._holds.find(connection, _hold(disposal_id))
        elif wrapped.pseudonym is not None:
            outer = await self.subjects.find_by_pseudonym(connection, wrapped.pseudonym)
        if outer is None or wrapped.wrapped_key is None:
            return None
        return open_sealed(outer, wrapped.wrapped_key, _wrap_context(disposal_id))

    async def matter(self, connection: Connection, stored: Stored) -> Matter | None:
        """What a disposal is about; None when it was let go."""
        own = await self.key_of(connection, stored)
        if own is None or stored.wrapped.sealed is None:
            return None
        return Matter(**_open(own, stored.wrapped.sealed, f"escalation.disposal:{stored.disposal.disposal_id}"))

    async def restrict(self, tx: Tx, stored: Stored, subject_key: bytes) -> Wrapped:
        """The wrap of a disposal that is kept although its person is erased: nobody finds it by the person any more."""
        disposal_id = stored.disposal.disposal_id
        hold = await self._holds.key(tx.connection, _hold(disposal_id))
        return replace(stored.wrapped, pseudonym=None, wrapped_by="hold", wrapped_key=_moved(stored, subject_key, hold))

    @staticmethod
    def renew(stored: Stored, old_key: bytes, held: Held) -> Wrapped:
        """The wrap of a disposal that is newer than the erasure: under the person's new key."""
        return replace(stored.wrapped, wrapped_key=_moved(stored, old_key, held.key))

    async def destroy(self, tx: Tx, disposal_id: str) -> None:
        """Destroy the key that a restricted disposal was kept under."""
        await self._holds.destroy(tx.connection, _hold(disposal_id))


def seal_texts(key: bytes, statement_id: str, texts: Texts) -> bytes:
    """Seal what the user is told under the disposal's key."""
    return _seal(key, vars(texts), f"escalation.statement:{statement_id}")


def open_texts(key: bytes, text: SealedText) -> Texts | None:
    """Open what the user is told; None when it was let go."""
    return (
        None if text.sealed is None else Texts(**_open(key, text.sealed, f"escalation.statement:{text.statement_id}"))
    )


def seal_words(key: bytes, complaint_id: str, kind: str, words: str) -> bytes:
    """Seal a text of a complaint, "statement" or "reasons", under the disposal's key."""
    return seal(key, words.encode(), f"escalation.complaint:{kind}:{complaint_id}".encode())


def open_words(key: bytes | None, complaint_id: str, kind: str, sealed: bytes | None) -> str:
    """Open a text of a complaint; empty when there is none or it was let go."""
    if key is None or sealed is None:
        return ""
    return open_sealed(key, bytes(sealed), f"escalation.complaint:{kind}:{complaint_id}".encode()).decode()


def _made_at(command_id: str) -> datetime:
    return time_of(UUID(command_id))


def _moved(stored: Stored, old_key: bytes, new: bytes) -> bytes:
    disposal_id, wrapped = stored.disposal.disposal_id, stored.wrapped.wrapped_key
    if wrapped is None:
        raise LookupError("a disposal that was let go has no key")
    return _wrap(new, open_sealed(old_key, wrapped, _wrap_context(disposal_id)), disposal_id)


def _wrap(outer: bytes, own: bytes, disposal_id: str) -> bytes:
    return seal(outer, own, _wrap_context(disposal_id))


def _wrap_context(disposal_id: str) -> bytes:
    return f"escalation.disposal-key:{disposal_id}".encode()


def _hold(disposal_id: str) -> str:
    return f"disposal:{disposal_id}"


def _seal(key: bytes, fields: dict[str, str], context: str) -> bytes:
    return seal(key, json.dumps(fields, ensure_ascii=False).encode(), context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> dict[str, str]:
    opened: dict[str, str] = json.loads(open_sealed(key, bytes(sealed), context.encode()))
    return opened
