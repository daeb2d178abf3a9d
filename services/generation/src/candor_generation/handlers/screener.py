"""Screening with the library that is in force, compiled once and again when it has changed.

Every process looks once a second whether the library has changed, and every ingesting transaction looks too, so
that what is admitted screens the next record. A new library is compiled in a thread while the old one serves; one
that does not compile never replaces it. Whichever screened, the verdict carries its digest (Deep Synthesis 10).
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import re2
from candor_kit import log, metrics
from candor_kit.database import AWAY, Connection, Pool
from candor_kit.stop import Stop
from candor_kit.transaction import Tx

from candor_generation.domain.feature import Feature
from candor_generation.domain.generation import Verdict
from candor_generation.domain.screening import Review
from candor_generation.matcher import Matcher
from candor_generation.store import hits, library

# Above so many characters screening takes milliseconds, which other calls need not wait for.
_LONG_TEXT = 32_768
_LOOK_SECONDS = 1.0
# An ingesting transaction waits so long for a library that is being compiled, then the old one serves it.
_PATIENCE_SECONDS = 2.0
T = TypeVar("T")
_LOG = log.get(__name__)
_SCREENED = metrics.counter("generation_screened", "Generations screened, by decision.", ("decision",))
_FAILED = metrics.counter("generation_library_failed", "Feature libraries that did not compile; the old one serves.")
_VERSION = metrics.gauge("generation_library_version", "Version of the feature library that this process screens with.")


async def aside(length: int, work: Callable[[], T]) -> T:
    """Do what screens so many characters; in a thread where it would keep other calls waiting."""
    return await asyncio.to_thread(work) if length > _LONG_TEXT else work()


@dataclass(frozen=True)
class Library:
    """A compiled library and its version; 0 is the empty one that a process starts with."""

    version: int
    matcher: Matcher


class Screener:
    """Holds the compiled library of this process."""

    def __init__(self) -> None:
        self._library = Library(0, Matcher(()))
        self._looking = asyncio.Lock()
        self._compiling: asyncio.Task[None] | None = None
        self._unusable = b""
        self._looked_in: weakref.ReferenceType[Tx] | None = None

    @property
    def library(self) -> Library:
        """What this process screens with now; at most seconds behind what is in force."""
        return self._library

    async def screen_many(self, tx: Tx, texts: Sequence[tuple[str, str]]) -> list[Verdict]:
        """The verdicts on generations (prompt, output), all with one library; what was found is counted with them.

        Source: Deep Synthesis 10
        """
        matcher = (await self.current(tx)).matcher
        length = sum(len(prompt) + len(output) for prompt, output in texts)
        reviews = await aside(length, lambda: matcher.review_many(texts, tx.now))
        await self._count(tx, reviews)
        return [review.verdict for review in reviews]

    async def current(self, tx: Tx) -> Library:
        """The library in force; a transaction looks once, as all its records are screened at one moment."""
        if self._looked_in is None or self._looked_in() is not tx:
            await self.look(tx.connection)
            self._looked_in = weakref.ref(tx)
        return self._library

    async def look(self, connection: Connection) -> None:
        """See whether the library has changed, and wait a while for the new one to be compiled."""
        async with self._looking:
            version, digest = await library.in_force(connection)
            if digest == self._library.matcher.digest:
                self._take(Library(version, self._library.matcher))
                return
            if self._compiling is None and digest != self._unusable:
                features = await library.admitted(connection, self._library.matcher.by_digest())
                # The task outlives a transaction that does not wait for it: it needs nothing but the features.
                self._compiling = asyncio.create_task(self._compile(version, digest, features))
        if self._compiling is not None:
            done, _ = await asyncio.wait({self._compiling}, timeout=_PATIENCE_SECONDS)
            for task in done:
                task.result()

    async def follow(self, pool: Pool, stop: Stop) -> None:
        """Look once a second until the service stops."""
        while not stop.is_set():
            try:
                async with pool.connection() as connection:
                    await self.look(connection)
            except AWAY as error:
                _LOG.warning("waiting for the database", part="screener", type=type(error).__name__)
            await stop.wait(_LOOK_SECONDS)

    async def _compile(self, version: int, digest: bytes, features: Sequence[Feature]) -> None:
        try:
            matcher = await asyncio.to_thread(Matcher, features, self._library.matcher)
        except (ValueError, re2.error) as error:
            self._unusable = digest
            _FAILED.inc()
            _LOG.error("feature library does not compile", library=digest.hex(), type=type(error).__name__)
            return
        finally:
            self._compiling = None
        if matcher.digest != digest:
            # Another change came while the features were read: the next look reads them again.
            return
        self._take(Library(version, matcher))
        _LOG.info("feature library compiled", count=len(features), library=matcher.digest.hex())

    def _take(self, taken: Library) -> None:
        self._library = taken
        _VERSION.set(taken.version)

    async def _count(self, tx: Tx, reviews: Sequence[Review]) -> None:
        """Count with the records, in their transaction: the flood guard goes by these counts."""
        counts = Counter(feature_id for review in reviews for feature_id in review.counted)
        minute = tx.now.replace(second=0, microsecond=0)
        await hits.count(tx.connection, minute, counts, len(reviews))
        for decision, number in Counter(review.verdict.decision for review in reviews).items():
            _SCREENED.labels(decision.name.lower()).inc(number)
