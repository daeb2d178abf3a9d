"""The rights service as a real process, and holders that the test plays."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import psycopg
from candor.rights.v1 import facts_pb2, holder_pb2, holder_pb2_grpc, model_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import Session, command_id
from candor_kit.errors import Refusal
from candor_stack import Runner, RunnerOptions
from google.protobuf.timestamp_pb2 import Timestamp
from psycopg.rows import dict_row

SERVICES = ("consent", "escalation", "generation", "refutation")


async def until(check: Callable[[], Any], *, seconds: float = 30, every: float = 0.1) -> None:
    """Wait for what has no event to await: a row, a file."""
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(every)


def now() -> datetime:
    return datetime.now(UTC)


def stamp(at: datetime) -> Timestamp:
    wire = Timestamp()
    wire.FromDatetime(at)
    return wire


def proof(
    *, outcome: model_pb2.Outcome.ValueType = model_pb2.OUTCOME_DONE, expires: datetime | None = None, **kinds: int
) -> model_pb2.Proof:
    counts = [model_pb2.KindCount(kind=kind, count=count) for kind, count in kinds.items()]
    made = model_pb2.Proof(outcome=outcome, kinds=counts, completed_at=stamp(now()))
    if expires is not None:
        made.last_copy_expires_at.CopyFrom(stamp(expires))
    return made


@dataclass
class PlayedHolder(holder_pb2_grpc.DataHolderServiceServicer):
    """A DataHolderService whose answers the test sets. `away`: it refuses; `gate`: it stops after its first item."""

    items: dict[str, list[tuple[str, str, bytes]]] = field(default_factory=dict)
    away: bool = False
    gate: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    address: str = ""

    async def Export(  # noqa: N802 - the generated name
        self, request: holder_pb2.ExportRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[holder_pb2.ExportResponse]:
        metadata = dict(context.invocation_metadata() or ())
        self.calls.append((request.task_id, request.subject, str(metadata.get("authorization", ""))))
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        for kind, item_id, data in self.items.get(request.subject, []):
            yield holder_pb2.ExportResponse(kind=kind, item_id=item_id, occurred_at=stamp(now()), json=data)
            if self.gate is not None:
                self.reached.set()
                await self.gate.wait()


@asynccontextmanager
async def serving(holder: PlayedHolder) -> AsyncIterator[PlayedHolder]:
    server = grpc.aio.server()
    holder_pb2_grpc.add_DataHolderServiceServicer_to_server(holder, server)
    holder.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield holder
    finally:
        await server.stop(None)


@dataclass
class Rights:
    """A running rights service, a session on it, and the holders behind it."""

    runner: Runner
    session: Session
    holders: dict[str, PlayedHolder]
    extra: dict[str, str]

    @property
    def stub(self) -> Any:
        return self.as_caller("backend", "privacy_officer")

    def as_caller(self, *roles: str, name: str = "shop") -> Any:
        return service_pb2_grpc.RightsServiceStub(self.session.channel("rights", *roles, name=name))

    def start(self) -> None:
        self.runner.start_service("rights", self.extra)

    async def open(
        self, subject: str, right: model_pb2.Right.ValueType, contact: str = "", received_at: datetime | None = None
    ) -> str:
        return str((await self.stub.OpenRequest(opening(subject, right, contact, received_at))).request_id)

    async def verify(self, request_id: str, *, verified: bool = True) -> service_pb2.VerifyIdentityResponse:
        answer: service_pb2.VerifyIdentityResponse = await self.stub.VerifyIdentity(
            verifying(request_id, verified=verified)
        )
        return answer

    async def asks(self, request_id: str, count: int = 4, attempt: int = 1) -> list[facts_pb2.TaskAsked]:
        return await self.session.facts(
            "rights",
            facts_pb2.TaskAsked,
            lambda fact: fact.request_id == request_id and fact.attempt == attempt,
            count=count,
        )

    async def answer(self, ask: facts_pb2.TaskAsked, given: model_pb2.Proof, holder_id: str = "") -> None:
        """Answer as our services do: by a command on the intake topic."""
        await self.session.emit(
            "rights", answering(ask.task_id, holder_id or ask.holder_id, given), source=ask.holder_id
        )

    async def answered(self, request_id: str, count: int) -> list[facts_pb2.TaskAnswered]:
        return await self.session.facts(
            "rights", facts_pb2.TaskAnswered, lambda fact: fact.request_id == request_id, count=count
        )

    async def carry_out(self, request_id: str, count: int = 4, expires: datetime | None = None) -> None:
        """Verify the person and answer every task."""
        await self.verify(request_id)
        for ask in await self.asks(request_id, count):
            await self.answer(ask, proof(expires=expires, thing=1))
        await self.answered(request_id, count)

    async def closed(self, request_id: str) -> facts_pb2.RequestClosed:
        facts = await self.session.facts(
            "rights", facts_pb2.RequestClosed, lambda fact: fact.request_id == request_id, timeout=60
        )
        return facts[0]

    async def get(self, request_id: str) -> service_pb2.GetRequestResponse:
        answer: service_pb2.GetRequestResponse = await self.stub.GetRequest(
            service_pb2.GetRequestRequest(request_id=request_id)
        )
        return answer

    async def package(self, request_id: str) -> list[bytes]:
        request = service_pb2.GetPackageRequest(request_id=request_id)
        return [reply.chunk async for reply in self.stub.GetPackage(request)]

    async def document(self, request_id: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(b"".join(await self.package(request_id)))
        return loaded

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        url = self.session.description.database_urls["rights"]
        async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row, autocommit=True) as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def until_rows(self, query: str, *parameters: object) -> None:
        """Wait until a question to the database has an answer with rows."""
        await until(lambda: self.rows(query, *parameters), every=0.01)

    @property
    def folder(self) -> Path:
        return self.runner.folder / "services" / "rights" / "packages"


def opening(
    subject: str, right: model_pb2.Right.ValueType, contact: str = "", received_at: datetime | None = None
) -> service_pb2.OpenRequestRequest:
    return service_pb2.OpenRequestRequest(
        command_id=command_id(),
        subject=subject,
        right=right,
        regime=model_pb2.REGIME_PIPL,
        received_at=stamp(received_at or now() - timedelta(minutes=1)),
        contact=contact,
    )


def verifying(request_id: str, *, verified: bool = True) -> service_pb2.VerifyIdentityRequest:
    return service_pb2.VerifyIdentityRequest(
        command_id=command_id(), request_id=request_id, verified=verified, method="session", evidence_ref="login:4711"
    )


def answering(task_id: str, holder_id: str, given: model_pb2.Proof) -> service_pb2.AnswerTaskRequest:
    return service_pb2.AnswerTaskRequest(command_id=command_id(), task_id=task_id, holder_id=holder_id, proof=given)


def refusal(error: grpc.aio.AioRpcError) -> str:
    found = Refusal.from_rpc(error)
    return found.reason if found is not None else error.code().name


@asynccontextmanager
async def rights_alone(
    folder: Path, jar_cache: Path, packs: Path, holders: Sequence[PlayedHolder]
) -> AsyncIterator[Rights]:
    """Rights without the other services: their addresses are those of the played holders."""
    named = dict(zip(SERVICES, holders, strict=True))
    extra = {f"CANDOR_{name.upper()}_ADDRESS": holder.address for name, holder in named.items()} | {
        "CANDOR_RIGHTS_ASK_AGAIN_SECONDS": "2",
        "CANDOR_RIGHTS_SWEEP_SECONDS": "0.3",
        "CANDOR_RIGHTS_ASSEMBLY_LEASE_SECONDS": "3",
        "CANDOR_RIGHTS_ASSEMBLY_RETRY_SECONDS": "1",
        "CANDOR_INTAKE_RETENTION_SECONDS": "4",
    }
    runner = Runner(folder, cache=jar_cache, options=RunnerOptions(services=("rights",), packs=packs))
    try:
        await asyncio.to_thread(runner.start)
        await asyncio.to_thread(runner.restart_service, "rights", extra)
        async with Session(runner.description) as session:
            yield Rights(runner, session, named, extra)
    finally:
        await asyncio.to_thread(runner.stop)
