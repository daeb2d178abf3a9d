"""Screening with the library that is in force, compiled once and again when it has changed."""

from __future__ import annotations

import asyncio
import weakref

from candor_kit import log, metrics
from candor_kit.transaction import Tx

from candor_generation.domain.generation import Payload, Verdict
from candor_generation.matcher import Matcher
from candor_generation.store import library

# Above this length screening may take milliseconds, which other calls need not wait for.
_LONG_TEXT = 32_768
_LOG = log.get(__name__)
_SCREENED = metrics.counter("generation_screened", "Generations screened, by decision.", ("decision",))


class Screener:
    """Holds the compiled library of this process."""

    def __init__(self) -> None:
        self._matcher = Matcher(())
        self._compiling = asyncio.Lock()
        self._looked_in: weakref.ReferenceType[Tx] | None = None

    async def screen(self, tx: Tx, payload: Payload) -> Verdict:
        """The verdict on a payload; its digest is that of the very library it was made with (Deep Synthesis 10)."""
        matcher = await self._current(tx)
        if len(payload.prompt) + len(payload.output) > _LONG_TEXT:
            verdict = await asyncio.to_thread(matcher.screen, payload.prompt, payload.output)
        else:
            verdict = matcher.screen(payload.prompt, payload.output)
        _SCREENED.labels(verdict.decision.name.lower()).inc()
        return verdict

    async def _current(self, tx: Tx) -> Matcher:
        """The library in force; a transaction looks once, as all its records are screened at one moment."""
        if self._looked_in is not None and self._looked_in() is tx:
            return self._matcher
        if await library.digest(tx.connection) != self._matcher.digest:
            await self._compile(tx)
        self._looked_in = weakref.ref(tx)
        return self._matcher

    async def _compile(self, tx: Tx) -> None:
        async with self._compiling:
            # Another record may have compiled it meanwhile.
            if await library.digest(tx.connection) == self._matcher.digest:
                return
            features = await library.admitted(tx.connection)
            self._matcher = await asyncio.to_thread(Matcher, features)
            _LOG.info("feature library compiled", count=len(features), library=self._matcher.digest.hex())
