"""An attempt at an access package: claimed, renewed while it goes on, finished or put off. The work lies in between."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_kit.keys import SubjectKeys, seal
from candor_kit.transaction import Tx

from candor_rights import codec, identities
from candor_rights.domain.document import Item, instant
from candor_rights.domain.person import Person, SealedPerson
from candor_rights.domain.request import close
from candor_rights.domain.task import BackOff, Task
from candor_rights.packages import wrap_context
from candor_rights.store import holders, packages, requests, tasks
from candor_rights.store.requests import Stored

_KIND = "request"


class ClaimLostError(Exception):
    """Another attempt has begun, or the person was erased; what this one wrote is of no use."""


@dataclass(frozen=True)
class Source:
    """A holder to pull from. `address` is what the register says, empty where it says nothing."""

    task: Task
    address: str


@dataclass(frozen=True)
class Attempt:
    """What an attempt needs to know; `own` is what this service itself holds about the person."""

    request_id: str
    claim_id: str
    subject: str
    made_at: datetime
    failures: int
    sources: tuple[Source, ...]
    own: tuple[Item, ...]


class PackageHandlers:
    """The transactions around putting a package together."""

    def __init__(self, keys: SubjectKeys, lease: timedelta, lifetime: timedelta, back_off: BackOff) -> None:
        self._keys = keys
        self._lease = lease
        self._lifetime = lifetime
        self._back_off = back_off

    async def claim_next(self, tx: Tx) -> Attempt | None:
        """Begin an attempt; None when none is due. It is lost unless it is renewed within the lease."""
        request_id = await packages.next_pending(tx.connection, tx.now)
        if request_id is None:
            return None
        claim_id = tx.new_id()
        await packages.claim(tx.connection, request_id, claim_id, tx.now + self._lease)
        package = await packages.find(tx.connection, request_id)
        stored = await requests.find(tx.connection, request_id)
        if package is None or stored is None or stored.person is None:
            raise LookupError(f"request {request_id} waits for a package and nobody asked for it")
        key = await identities.key_of(tx.connection, self._keys, stored.person)
        return Attempt(
            request_id=request_id,
            claim_id=claim_id,
            subject=identities.open_person(key, stored.person, request_id).subject,
            made_at=tx.now,
            failures=package.failures,
            sources=await _sources(tx, request_id),
            own=await _own(tx, key, stored.person),
        )

    async def renew(self, tx: Tx, attempt: Attempt) -> None:
        """Go on with an attempt.

        Raises:
            ClaimLostError: It was lost.
        """
        if not await packages.renew(tx.connection, attempt.claim_id, tx.now + self._lease):
            raise ClaimLostError

    async def put_off(self, tx: Tx, attempt: Attempt) -> datetime:
        """An attempt failed; return when the next one is due."""
        failures = attempt.failures + 1
        try_at = tx.now + self._back_off.after(failures)
        await packages.postpone(tx.connection, attempt.claim_id, failures, try_at)
        return try_at

    async def put_back(self, tx: Tx, attempt: Attempt) -> None:
        """The service stops in the middle of an attempt: whoever runs next may begin another at once."""
        await packages.postpone(tx.connection, attempt.claim_id, attempt.failures, tx.now)

    async def finish(self, tx: Tx, attempt: Attempt, package_key: bytes) -> None:
        """The file is complete and on the disk: wrap its key by the person's, and close the request.

        Raises:
            ClaimLostError: The attempt was lost.
        """
        stored = await requests.lock(tx.connection, attempt.request_id)
        if stored is None or stored.person is None:
            raise ClaimLostError
        key = await identities.key_of(tx.connection, self._keys, stored.person)
        wrapped = seal(key, package_key, wrap_context(attempt.request_id, attempt.claim_id))
        expires_at = tx.now + self._lifetime
        if not await packages.ready(tx.connection, attempt.claim_id, wrapped, attempt.made_at, expires_at):
            raise ClaimLostError
        closed = close(stored.request, tx.now)
        await requests.settled(tx.connection, closed)
        await tx.publish(codec.request_closed(closed), key=closed.request_id)


async def _sources(tx: Tx, request_id: str) -> tuple[Source, ...]:
    register = {holder.holder_id: holder.address for holder in await holders.every(tx.connection)}
    asked = await tasks.of_request(tx.connection, request_id)
    return tuple(Source(task, register.get(task.holder_id, "")) for task in asked)


async def _own(tx: Tx, key: bytes, person: SealedPerson) -> tuple[Item, ...]:
    return tuple(_item(stored, key) for stored in await requests.of_person(tx.connection, person.pseudonym))


def _item(stored: Stored, key: bytes) -> Item:
    request = stored.request
    person = identities.open_person(key, stored.person, request.request_id) if stored.person else Person("")
    data = {
        "right": request.right,
        "regime": request.regime,
        "state": request.state,
        "received_at": instant(request.received_at),
        "strict_due": instant(request.due.strict),
        "contact": person.contact,
        "identity_method": request.identity.method if request.identity else None,
        "closed_at": instant(request.closed_at) if request.closed_at else None,
        "refusal_ground": request.refusal_ground,
    }
    return Item(_KIND, request.request_id, request.received_at, json.dumps(data, ensure_ascii=False).encode())
