"""What of a disposal or a notice names or quotes a person, sealed under a random key of the record's own.

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


class Envelopes:
    """Opens and closes records of one kind, "disposal" or "notice"; each has a key of its own, which another wraps."""

    def __init__(self, kind: str, subjects: SubjectKeys, holds: HoldKeys) -> None:
        self._kind = kind
        self._subjects = subjects
        self._holds = holds

    async def close(self, tx: Tx, record_id: str, fields: dict[str, str], held: Held | None) -> tuple[Wrapped, bytes]:
        """Seal what a new record says; the row's part, and the record's key."""
        own = new_key()
        sealed = _seal(own, fields, f"escalation.{self._kind}:{record_id}")
        if held is not None:
            return Wrapped(held.pseudonym, "subject", self._wrap(held.key, own, record_id), sealed), own
        hold = await self._holds.key(tx.connection, self._hold(record_id))
        return Wrapped(None, "hold", self._wrap(hold, own, record_id), sealed), own

    async def key_of(self, connection: Connection, record_id: str, wrapped: Wrapped) -> bytes | None:
        """The key of a record; None when it was let go."""
        outer: bytes | None = None
        if wrapped.wrapped_by == "hold":
            outer = await self._holds.find(connection, self._hold(record_id))
        elif wrapped.pseudonym is not None:
            outer = await self._subjects.find_by_pseudonym(connection, wrapped.pseudonym)
        if outer is None or wrapped.wrapped_key is None:
            return None
        return open_sealed(outer, wrapped.wrapped_key, self._context(record_id))

    async def open(self, connection: Connection, record_id: str, wrapped: Wrapped) -> dict[str, str] | None:
        """What a record says; None when it was let go."""
        own = await self.key_of(connection, record_id, wrapped)
        if own is None or wrapped.sealed is None:
            return None
        return _open(own, wrapped.sealed, f"escalation.{self._kind}:{record_id}")

    async def restrict(self, tx: Tx, record_id: str, wrapped: Wrapped, subject_key: bytes) -> Wrapped:
        """The wrap of a record that is kept although its person is erased: nobody finds it by the person any more."""
        hold = await self._holds.key(tx.connection, self._hold(record_id))
        moved = self._moved(record_id, wrapped, subject_key, hold)
        return replace(wrapped, pseudonym=None, wrapped_by="hold", wrapped_key=moved)

    def renew(self, record_id: str, wrapped: Wrapped, old_key: bytes, held: Held) -> Wrapped:
        """The wrap of a record that is newer than the erasure: under the person's new key."""
        return replace(wrapped, wrapped_key=self._moved(record_id, wrapped, old_key, held.key))

    async def destroy(self, tx: Tx, record_id: str) -> None:
        """Destroy the key that a restricted record was kept under."""
        await self._holds.destroy(tx.connection, self._hold(record_id))

    def _moved(self, record_id: str, wrapped: Wrapped, old_key: bytes, new: bytes) -> bytes:
        if wrapped.wrapped_key is None:
            raise LookupError(f"a {self._kind} that was let go has no key")
        return self._wrap(new, open_sealed(old_key, wrapped.wrapped_key, self._context(record_id)), record_id)

    def _wrap(self, outer: bytes, own: bytes, record_id: str) -> bytes:
        return seal(outer, own, self._context(record_id))

    def _context(self, record_id: str) -> bytes:
        return f"escalation.{self._kind}-key:{record_id}".encode()

    def _hold(self, record_id: str) -> str:
        return f"{self._kind}:{record_id}"


