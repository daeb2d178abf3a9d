"""Reads what was generated, and finds the refuted claims that it repeats. Texts stay in memory, and only as long."""

import asyncio
from collections.abc import Iterator, Sequence

import grpc
from candor.generation.v1 import service_pb2, service_pb2_grpc
from candor.generation.v1.facts_pb2 import GenerationRecorded
from candor_kit import log, metrics
from candor_kit.consumer import FactConsumer
from candor_kit.database import Pool
from candor_kit.errors import Unavailable
from google.protobuf.message import Message

from candor_refutation import store
from candor_refutation.domain.matching import ClaimIndex, Match
from candor_refutation.handlers import Found, Handlers, Place

_GAP = 64  # reading so many texts for nothing costs less than another call
_PATIENCE_SECONDS = 30.0
_LOG = log.get(__name__)
_TEXTS = metrics.counter("texts_matched", "Outputs compared with the refuted claims, by result.", ("result",))
_CLAIMS = metrics.gauge("refuted_claims", "Refuted claims that outputs are compared with.")


class Matcher:
    """Matches batches of recorded generations with the refuted claims of the moment."""

    def __init__(self, pool: Pool, generation: grpc.aio.Channel) -> None:
        self._pool = pool
        self._generation = service_pb2_grpc.GenerationServiceStub(generation)
        self._index = ClaimIndex(())
        self._version = -1

    async def prepare(self, facts: Sequence[Message]) -> Found:
        """Return the matches of a batch by place in a log.

        Raises:
            Unavailable: generation does not give the texts; what is not compared now must be compared later.
        """
        index = await self._present_index()
        if not len(index):
            return {}
        texts = await self._read(
            {(fact.origin, fact.log_index) for fact in facts if isinstance(fact, GenerationRecorded)}
        )
        # Beside the loop: comparing a batch takes tens of milliseconds.
        return await asyncio.to_thread(_match, index, texts)

    async def _present_index(self) -> ClaimIndex:
        async with self._pool.connection() as connection:
            if await store.claims_version(connection) == self._version:
                return self._index
            version, claims = await store.refuted_claims(connection)
        self._index = await asyncio.to_thread(ClaimIndex, claims)
        self._version = version
        _CLAIMS.set(len(claims))
        _LOG.info("claims indexed", version=version, count=len(claims))
        return self._index

    async def _read(self, wanted: set[Place]) -> dict[Place, str]:
        texts: dict[Place, str] = {}
        for origin in {origin for origin, _ in wanted}:
            for start, end in runs(sorted(index for named, index in wanted if named == origin)):
                texts |= await self._read_run(origin, start, end)
        missing = wanted - texts.keys()
        if missing:
            raise Unavailable(f"generation: {len(missing)} outputs of the log")
        return {place: texts[place] for place in wanted}

    async def _read_run(self, origin: str, start: int, end: int) -> dict[Place, str]:
        request = service_pb2.ReadOutputsRequest(origin=origin, from_index=start, to_index=end)
        texts: dict[Place, str] = {}
        try:
            async for reply in self._generation.ReadOutputs(request, timeout=_PATIENCE_SECONDS):
                texts[origin, reply.log_index] = "" if reply.erased else reply.output
        except grpc.aio.AioRpcError as error:
            raise Unavailable(f"generation ({error.code().name})") from error
        return texts


def _match(index: ClaimIndex, texts: dict[Place, str]) -> dict[Place, list[Match]]:
    found = {place: index.match(text) for place, text in texts.items() if text}
    matched = sum(map(bool, found.values()))
    _TEXTS.labels("matched").inc(matched)
    _TEXTS.labels("unmatched").inc(len(found) - matched)
    _TEXTS.labels("erased").inc(len(texts) - len(found))
    return found


def runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Put rising log indexes together into ranges [start, end) that are worth one call each."""
    start = previous = None
    for index in indexes:
        if start is None or previous is None:
            start = index
        elif index - previous > _GAP:
            yield start, previous + 1
            start = index
        previous = index
    if start is not None and previous is not None:
        yield start, previous + 1


def generations_consumer(matcher: Matcher, handlers: Handlers) -> FactConsumer:
    """Return the consumer that matches outputs."""
    return FactConsumer(
        name="generations",
        topic="candor.generation.v1",
        handlers={GenerationRecorded: handlers.record_matches},
        prepare=matcher.prepare,
    )
