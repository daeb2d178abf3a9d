"""The whole system as real processes, for integration and chaos tests."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from candor_cli.session import Session
from candor_stack import Runner, RunnerOptions
from psycopg.rows import dict_row


class Deployment(Session):
    """A session on a deployment of our own, which can be looked into and broken."""

    def __init__(self, folder: Path, cache: Path, packs: Path) -> None:
        self.runner = Runner(folder, cache=cache, options=RunnerOptions(packs=packs))

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

    async def rows(self, service: str, query: str, *parameters: object) -> list[dict[str, Any]]:
        """What a service's database holds, for assertions about what is stored."""
        url = self.database_url(service)
        async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
            cursor = await connection.execute(query, parameters)  # the tests' own text
            return await cursor.fetchall()
