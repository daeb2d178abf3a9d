"""Keeping under a hold's key what is to be erased, and erasing it once no hold keeps it any more (PIPL 47; GDPR 17(3)).

What is kept is restricted: its row names nobody and has no key, so that no question, match, review or export finds or
opens it. The record's key, and whose it was, are sealed under the key of each hold that covers it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from candor_kit.keys import Cipher, HoldKeys, SubjectKeys
from candor_kit.transaction import Tx

from candor_generation import codec, sealing
from candor_generation.domain import hold as rules
from candor_generation.domain.hold import Restriction
from candor_generation.handlers.leaves import Leaves
from candor_generation.store import holds, records

_PIECE = 1000
LEAF_KIND = "restriction"


@dataclass(frozen=True)
class Erasure:
    """What asks for an erasure: a task of the rights service, or None, and the clause."""

    task_id: str | None
    basis: str


@dataclass(frozen=True)
class Kept:
    """What holds keep of an erasure: how many records, and why and until when."""

    records: int = 0
    restriction: Restriction = field(default_factory=Restriction)


@dataclass(frozen=True)
class Restricting:
    """Restricts what holds cover.

    Attributes:
        keys: the subjects' keys.
        hold_keys: the holds'.
        leaves: takes the restriction.
    """

    keys: SubjectKeys
    hold_keys: HoldKeys
    leaves: Leaves

    async def of_person(self, tx: Tx, subject: str, key: bytes, until: datetime, asked: Erasure) -> Kept:
        """Restrict what holds cover of a person's records made at or before `until`.

        The caller MUST have locked the holds, and erase the person's key and what is not kept in the same transaction.

        Source: PIPL 47; GDPR 17(3); GDPR 18(2)
        """
        always = await holds.of_person(tx.connection, self.keys.pseudonym(subject), tx.now)
        binder = _Binder(self.hold_keys, tx, subject, key)
        count = 0
        while True:
            piece = await records.to_hold(tx.connection, subject, until, tx.now, _PIECE, whole=bool(always))
            if piece:
                await self._restrict(tx, dict(piece), always, binder, asked)
            count += len(piece)
            if len(piece) < _PIECE:
                break
        return await self._kept(tx, count, binder, asked)

    async def of_one(self, tx: Tx, generation_id: str, subject: str, wrapped_key: bytes, asked: Erasure) -> Kept:
        """Restrict one record where a hold covers it; the caller MUST have locked the holds.

        Raises:
            LookupError: the record names a person whose key is gone.

        Source: PIPL 47; GDPR 17(3); GDPR 18(2)
        """
        key = await self.keys.find(tx.connection, subject)
        if key is None:
            raise LookupError(f"the record {generation_id} is whole, and its subject's key is not there")
        always = await holds.of_person(tx.connection, self.keys.pseudonym(subject), tx.now)
        binder = _Binder(self.hold_keys, tx, subject, key)
        await self._restrict(tx, {generation_id: wrapped_key}, always, binder, asked)
        return await self._kept(tx, 1 if binder.used else 0, binder, asked)

    async def _restrict(
        self, tx: Tx, wrapped: Mapping[str, bytes], always: Sequence[str], binder: _Binder, asked: Erasure
    ) -> None:
        pairs = [(hold_id, identifier) for identifier in wrapped for hold_id in always]
        pairs += [pair for pair in await holds.naming(tx.connection, list(wrapped), tx.now) if pair[0] not in always]
        if not pairs:
            return
        bound = [
            (hold, identifier, await binder.bind(hold, identifier, wrapped[identifier])) for hold, identifier in pairs
        ]
        told = await holds.restrict(tx.connection, bound, asked.task_id, asked.basis, tx.now)
        # What was found says something of the text; a hold that needs it screens the text again with that library.
        await records.replace_facts(tx.connection, {name: codec.without_hits(fact) for name, fact in told.items()})

    async def _kept(self, tx: Tx, count: int, binder: _Binder, asked: Erasure) -> Kept:
        if not count:
            return Kept()
        found = await holds.find_many(tx.connection, list(binder.used))
        await self.leaves.add(tx, LEAF_KIND, {"basis": asked.basis, "records": count})
        return Kept(count, rules.restriction(found))


class _Binder:
    """Puts a person's records under the keys of holds."""

    def __init__(self, hold_keys: HoldKeys, tx: Tx, subject: str, key: bytes) -> None:
        self._hold_keys = hold_keys
        self._tx = tx
        self._subject = subject
        self._key = key
        self.used: dict[str, Cipher] = {}

    async def bind(self, hold_id: str, generation_id: str, wrapped_key: bytes) -> bytes:
        """The record's key and owner, sealed under the hold's key."""
        cipher = self.used.get(hold_id)
        if cipher is None:
            cipher = self.used[hold_id] = Cipher(await self._hold_keys.key(self._tx.connection, hold_id))
        record_key = sealing.unwrap(self._key, wrapped_key, generation_id)
        return sealing.hold(cipher, record_key, self._subject, generation_id)
