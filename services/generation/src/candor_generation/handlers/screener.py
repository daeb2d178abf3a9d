"""Screening with the library that is in force, compiled once and again when it has changed."""

from __future__ import annotations

import asyncio

from candor_kit import log, metrics
from candor_kit.database import Connection

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

    async def screen(self, connection: Connection, payload: Payload) -> Verdict:
        """The verdict on a payload; its digest is that of the very library it was made with (Deep Synthesis 10)."""
        matcher = await self._current(connection)
        if len(payload.prompt) + len(payload.output) > _LONG_TEXT:
            verdict = await asyncio.to_thread(matcher.screen, payload.prompt, payload.output)
        else:
            verdict = matcher.screen(payload.prompt, payload.output)
        _SCREENED.labels(verdict.decision.name.lower()).inc()
        return verdict

    async def _current(self, connection: Connection) -> Matcher:
        if await library.digest(connection) == self._matcher.digest:
            return self._matcher
        async with self._compiling:
            # Another record may have compiled it meanwhile.
            if await library.digest(connection) != self._matcher.digest:
                features = await library.admitted(connection)
                self._matcher = await asyncio.to_thread(Matcher, features)
                _LOG.info("feature library compiled", count=len(features), library=self._matcher.digest.hex())
            return self._matcher
