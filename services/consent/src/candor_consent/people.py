"""A person at hand: their row locked, their key opened, their acts saved and published together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from candor_kit.keys import SubjectKeys
from candor_kit.transaction import Tx

from candor_consent import codec
from candor_consent.domain.act import Act
from candor_consent.store import record


@dataclass(frozen=True)
class Held:
    """A person whose row this transaction has locked, and their key. `erased_at` is the last erasure, if any."""

    person: record.Person
    subject: str
    pseudonym: bytes
    key: bytes
    erased_at: datetime | None


class People:
    """Takes persons in hand."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    async def take(self, tx: Tx, subject: str) -> Held:
        """Lock a person, made known on first use, until the transaction ends."""
        pseudonym = self._keys.pseudonym(subject)
        # 1. The person's row goes first, whoever else waits. 2. Their key, held against erasure. 3. Only now can it
        # be told whether they were erased.
        person = await record.take(tx.connection, pseudonym)
        key = await self._keys.key(tx.connection, subject)
        erased_at = await self._keys.erased_at(tx.connection, subject)
        if person.is_new:
            await record.name(tx.connection, person, subject, key)
        return Held(person, subject, pseudonym, key, erased_at)

    async def take_due(self, tx: Tx, most: int) -> list[Held]:
        """Lock persons with a consent whose term has passed, but for those that another process is at work on."""
        return [await self._held(tx, known) for known in await record.lock_due(tx.connection, tx.now, most)]

    async def _held(self, tx: Tx, known: record.Known) -> Held:
        key = await self._keys.find_by_pseudonym(tx.connection, known.pseudonym)
        if key is None:
            raise LookupError("a person who is not erased has no key")
        subject = record.subject_of(known, key)
        erased_at = await self._keys.erased_at(tx.connection, subject)
        return Held(record.Person(known.person_id), subject, known.pseudonym, key, erased_at)

    async def save(self, tx: Tx, held: Held, acts: Sequence[Act]) -> None:
        """Put acts on record and publish each as its fact."""
        for act in acts:
            await record.add(tx.connection, held.person, act, held.key)
            await tx.publish(codec.fact_of(act, held.subject), key=held.subject)

    async def erase(self, tx: Tx, held: Held, erased: Sequence[Act], kept: Sequence[Act], until: datetime) -> None:
        """Destroy the link between a person and their acts up to an instant; what they did since is sealed anew.

        Args:
            tx: the transaction that holds the person.
            held: the person.
            erased: the acts that stay without their person.
            kept: the acts since, which stay with the person.
            until: what was made up to here must not come back.
        """
        if erased:
            await record.let_go(tx.connection, erased)
        await self._keys.erase(tx.connection, held.subject, until)
        if not kept:
            await record.remove(tx.connection, held.person)
            return
        key = await self._keys.key(tx.connection, held.subject)
        await record.reseal(tx.connection, held.person, held.subject, kept, key)
