"""The console over parts that answer from memory: only here, where the page's own rules are tested."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from candor_console import app, rendering
from candor_console.calls import Rpc
from candor_console.checkpoint import Checkpoint
from candor_console.console import Console
from candor_console.live import Live
from candor_console.pages.live import looking
from candor_console.sessions import Cookies, Seal, Session, signed_in
from candor_console.signin.door import LocalDoor
from candor_console.signin.failures import Failures
from candor_console.signin.local_tokens import LocalIssuer
from candor_console.signin.local_users import LocalUser, LocalUsers, make_user
from candor_kit.deadletters import DeadLetters
from candor_kit.errors import Unavailable
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message
from jinja2 import Environment
from starlette.testclient import TestClient

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ORIGIN = "https://console.example"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Calls:
    """Answers by RPC name, and remembers what was asked and with which token."""

    def __init__(self) -> None:
        self.answers: dict[str, Message | Exception | Callable[[Message], Message]] = {}
        self.asked: list[tuple[str, Any, str]] = []

    async def call(self, rpc: Rpc[Any, Any], question: Any, bearer: str) -> Any:
        self.asked.append((rpc.method.name, question, bearer))
        answer = self.answers.get(rpc.method.name, Unavailable(rpc.service))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Message) else answer(question)

    async def stream(self, rpc: Rpc[Any, Any], question: Any, bearer: str) -> AsyncIterator[Any]:
        yield await self.call(rpc, question, bearer)


class Checkpoints:
    def __init__(self) -> None:
        self.answer: Checkpoint | Exception | None = None

    async def latest(self) -> Checkpoint | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def vkey(self) -> str:
        return "example.com/log+00000000+AAAA"


class Topics:
    def __init__(self) -> None:
        self.found: tuple[DeadLetters, ...] = ()

    async def counts(self) -> Mapping[str, int]:
        return {letters.service: letters.count for letters in self.found}

    async def latest(self, most: int) -> tuple[DeadLetters, ...]:
        assert most > 0
        return self.found


class Desk:
    """One console and one browser."""

    def __init__(self, users: tuple[LocalUser, ...]) -> None:
        self.clock, self.calls, self.checkpoints, self.topics = Clock(), Calls(), Checkpoints(), Topics()
        self.issuer_key = Ed25519PrivateKey.generate()
        self.seal = Seal([Fernet.generate_key().decode()], idle=timedelta(hours=8), longest=timedelta(hours=24))
        self.cookies = Cookies(secure=True)
        self.console = Console(
            clock=self.clock,
            calls=self.calls,
            checkpoints=self.checkpoints,
            dead_letters=self.topics,
            seal=self.seal,
            cookies=self.cookies,
            door=LocalDoor(LocalUsers(users), Failures(), LocalIssuer(self.issuer_key, "key-1")),
            templates=rendering.environment(),
            origins=frozenset({ORIGIN}),
            local=False,
            log_url="https://log.example/log",
            live=Live(looking(self.calls)),
            zone=ZoneInfo("Asia/Shanghai"),
        )
        self.browser = TestClient(app.application(self.console), base_url=ORIGIN, follow_redirects=False)

    def sit_down(self, *roles: str, name: str = "officer") -> Session:
        """Put a session into the browser as signing in would."""
        session = signed_in(self.clock.at, name, frozenset(roles))
        self.browser.cookies.set(self.cookies.name, self.seal.close(session, self.clock.at))
        return session

    def get(self, path: str, **headers: str) -> httpx2.Response:
        response: httpx2.Response = self.browser.get(path, headers=headers)
        return response

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx2.Response:
        response: httpx2.Response = self.browser.post(path, data=dict(fields), headers={"Origin": ORIGIN, **headers})
        return response

    def token_on(self, path: str) -> str:
        """The CSRF token of the form on a page."""
        found = TOKEN.search(self.get(path).text)
        assert found is not None
        return found.group(1)


@pytest.fixture(scope="session")
def users() -> tuple[LocalUser, ...]:
    return (make_user("officer", frozenset({"privacy_officer"}), "right horse"),)


@pytest.fixture
def desk(users: tuple[LocalUser, ...]) -> Desk:
    return Desk(users)


@pytest.fixture(scope="session")
def environment() -> Environment:
    return rendering.environment()
