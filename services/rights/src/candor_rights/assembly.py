"""Puts access packages together: pulls from every holder and writes as it comes, so that no package is ever in memory.

Durable: what is to be done stands in rows. An attempt that dies is begun again from nothing when its lease has passed;
a holder that cannot be reached is tried again later.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
from candor.rights.v1 import holder_pb2, holder_pb2_grpc
from candor_kit import log, metrics
from candor_kit.database import TRY_AGAIN, is_away
from candor_kit.keys import new_key
from candor_kit.stop import Stop, Wake
from candor_kit.transaction import Tx

from candor_rights import codec
from candor_rights.domain import document
from candor_rights.domain.document import Item
from candor_rights.domain.holder import RIGHTS_HOLDER_ID
from candor_rights.domain.task import KindCount
from candor_rights.handlers.packaging import Attempt, ClaimLostError, PackageHandlers, Source
from candor_rights.packages import PackageWriter, context_of

_LOG = log.get(__name__)
_ATTEMPTS = metrics.counter("rights_package_attempts", "Attempts at access packages, by result.", ("result",))


class HolderAwayError(Exception):
    """A holder could not be pulled from; the attempt is put off."""

    def __init__(self, holder_id: str, code: str) -> None:
        super().__init__(f"{holder_id}: {code}")
        self.holder_id = holder_id
        self.code = code


@dataclass(frozen=True)
class Pace:
    """How long it waits. `silence`: for the next item of a holder. `lease`: an attempt is renewed every third of it."""

    poll: timedelta
    silence: timedelta
    lease: timedelta


# A channel to a holder, None when it has no address; closed by whoever asked for it.
Dial = Callable[[Source], "grpc.aio.Channel | None"]
Transaction = Callable[[str], AbstractAsyncContextManager[Tx]]


class Assembler:
    """The loop, and one attempt at a time."""

    def __init__(
        self,
        handlers: PackageHandlers,
        transaction: Transaction,
        dial: Dial,
        folder: Path,
        pace: Pace,
    ) -> None:
        self._handlers = handlers
        self._transaction = transaction
        self._dial = dial
        self._folder = folder
        self._pace = pace
        self.wake = Wake()

    async def run(self, stop: Stop) -> None:
        """Work until the service stops; an attempt under way is then given up, for it may take long."""
        working = asyncio.create_task(self._work(stop))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await _ended(working)
        if not working.cancelled():
            working.result()

    async def _work(self, stop: Stop) -> None:
        while not stop.is_set():
            if not await self._patient_step():
                await self.wake.wait(self._pace.poll.total_seconds(), stop)

    async def _patient_step(self) -> bool:
        """One step; False as well when the database wants to be asked later."""
        try:
            return await self.step()
        except TRY_AGAIN as error:
            _LOG.info("assembly goes on later", type=type(error).__name__)
        except Exception as error:
            if not is_away(error):
                raise
            _LOG.warning("waiting for the database", part="assembly", type=type(error).__name__)
        return False

    async def step(self) -> bool:
        """Make one attempt at the package that is due first; return whether one was due."""
        async with self._transaction("assembly") as tx:
            attempt = await self._handlers.claim_next(tx)
        if attempt is None:
            return False
        try:
            await self._attempt(attempt)
        except ClaimLostError:
            _ATTEMPTS.labels("lost").inc()
            _LOG.info("an attempt at a package was lost", request_id=attempt.request_id)
        except (HolderAwayError, OSError) as error:
            _ATTEMPTS.labels("put_off").inc()
            await self._put_off(attempt, error)
        except asyncio.CancelledError:
            async with self._transaction("assembly") as tx:
                await self._handlers.put_back(tx, attempt)
            raise
        else:
            _ATTEMPTS.labels("complete").inc()
        return True

    async def _attempt(self, attempt: Attempt) -> None:
        """Write the file, renewing the claim meanwhile, and finish."""
        key = new_key()
        writing = asyncio.create_task(self._write(attempt, key))
        try:
            while not (await asyncio.wait({writing}, timeout=self._pace.lease.total_seconds() / 3))[0]:
                async with self._transaction("assembly") as tx:
                    await self._handlers.renew(tx, attempt)
        finally:
            await _ended(writing)
        writing.result()
        async with self._transaction("assembly") as tx:
            await self._handlers.finish(tx, attempt, key)

    async def _write(self, attempt: Attempt, key: bytes) -> None:
        path = self._folder / attempt.claim_id
        with PackageWriter(path, key, context_of(attempt.request_id, attempt.claim_id)) as writer:
            async for piece in self._document(attempt):
                writer.write(piece)
            await asyncio.to_thread(writer.finish)

    async def _put_off(self, attempt: Attempt, error: HolderAwayError | OSError) -> None:
        async with self._transaction("assembly") as tx:
            try_at = await self._handlers.put_off(tx, attempt)
        holder_id, code = (
            (error.holder_id, error.code) if isinstance(error, HolderAwayError) else ("", str(error.errno))
        )
        _LOG.warning(
            "a package is put off",
            request_id=attempt.request_id, holder_id=holder_id, code=code, deadline=try_at.isoformat(),
        )  # fmt: skip

    async def _document(self, attempt: Attempt) -> AsyncIterator[bytes]:
        yield document.opening(attempt.subject, attempt.request_id, attempt.made_at)
        for piece in _own_part(attempt.own):
            yield piece
        for source in attempt.sources:
            async for piece in self._holder_part(attempt, source):
                yield piece
        yield document.closing()

    async def _holder_part(self, attempt: Attempt, source: Source) -> AsyncIterator[bytes]:
        held = source.task.proof.kinds if source.task.proof else ()
        yield document.holder_opening(source.task.holder_id, held, first=False)
        first = True
        async for reply in self._pull(source, attempt.subject):
            yield _piece(source, reply, first=first)
            first = False
        yield document.holder_closing()

    async def _pull(self, source: Source, subject: str) -> AsyncIterator[holder_pb2.ExportResponse]:
        channel = self._dial(source)
        if channel is None:
            return
        async with channel:
            request = holder_pb2.ExportRequest(task_id=source.task.task_id, subject=subject)
            replies = aiter(holder_pb2_grpc.DataHolderServiceStub(channel).Export(request))
            while (reply := await self._next(replies, source)) is not None:
                yield reply

    async def _next(
        self, replies: AsyncIterator[holder_pb2.ExportResponse], source: Source
    ) -> holder_pb2.ExportResponse | None:
        try:
            async with asyncio.timeout(self._pace.silence.total_seconds()):
                return await anext(replies, None)
        except grpc.aio.AioRpcError as error:
            raise HolderAwayError(source.task.holder_id, error.code().name) from error
        except TimeoutError as error:
            raise HolderAwayError(source.task.holder_id, "SILENT") from error


def _own_part(own: tuple[Item, ...]) -> Iterator[bytes]:
    yield document.holder_opening(RIGHTS_HOLDER_ID, [KindCount("request", len(own))], first=True)
    for index, item in enumerate(own):
        yield document.item(item, first=index == 0)
    yield document.holder_closing()


def _piece(source: Source, reply: holder_pb2.ExportResponse, *, first: bool) -> bytes:
    """What a holder sent, as it goes into the document; a holder is not trusted to send what it should."""
    try:
        occurred_at = codec.instant(reply.occurred_at) if reply.HasField("occurred_at") else None
        return document.item(Item(reply.kind, reply.item_id, occurred_at, reply.json), first=first)
    except (ValueError, OverflowError) as error:
        raise HolderAwayError(source.task.holder_id, "NOT_AN_ITEM") from error


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task unless it is done, and wait until it has ended, however it ends."""
    task.cancel()
    await asyncio.wait({task})
