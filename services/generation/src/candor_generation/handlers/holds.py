"""Legal holds: placed, released, listed, read for their purpose, executed once they ended (PIPL 47; GDPR 17(3))."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from candor.generation.v1.facts_pb2 import GenerationErased, SubjectErased
from candor.generation.v1.hold_pb2 import (
    ListHoldsRequest,
    ListHoldsResponse,
    PlaceHoldRequest,
    PlaceHoldResponse,
    ReadHeldRequest,
    ReadHeldResponse,
    ReleaseHoldRequest,
    ReleaseHoldResponse,
)
from candor_kit import log as logging
from candor_kit.database import AWAY, Connection
from candor_kit.keys import Cipher, HoldKeys, SubjectKeys
from candor_kit.query import Query
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Tx

from candor_generation import codec, hold_codec, sealing
from candor_generation.domain import hold as rules
from candor_generation.domain import leaf
from candor_generation.domain.hold import Hold
from candor_generation.domain.record import Personal
from candor_generation.domain.refusal import Refused
from candor_generation.handlers.leaves import Leaves
from candor_generation.store import holds, logs, reviews, unlabelled
from candor_generation.store.holds import Executed
from candor_generation.store.logs import Log

_PAGE = 100
_PIECE = 64
_LOOK_SECONDS = 60.0
_EXPIRED = 1000
_LOG = logging.get(__name__)

OpenTransaction = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True)
class Holds:
    """The holds' commands and questions, and the loop that ends them.

    Attributes:
        keys: the subjects' keys.
        hold_keys: the holds'.
        leaves: takes the erasures.
        wake: set when a hold was placed or released.
    """

    keys: SubjectKeys
    hold_keys: HoldKeys
    leaves: Leaves
    wake: Wake

    async def place_hold(self, tx: Tx, command: PlaceHoldRequest) -> PlaceHoldResponse:
        """Place a hold, or widen one. Nothing else changes until an erasure comes; what is erased stays erased.

        Raises:
            Refused: HOLD_TIME_PAST, HOLD_STATE.
        """
        asked = hold_codec.hold_of(command, tx.caller.name, tx.now)
        await holds.lock(tx.connection)
        there = await holds.find(tx.connection, asked.hold_id)
        if there is None:
            await self._insert(tx, rules.place(asked, tx.now), command.subject)
        else:
            await self._widen(tx, there, asked, command.subject)
        await holds.add_generations(tx.connection, asked.hold_id, command.generation_ids)
        hold = await _known(tx.connection, asked.hold_id)
        await tx.publish(hold_codec.placed(hold, tx.now), key=hold.hold_id)
        # The loop sleeps until the next hold ends, which may be this one.
        tx.after_commit(self.wake.set)
        return PlaceHoldResponse(hold=hold_codec.hold_message(hold, tx.now))

    async def release_hold(self, tx: Tx, command: ReleaseHoldRequest) -> ReleaseHoldResponse:
        """End a hold now; what it deferred is carried out right after.

        Raises:
            Refused: HOLD_UNKNOWN, HOLD_STATE.
        """
        await holds.lock(tx.connection)
        hold = rules.release(await _known(tx.connection, command.hold_id), tx.now)
        await holds.update(tx.connection, hold)
        tx.after_commit(self.wake.set)
        return ReleaseHoldResponse(hold=hold_codec.hold_message(hold, tx.now))

    async def list_holds(self, query: Query, request: ListHoldsRequest) -> ListHoldsResponse:
        """Holds, the newest first."""
        size = request.page_size or _PAGE
        after = hold_codec.after(request.page_token)
        found = await holds.page(query.connection, after, size, only_unfinished=request.only_unfinished)
        return ListHoldsResponse(
            holds=[hold_codec.hold_message(hold, query.now) for hold in found],
            next_page_token=hold_codec.token(found[-1]) if len(found) == size else "",
        )

    async def read_held(self, query: Query, request: ReadHeldRequest) -> AsyncIterator[ReadHeldResponse]:
        """What a hold has kept from erasure, opened by its key: the one way to read it (GDPR 18(2)).

        Raises:
            Refused: HOLD_UNKNOWN.
        """
        hold = await _known(query.connection, request.hold_id)
        last = ""
        while True:
            async with logs.snapshot(query.connection):
                key = await self.hold_keys.find(query.connection, hold.hold_id)
                piece = await holds.kept(query.connection, hold.hold_id, last, _PIECE)
            if key is None:
                return
            cipher = Cipher(key)
            for kept in piece:
                last = kept.generation_id
                record_key, subject = sealing.unhold(cipher, kept.wrapped, last)
                payload = sealing.open_payload(record_key, last, Personal(subject, kept.payload, b""))
                yield hold_codec.held_message(last, leaf.commitment_key(record_key), payload)
            if len(piece) < _PIECE:
                return

    async def defers(self, connection: Connection, log: Log) -> bool:
        """Whether a hold covers anything in a log, in the transaction that would drop it.

        Source: GDPR 17(3); C2SP tlog-tiles
        """
        if log.kind != logs.GENERATION:
            return False
        await holds.lock(connection)
        if await holds.holds_in(connection, log):
            return True
        for covered in await holds.persons(connection):
            key = await self.hold_keys.find(connection, covered.hold_id)
            subject = sealing.named_subject(key, covered.subject, covered.hold_id) if key else None
            if subject is not None and await holds.has_records_in(connection, log, subject):
                return True
        return False

    async def execute(self, tx: Tx, hold_id: str) -> int:
        """Carry out what an ended hold deferred: one transaction, so that dying anywhere in it leaves it as it was.

        The hold's key is destroyed, what no other hold keeps is emptied, and each erasure is a leaf and a fact.

        Returns:
            How many records were erased.

        Source: PIPL 47; GDPR 17(1)
        """
        await holds.lock(tx.connection)
        hold = await _known(tx.connection, hold_id)
        if hold.state(tx.now) is not rules.State.ENDED:
            return 0
        executed = await holds.execute(tx.connection, hold_id, tx.now)
        await self.hold_keys.destroy(tx.connection, hold_id)
        for erasure in executed:
            await self._tell(tx, hold_id, erasure)
        count = sum(len(erasure.generation_ids) for erasure in executed)
        await tx.publish(hold_codec.ended(hold, count, tx.now), key=hold_id)
        _LOG.info("hold ended", hold_id=hold_id, records=count)
        return count

    async def run(self, transaction: OpenTransaction, stop: Stop) -> None:
        """End holds when their time has come, or they are released, until the service stops."""
        while not stop.is_set():
            seconds = _LOOK_SECONDS
            try:
                seconds = await self.round(transaction)
            except AWAY as error:
                _LOG.warning("waiting for the database", part="holds", type=type(error).__name__)
            await self.wake.wait(seconds, stop)

    async def round(self, transaction: OpenTransaction) -> float:
        """End what has to be ended; return in how many seconds to look again."""
        async with transaction() as tx:
            waiting = await holds.ended(tx.connection, tx.now)
            # Nobody has to be asked to let go of what the law kept for a time (Labelling Measures 9).
            await unlabelled.forget_expired(tx.connection, tx.now, _EXPIRED)
        for hold_id in waiting:
            async with transaction() as tx:
                await self.execute(tx, hold_id)
        async with transaction() as tx:
            following = await holds.next_end(tx.connection)
            left = (following - tx.now).total_seconds() if following else _LOOK_SECONDS
        return min(max(left, 0.01), _LOOK_SECONDS)

    async def _insert(self, tx: Tx, hold: Hold, subject: str) -> None:
        if not subject:
            await holds.insert(tx.connection, hold, None, None)
            return
        key = await self.hold_keys.key(tx.connection, hold.hold_id)
        sealed = sealing.name_subject(key, subject, hold.hold_id)
        await holds.insert(tx.connection, hold, self.keys.pseudonym(subject), sealed)

    async def _widen(self, tx: Tx, there: Hold, asked: Hold, subject: str) -> None:
        wider = rules.widen(there, asked, tx.now)
        if subject and not await holds.names(tx.connection, there.hold_id, self.keys.pseudonym(subject)):
            raise Refused("HOLD_STATE", "the hold covers another scope", field="subject")
        await holds.update(tx.connection, wider)

    async def _tell(self, tx: Tx, hold_id: str, erasure: Executed) -> None:
        count, erased_at = len(erasure.generation_ids), codec.timestamp(tx.now)
        await reviews.erase(tx.connection, erasure.generation_ids, tx.now)
        await self.leaves.add(tx, "erasure", {"basis": erasure.basis, "hold": hold_id, "records": count})
        if erasure.task_id is not None:
            said = SubjectErased(task_id=erasure.task_id, records=count, erased_at=erased_at)
            await tx.publish(said, key=erasure.task_id)
            return
        for identifier in erasure.generation_ids:
            erased = GenerationErased(generation_id=identifier, erased_at=erased_at, basis=erasure.basis)
            await tx.publish(erased, key=identifier)


async def _known(connection: Connection, hold_id: str) -> Hold:
    hold = await holds.find(connection, hold_id)
    if hold is None:
        raise Refused("HOLD_UNKNOWN", "there is no such hold", field="hold_id")
    return hold
