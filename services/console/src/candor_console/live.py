"""Live pages: everybody who looks on learns within about a second that something happened, by server-sent events.

The stream says only that there is something new; the browser then asks for its page again, in its own name. So nothing
of one person's page can reach another, and one question a second serves all who look on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from candor_kit import log
from candor_kit.errors import Refusal, Unavailable

_LOG = log.get(__name__)

# Asked with the token of one who looks on; the version of what there is to see.
Look = Callable[[str], Awaitable[str]]

EVERY_SECONDS = 1.0
# A browser comes back by itself after this; then the session is looked at again, wherever it was signed out.
LONGEST_SECONDS = 60.0
RETRY_MILLISECONDS = 1000
# Proxies end connections that say nothing, often after 30 seconds.
BEAT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class State:
    """What was seen last: its version, or the part that does not answer."""

    version: str = ""
    away: str = ""

    def event(self) -> str:
        """As an event of a text/event-stream."""
        return _event("away", self.away) if self.away else _event("version", self.version)


@dataclass(eq=False, slots=True)
class Onlooker:
    """One open stream. `key` names the session, so that signing out ends it."""

    key: str
    bearer: str
    ended: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Let the stream end."""
        self.ended = True
        self.wake.set()


class Live:
    """Looks once a second while somebody looks on, and tells all of them when what is seen has changed."""

    def __init__(self, look: Look, *, every: float = EVERY_SECONDS) -> None:
        self._look = look
        self._every = every
        self._state = State()
        self._onlookers: list[Onlooker] = []
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def onlookers(self) -> int:
        """How many streams are open."""
        return len(self._onlookers)

    async def events(self, key: str, bearer: str, seconds: float) -> AsyncIterator[str]:
        """The stream of one onlooker, for at most `seconds`."""
        if self._closed:
            return
        onlooker = Onlooker(key, bearer)
        self._onlookers.append(onlooker)
        self._begin()
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            async for event in self._told(onlooker, asyncio.get_running_loop().time() + seconds):
                yield event
        finally:
            self._onlookers.remove(onlooker)

    def end(self, key: str) -> None:
        """End the streams of a session that was signed out."""
        for onlooker in self._onlookers:
            if onlooker.key == key:
                onlooker.end()

    def close(self) -> None:
        """End every stream; the service stops."""
        self._closed = True
        for onlooker in self._onlookers:
            onlooker.end()
        if self._looking is not None:
            self._looking.cancel()

    async def _told(self, onlooker: Onlooker, until: float) -> AsyncIterator[str]:
        told = State()
        loop = asyncio.get_running_loop()
        while not onlooker.ended and (left := until - loop.time()) > 0:
            onlooker.wake.clear()
            if self._state != told:
                told = self._state
                yield told.event()
                continue
            try:
                async with asyncio.timeout(min(left, BEAT_SECONDS)):
                    await onlooker.wake.wait()
            except TimeoutError:
                yield ": still here\n\n"

    def _begin(self) -> None:
        if self._looking is None or self._looking.done():
            self._state = State()  # what was seen before everybody left may have changed since
            self._looking = asyncio.create_task(self._keep_looking())
            self._looking.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("looking for changes failed", exc_info=error)
            for onlooker in self._onlookers:  # they come back, and it is tried anew
                onlooker.end()

    async def _keep_looking(self) -> None:
        while self._onlookers:
            onlooker = self._onlookers[-1]  # whose token is the freshest
            try:
                self._show(State(await self._look(onlooker.bearer)))
            except Unavailable as error:
                self._show(State(self._state.version, error.part))
            except Refusal:  # the token has run out; with the next connection comes another
                onlooker.end()
            await asyncio.sleep(self._every)

    def _show(self, state: State) -> None:
        if state != self._state:
            self._state = state
            for onlooker in self._onlookers:
                onlooker.wake.set()


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
