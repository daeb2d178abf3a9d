"""OpenRequest and VerifyIdentity."""

from candor.rights.v1 import service_pb2
from candor_kit.keys import SubjectKeys
from candor_kit.transaction import Tx

from candor_rights import codec, identities
from candor_rights.domain.person import Person
from candor_rights.domain.refusal import Refused
from candor_rights.domain.request import Identity, State, ask_holders, check_received, decide_identity, open_request
from candor_rights.domain.task import BackOff, Task
from candor_rights.duedates import DueDates
from candor_rights.handlers.erasure import Erasure
from candor_rights.store import holders, requests, tasks
from candor_rights.store.requests import Stored


class RequestHandlers:
    """The beginning of a request: received, and who asks decided on."""

    def __init__(self, keys: SubjectKeys, due_dates: DueDates, erasure: Erasure, back_off: BackOff) -> None:
        self._keys = keys
        self._due_dates = due_dates
        self._erasure = erasure
        self._back_off = back_off

    async def open_request(self, tx: Tx, command: service_pb2.OpenRequestRequest) -> service_pb2.OpenRequestResponse:
        """Open a request; the legal clock starts at `received_at`, whenever the person is verified."""
        received_at = codec.instant(command.received_at)
        check_received(received_at, tx.now)
        right, regime = codec.right_of(command.right), codec.regime_of(command.regime)
        due = self._due_dates.due(regime, right, received_at)
        request_id = tx.new_id()
        request = open_request(request_id, right, regime, received_at, due, tx.now)
        pseudonym = self._keys.pseudonym(command.subject)
        await requests.lock_person(tx.connection, pseudonym)
        key = await self._keys.key(tx.connection, command.subject)
        person = identities.seal_person(pseudonym, key, Person(command.subject, command.contact), request_id)
        await requests.insert(tx.connection, request, person)
        await tx.publish(codec.request_opened(request), key=request_id)
        return service_pb2.OpenRequestResponse(
            request_id=request_id, strict_due=codec.timestamp(due.strict), citation=due.citation
        )

    async def verify_identity(
        self, tx: Tx, command: service_pb2.VerifyIdentityRequest
    ) -> service_pb2.VerifyIdentityResponse:
        """Take the decision on who asks: ask every holder, or refuse."""
        stored = await requests.lock(tx.connection, command.request_id)
        if stored is None:
            raise Refused("REQUEST_UNKNOWN", "there is no such request", field="request_id")
        identity = Identity(command.verified, command.method, command.evidence_ref, tx.now)
        request = decide_identity(stored.request, identity)
        await requests.decided(tx.connection, request)
        decided = Stored(request, stored.person)
        asked = await self._ask(tx, decided) if request.state is State.IN_PROGRESS else await self._refuse(tx, decided)
        return service_pb2.VerifyIdentityResponse(state=codec.wire_state(request.state), tasks=len(asked))

    async def _ask(self, tx: Tx, stored: Stored) -> tuple[Task, ...]:
        request = stored.request
        register = await holders.every(tx.connection)
        asked = ask_holders(request, register, [tx.new_id() for _ in register], self._back_off, tx.now)
        await tasks.insert(tx.connection, asked)
        await tx.publish(codec.identity_verified(request), key=request.request_id)
        subject = await self._subject(tx, stored)
        for task in asked:
            await tx.publish(codec.task_asked(task, request, subject), key=request.request_id)
        return asked

    async def _refuse(self, tx: Tx, stored: Stored) -> tuple[Task, ...]:
        request = stored.request
        await tx.publish(codec.request_refused(request), key=request.request_id)
        if request.forget:
            await self._erasure.forget(tx, stored)
        return ()

    async def _subject(self, tx: Tx, stored: Stored) -> str:
        if stored.person is None:
            raise LookupError(f"request {stored.request.request_id} is under way and has forgotten who asked")
        person = await identities.reveal(tx.connection, self._keys, stored.person, stored.request.request_id)
        return person.subject
