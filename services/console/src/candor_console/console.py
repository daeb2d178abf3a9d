"""Everything a page stands on, passed explicitly by the composition root."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from candor_kit.clock import Clock
from candor_kit.deadletters import DeadLetters
from jinja2 import Environment

from candor_console.calls import Calls
from candor_console.checkpoint import Checkpoint
from candor_console.sessions import Cookies, Seal
from candor_console.signin.door import Door


class Checkpoints(Protocol):
    """Where the latest checkpoint is read."""

    async def latest(self) -> Checkpoint | None:
        """The latest checkpoint, None while there is none. Raises Unavailable or CheckpointError."""
        ...

    async def vkey(self) -> str:
        """The key that the log says it signs with. Raises Unavailable."""
        ...


class DeadLetterTopics(Protocol):
    """Where dead letters are read."""

    async def counts(self) -> Mapping[str, int]:
        """How many each service's topic holds. Raises Unavailable."""
        ...

    async def latest(self, most: int) -> tuple[DeadLetters, ...]:
        """The latest `most` of every service. Raises Unavailable."""
        ...


class Happenings(Protocol):
    """Where live pages hear that something has changed."""

    def events(self, key: str, bearer: str, seconds: float) -> AsyncIterator[str]:
        """The text/event-stream of one onlooker for at most `seconds`; `key` names the session."""
        ...

    def end(self, key: str) -> None:
        """End the streams of a session."""
        ...

    def close(self) -> None:
        """End every stream."""
        ...


@dataclass(frozen=True, slots=True)
class Console:
    """The parts.

    `origins` are the origins our own forms come from; with `local` the address the browser used counts as well, so that
    `localhost` and `127.0.0.1` both work. `log_url` is where outsiders read the generation log. `zone` is the
    local time of printed files.
    """

    clock: Clock
    calls: Calls
    checkpoints: Checkpoints
    dead_letters: DeadLetterTopics
    seal: Seal
    cookies: Cookies
    door: Door
    templates: Environment
    origins: frozenset[str]
    local: bool
    log_url: str
    live: Happenings
    zone: tzinfo