class Sealing:
    """Opens and closes what is sealed. ``notices``: those of the notices."""

    def __init__(self, ring: KeyRing) -> None:
        self.subjects = SubjectKeys(ring)
        holds = HoldKeys(ring)
        self._disposals = Envelopes("disposal", self.subjects, holds)
        self.notices = Envelopes("notice", self.subjects, holds)

    async def take(self, tx: Tx, subject: str, command_id: str = "", field: str = "subject") -> Held:
        """Lock a person until the transaction ends. ``field``: of the command, that names them.

        Raises:
            Refused: SUBJECT_ERASED, when the command was made before they were erased.
        """
        pseudonym = self.subjects.pseudonym(subject)
        number = int.from_bytes(pseudonym[:_LOCK_BYTES], "big", signed=True)
        await tx.connection.execute("SELECT pg_advisory_xact_lock(%s)", (number,))
        key = await self.subjects.key(tx.connection, subject)
        erased_at = await self.subjects.erased_at(tx.connection, subject)
        if command_id and erased_at is not None and _made_at(command_id) <= erased_at:
            raise Refused("SUBJECT_ERASED", "it was made before the person was erased", field=field)
        return Held(pseudonym, key)

    async def close(self, tx: Tx, disposal_id: str, matter: Matter, held: Held | None) -> tuple[Wrapped, bytes]:
        """Seal what a new disposal is about; the row's part, and the disposal's key."""
        return await self._disposals.close(tx, disposal_id, vars(matter), held)

    async def key_of(self, connection: Connection, stored: Stored) -> bytes | None:
        """The key of a disposal; None when it was let go."""
        return await self._disposals.key_of(connection, stored.disposal.disposal_id, stored.wrapped)

    async def matter(self, connection: Connection, stored: Stored) -> Matter | None:
        """What a disposal is about; None when it was let go."""
        fields = await self._disposals.open(connection, stored.disposal.disposal_id, stored.wrapped)
        return None if fields is None else Matter(**fields)

    async def restrict(self, tx: Tx, stored: Stored, subject_key: bytes) -> Wrapped:
        """The wrap of a disposal that is kept although its person is erased: nobody finds it by the person any more."""
        return await self._disposals.restrict(tx, stored.disposal.disposal_id, stored.wrapped, subject_key)

    def renew(self, stored: Stored, old_key: bytes, held: Held) -> Wrapped:
        """The wrap of a disposal that is newer than the erasure: under the person's new key."""
        return self._disposals.renew(stored.disposal.disposal_id, stored.wrapped, old_key, held)

    async def destroy(self, tx: Tx, disposal_id: str) -> None:
        """Destroy the key that a restricted disposal was kept under."""
        await self._disposals.destroy(tx, disposal_id)


def seal_texts(key: bytes, statement_id: str, texts: Texts) -> bytes:
    """Seal what the user is told under the disposal's key."""
    return _seal(key, vars(texts), f"escalation.statement:{statement_id}")


def open_texts(key: bytes, text: SealedText) -> Texts | None:
    """Open what the user is told; None when it was let go."""
    return (
        None if text.sealed is None else Texts(**_open(key, text.sealed, f"escalation.statement:{text.statement_id}"))
    )


def seal_words(key: bytes, record_id: str, kind: str, words: str, record: str = "complaint") -> bytes:
    """Seal a text of a complaint, "statement" or "reasons", under the disposal's key; or one of another ``record``."""
    return seal(key, words.encode(), f"escalation.{record}:{kind}:{record_id}".encode())


def open_words(key: bytes | None, record_id: str, kind: str, sealed: bytes | None, record: str = "complaint") -> str:
    """Open such a text; empty when there is none or it was let go."""
    if key is None or sealed is None:
        return ""
    return open_sealed(key, bytes(sealed), f"escalation.{record}:{kind}:{record_id}".encode()).decode()


def _made_at(command_id: str) -> datetime:
    return time_of(UUID(command_id))


def _seal(key: bytes, fields: dict[str, str], context: str) -> bytes:
    return seal(key, json.dumps(fields, ensure_ascii=False).encode(), context.encode())


def _open(key: bytes, sealed: bytes, context: str) -> dict[str, str]:
    opened: dict[str, str] = json.loads(open_sealed(key, bytes(sealed), context.encode()))
    return opened
