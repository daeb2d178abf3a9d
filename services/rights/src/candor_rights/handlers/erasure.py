"""What this service holds about a person, erased: who asked, where to answer them, and the packages made for them."""

from datetime import datetime, timedelta

from candor_kit.keys import SubjectKeys
from candor_kit.transaction import Tx

from candor_rights import identities
from candor_rights.domain.person import SealedPerson
from candor_rights.store import packages, requests
from candor_rights.store.requests import Stored


class Erasure:
    """Erases a person from this service."""

    def __init__(self, keys: SubjectKeys, copy_lifetime: timedelta) -> None:
        self._keys = keys
        self._copy_lifetime = copy_lifetime

    async def erase(self, tx: Tx, stored: Stored) -> datetime:
        """Carry out a deletion here, in the transaction in which the last other holder has proven its own.

        1. The keys of the person's packages go, and an attempt under way starts from nothing.
        2. The person's key goes, so what backups and old row versions hold cannot be read either.
        3. This request and all finished ones forget who asked.
        4. Requests still under way need to know: they are sealed under a new key, and forget when they end.

        The person and the request must be locked. Returns when the last copy on a topic is gone: the asks name the
        subject, and so may have a command that opened a request.
        """
        sealed = _known(stored)
        connection = tx.connection
        key = await identities.key_of(connection, self._keys, sealed)
        subject = identities.open_person(key, sealed, stored.request.request_id).subject
        every = await requests.lock_of_person(connection, sealed.pseudonym)
        await packages.discard_of_person(connection, sealed.pseudonym)  # 1
        await self._keys.erase(connection, subject, tx.now)  # 2
        this = stored.request.request_id
        going_on = [other for other in every if not other.request.finished and other.request.request_id != this]
        await requests.forget(connection, [other.request.request_id for other in every if other not in going_on])  # 3
        for other in going_on:  # 4
            await self._reseal(tx, key, other)
        return tx.now + self._copy_lifetime

    async def forget(self, tx: Tx, stored: Stored) -> None:
        """Forget who asked, at the end of a request during which the person was erased.

        The person and the request must be locked.
        """
        sealed = _known(stored)
        person = await identities.reveal(tx.connection, self._keys, sealed, stored.request.request_id)
        await requests.forget(tx.connection, [stored.request.request_id])
        if not await requests.knows_person(tx.connection, sealed.pseudonym):
            await self._keys.erase(tx.connection, person.subject, tx.now)

    async def _reseal(self, tx: Tx, old_key: bytes, stored: Stored) -> None:
        sealed, request_id = _known(stored), stored.request.request_id
        person = identities.open_person(old_key, sealed, request_id)
        new_key = await self._keys.key(tx.connection, person.subject)
        anew = identities.seal_person(sealed.pseudonym, new_key, person, request_id)
        await requests.reseal(tx.connection, request_id, anew)


def _known(stored: Stored) -> SealedPerson:
    if stored.person is None:
        raise LookupError(f"request {stored.request.request_id} has forgotten who asked")
    return stored.person
