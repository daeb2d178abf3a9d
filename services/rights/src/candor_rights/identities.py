"""Who asks: subject and contact, sealed under the subject's key, in this service only."""

import json
from typing import Any

from candor_kit.keys import SubjectKeys, open_sealed, seal
from psycopg import AsyncConnection

from candor_rights.domain.person import Person, SealedPerson

Connection = AsyncConnection[dict[str, Any]]


def seal_person(pseudonym: bytes, key: bytes, person: Person, request_id: str) -> SealedPerson:
    """Seal a person for one request; the sealed value opens for no other."""
    plain = json.dumps([person.subject, person.contact]).encode()
    return SealedPerson(pseudonym, seal(key, plain, _context(request_id)))


def open_person(key: bytes, sealed: SealedPerson, request_id: str) -> Person:
    """Open what `seal_person` returned.

    Raises:
        cryptography.exceptions.InvalidTag: Another key or another request.
    """
    subject, contact = json.loads(open_sealed(key, sealed.sealed, _context(request_id)))
    return Person(subject, contact)


async def reveal(connection: Connection, keys: SubjectKeys, sealed: SealedPerson, request_id: str) -> Person:
    """Open a person found in a row.

    Raises:
        LookupError: The key is gone.
    """
    return open_person(await key_of(connection, keys, sealed), sealed, request_id)


async def key_of(connection: Connection, keys: SubjectKeys, sealed: SealedPerson) -> bytes:
    """The key of a person found in a row.

    Raises:
        LookupError: It is gone. Key and row go in one transaction, so whoever holds the row's lock never sees this.
    """
    key = await keys.find_by_pseudonym(connection, sealed.pseudonym)
    if key is None:
        raise LookupError("a person without a key")
    return key


def _context(request_id: str) -> bytes:
    return b"candor.rights.request:" + request_id.encode()
