"""A database with kit's tables and nothing else, and replicas of a service that keep keys in it."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from candor_kit import database
from candor_kit.database import Connection, Pool
from candor_kit.keys import HoldKeys, IngestKeys, KeyRing, LocalMaster, MasterKey, Masters, SubjectKeys
from candor_stack import LocalStack
from psycopg.rows import dict_row


@dataclass
class Replica:
    """One process of a service, as far as keys go: a pool, a ring and keys of its own."""

    pool: Pool
    ring: KeyRing
    keys: SubjectKeys
    batches: IngestKeys
    holds: HoldKeys

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.pool.connection() as connection, connection.transaction():
            yield connection

    async def key(self, subject: str) -> bytes:
        async with self.transaction() as connection:
            return await self.keys.key(connection, subject)

    async def take(self, *subjects: str) -> dict[str, bytes]:
        async with self.transaction() as connection:
            return {name: found.key for name, found in (await self.batches.take_many(connection, subjects)).items()}


@dataclass
class KeyDatabase:
    """A database of its own."""

    url: str
    master: LocalMaster

    @asynccontextmanager
    async def replica(
        self, current: MasterKey | None = None, previous: MasterKey | None = None
    ) -> AsyncIterator[Replica]:
        ring = KeyRing(Masters(current or self.master, previous))
        async with database.pool(self.url, 6) as pool:
            async with pool.connection() as connection, connection.transaction():
                await ring.open(connection)
            yield Replica(pool, ring, SubjectKeys(ring), IngestKeys(ring), HoldKeys(ring))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row, autocommit=True) as connection:
            yield connection

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def until(self, query: str, seconds: float = 20) -> None:
        """Wait until a query of another process's doing gives a row."""
        async with asyncio.timeout(seconds), self.connection() as connection:
            while not await (await connection.execute(query)).fetchall():  # noqa: ASYNC110 - its commits tell nobody
                await asyncio.sleep(0.02)

    async def until_somebody_waits(self) -> None:
        await self.until(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

    async def command(self, *words: str, **environment: str) -> asyncio.subprocess.Process:
        """Start `candor keys …` as a process of its own, on this database."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CANDOR_")}
        variables = {
            "CANDOR_DATABASE_URL": self.url,
            "CANDOR_KEK": base64.b64encode(self.master.key).decode(),
            **environment,
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "candor_cli",
            "keys",
            *words,
            env={**inherited, **{name: value for name, value in variables.items() if value}},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def said(self, *words: str, **environment: str) -> tuple[int, str]:
        process = await self.command(*words, **environment)
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()


@asynccontextmanager
async def key_database(stack: LocalStack, *, migrated: bool = True) -> AsyncIterator[KeyDatabase]:
    """A database that is gone afterwards."""
    name = f"keys{uuid4().hex[:10]}"
    made = KeyDatabase(stack.create_database(name), LocalMaster(secrets.token_bytes(32)))
    try:
        if migrated:
            await database.migrate(made.url, {"kit": "candor_kit"})
        yield made
    finally:
        stack.drop_database(name)


def key_file(folder: Path, master: LocalMaster) -> str:
    """A master key as the file that an operator would write."""
    file = folder / f"{master.id.replace(':', '-')}.kek"
    file.write_text(base64.b64encode(master.key).decode() + "\n")
    return str(file)
