"""A service that remembers every command it was given: kit's frame without a subject matter.

It speaks the consent schema, because kit needs some schema; it applies none of consent's rules.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest
from candor.consent.v1 import facts_pb2, model_pb2, reasons_pb2, service_pb2
from candor_cli.session import Session
from candor_kit import client
from candor_kit.api import Api
from candor_kit.consumer import FactConsumer
from candor_kit.query import Query
from candor_kit.service import Service
from candor_kit.settings import ServiceSettings
from candor_kit.transaction import Tx
from candor_stack import LocalStack, TopicSpec
from candor_stack.home import ServiceAddress, StackDescription
from candor_stack.issuer import LocalIssuer
from candor_stack.ports import Ports
from google.protobuf.message import Message

API = service_pb2.DESCRIPTOR.services_by_name["ConsentService"]
Hook = Callable[[Tx, Any], Awaitable[None]]


class Refused(Exception):
    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.field = reason, message, field


async def nothing(_tx: Tx, _command: Any) -> None:
    """The hook that does nothing."""


@dataclass
class Toy:
    """A running toy: its name is its own, so that topics and groups of two tests never meet."""

    stack: LocalStack
    folder: Path
    name: str
    database_url: str
    session: Session
    hook: Hook = nothing
    settings: ServiceSettings | None = None
    service: Service | None = None
    _task: asyncio.Task[None] | None = field(default=None, repr=False)

    async def start(self, *, wait: bool = True, **overrides: Any) -> None:
        self.settings = self._settings(**overrides)
        self.service = Service(
            self.name,
            self.settings,
            package="toy_package",
            refused=Refused,
            reasons=reasons_pb2.DESCRIPTOR.enum_types_by_name["Reason"],
        )
        self.service.serve(self._api())
        self.service.consume(
            FactConsumer("echo", f"candor.{self.name}.v1", {facts_pb2.PurposeDefined: self._on_defined})
        )
        self._task = asyncio.create_task(self.service.run())
        if wait:
            await self.ready()

    async def stop(self) -> None:
        if self.service is not None and self._task is not None:
            self.service.stop.set()
            await self._task
            self.service = None

    async def ready(self, *, expected: bool = True, seconds: float = 60) -> dict[str, str]:
        """Wait until the service says it is ready (or not), and return what it says of its parts."""
        async with httpx.AsyncClient() as http, asyncio.timeout(seconds):
            while True:
                assert self._task is not None
                if self._task.done():
                    await self._task
                try:
                    answer = await http.get(self.session.http(self.name) + "/readyz", timeout=10)
                    if answer.json()["ready"] is expected:
                        return dict(answer.json()["parts"])
                except httpx.TransportError:
                    pass
                await asyncio.wait([self._task], timeout=0.1)

    def stub(self, *roles: str) -> service_pb2_grpc_stub:
        from candor.consent.v1 import service_pb2_grpc

        return service_pb2_grpc.ConsentServiceStub(self.session.channel(self.name, *roles))

    def raw(self, token: str | None) -> grpc.aio.Channel:
        address = self.session.description.services[self.name].grpc
        return client.channel_with(address, (lambda: token) if token else None)

    async def effects(self) -> list[str]:
        """The purposes whose commands were carried out, in order."""
        rows = await self.rows("SELECT purpose_id FROM toy ORDER BY ctid")
        return [row["purpose_id"] for row in rows]

    async def said(self, capsys: pytest.CaptureFixture[str], words: str, seconds: float = 20) -> None:
        """Wait until the service has logged these words."""
        said = ""
        async with asyncio.timeout(seconds):
            while words not in said:
                assert self._task is not None
                await asyncio.wait([self._task], timeout=0.05)
                said += capsys.readouterr().out

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        import psycopg
        from psycopg.rows import dict_row

        async with await psycopg.AsyncConnection.connect(
            self.database_url, row_factory=dict_row, autocommit=True
        ) as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def until_effects(self, count: int, seconds: float = 30) -> list[str]:
        async with asyncio.timeout(seconds):
            while len(found := await self.effects()) < count:
                assert self._task is not None
                await asyncio.wait([self._task], timeout=0.05)
        return found

    async def _remember(self, tx: Tx, command: Any) -> None:
        purpose = getattr(command, "purpose_id", "")
        await tx.connection.execute("INSERT INTO toy VALUES (%s, %s)", (command.command_id, purpose))
        await self.hook(tx, command)
        fact = facts_pb2.PurposeDefined()
        fact.purpose.purpose_id = purpose
        await tx.publish(fact, key="one-key")

    async def _on_defined(self, tx: Tx, fact: facts_pb2.PurposeDefined) -> None:
        await tx.connection.execute("INSERT INTO toy VALUES ('fact', %s)", (fact.purpose.purpose_id,))

    def _api(self) -> Api:
        def command(reply: type[Message]) -> Callable[[Tx, Any], Awaitable[Message]]:
            async def handle(tx: Tx, message: Any) -> Message:
                await self._remember(tx, message)
                if reply is service_pb2.GrantConsentResponse:
                    return service_pb2.GrantConsentResponse(consent_id=tx.new_id())
                return reply()

            return handle

        def query(reply: type[Message]) -> Callable[[Query, Any], Awaitable[Message]]:
            async def ask(_query: Query, _request: Any) -> Message:
                return reply()

            return ask

        names = [method.name for method in API.methods]
        changing = {"DefinePurpose", "PublishNotice", "GrantConsent", "WithdrawConsent", "RefuseTraining"}
        replies = {name: getattr(service_pb2, f"{name}Response") for name in names}
        return Api(
            API,
            commands={name: command(replies[name]) for name in names if name in changing},
            queries={name: query(replies[name]) for name in names if name not in changing},
        )

    def _settings(self, **overrides: Any) -> ServiceSettings:
        address = self.session.description.services[self.name]
        kek = self.folder / "kek"
        if not kek.exists():
            kek.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        values: dict[str, Any] = {
            "database_url": self.database_url,
            "kafka_bootstrap_servers": self.stack.kafka_bootstrap_servers,
            "grpc_listen": address.grpc,
            "http_listen": address.http,
            "jwks_file": self.folder / "keys" / "jwks.json",
            "kek_file": kek,
            "data_dir": self.folder,
            **overrides,
        }
        return ServiceSettings(**values)


service_pb2_grpc_stub = Any  # the generated stub's generics differ between sync and async use


@asynccontextmanager
async def toy(stack: LocalStack, folder: Path) -> AsyncIterator[Toy]:
    """A toy that is set up and not yet started."""
    name = f"toy{uuid4().hex[:10]}"
    intake = TopicSpec(f"candor.{name}.intake.v1", 2, max_message_bytes=2_097_152)
    stack.ensure_topics(
        [
            intake,
            TopicSpec(f"candor.{name}.v1", 2),
            TopicSpec(f"candor.{name}.dlq", 1, max_message_bytes=4_194_304),
        ]
    )
    LocalIssuer.open(folder)
    ports = Ports(folder / "ports.json").choose(["grpc", "http"])
    address = ServiceAddress(f"127.0.0.1:{ports['grpc']}", f"127.0.0.1:{ports['http']}", "")
    url = stack.create_database(name)
    description = StackDescription(
        str(folder), 0, 0, stack.kafka_bootstrap_servers, stack.admin_database_url, {name: url}, {name: address}, ""
    )
    async with Session(description) as session:
        made = Toy(stack, folder, name, url, session)
        try:
            yield made
        finally:
            await made.stop()
    stack.drop_database(name)


def define(purpose: str, command_id: str) -> service_pb2.DefinePurposeRequest:
    return service_pb2.DefinePurposeRequest(
        command_id=command_id, purpose_id=purpose, description="d", method="m", categories=["prompt"]
    )


def grant(purpose: str, command_id: str) -> service_pb2.GrantConsentRequest:
    request = service_pb2.GrantConsentRequest(
        command_id=command_id,
        subject="s-1",
        purpose_id=purpose,
        notice_id="n",
        notice_version=1,
        kind=model_pb2.CONSENT_KIND_GENERAL,
        age_band=model_pb2.AGE_BAND_ADULT,
        channel="signup",
    )
    request.given_at.GetCurrentTime()
    return request
