"""The whole system as real processes, for integration and chaos tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import psycopg
from candor.rights.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import Published, Session, command_id
from candor_kit import envelope
from candor_stack import Runner, RunnerOptions
from candor_stack.services import ALL
from google.protobuf.message import Message
from psycopg.rows import dict_row

_PATIENCE_SECONDS = 60.0


class Deployment(Session):
    """A session on a deployment of our own, which can be looked into and broken."""

    def __init__(self, folder: Path, cache: Path, packs: Path, services: Sequence[str] = ALL) -> None:
        self.runner = Runner(folder, cache=cache, options=RunnerOptions(services=services, packs=packs))

    async def __aenter__(self) -> Self:
        self.runner.start()
        super().__init__(self.runner.description)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
        self.runner.stop()

    def database_url(self, service: str) -> str:
        return self.description.database_urls[service]

    async def ask(
        self,
        holder_id: str,
        subject: str,
        right: model_pb2.Right.ValueType,
        *,
        requested_at: datetime | None = None,
        task_id: str = "",
        attempt: int = 1,
    ) -> service_pb2.AnswerTaskRequest:
        """Ask a holder as the rights service does, and wait for the answer to that attempt."""
        fact = facts_pb2.TaskAsked(
            task_id=task_id or str(uuid4()),
            request_id=str(uuid4()),
            holder_id=holder_id,
            right=right,
            subject=subject,
            attempt=attempt,
        )
        fact.requested_at.FromDatetime(requested_at or datetime.now(UTC))
        headers = envelope.headers_of(
            identifier=command_id(),
            message_type=fact.DESCRIPTOR.full_name,
            source="candor.rights",
            at=datetime.now(UTC),
        )
        producer = await self._kafka_producer()
        await producer.send_and_wait(
            "candor.rights.v1", key=fact.request_id.encode(), value=fact.SerializeToString(), headers=headers
        )
        answers = await self._follower("candor.rights.intake.v1").wait(
            service_pb2.AnswerTaskRequest, lambda answer: answer.task_id == fact.task_id, attempt, _PATIENCE_SECONDS
        )
        return answers[-1]

    async def tell(self, service: str, fact: Message, *, at: datetime) -> Published:
        """Publish a fact as a service does, at a moment of ours."""
        told = Published(f"candor.{service}", command_id(), fact.DESCRIPTOR.full_name, fact.SerializeToString())
        headers = envelope.headers_of(identifier=told.fact_id, message_type=told.type, source=told.source, at=at)
        producer = await self._kafka_producer()
        await producer.send_and_wait(
            f"candor.{service}.v1", key=told.fact_id.encode(), value=told.value, headers=headers
        )
        return told

    async def rows(self, service: str, query: str, *parameters: object) -> list[dict[str, Any]]:
        """What a service's database holds, for assertions about what is stored."""
        url = self.database_url(service)
        async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
            cursor = await connection.execute(query, parameters)  # the tests' own text
            return await cursor.fetchall()
