"""What the generation service does with persons' data, in the test's process, on a database and a clock of its own."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from candor.generation.v1 import hold_pb2, model_pb2
from candor.generation.v1.service_pb2 import RecordRequest
from candor.rights.v1 import facts_pb2 as rights_facts_pb2
from candor.rights.v1 import holder_pb2
from candor.rights.v1 import model_pb2 as rights_pb2
from candor_generation.domain import tiles
from candor_generation.handlers import features
from candor_generation.handlers.erasures import Erasures
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.holds import Holds
from candor_generation.handlers.leaves import Leaves
from candor_generation.handlers.recording import Labels, Recording
from candor_generation.handlers.restricting import Restricting
from candor_generation.handlers.screener import Screener
from candor_generation.periods import Periods
from candor_kit import database, envelope
from candor_kit.database import Pool
from candor_kit.ids import uuid7
from candor_kit.keys import HoldKeys, IngestKeys, KeyRing, LocalMaster, Masters
from candor_kit.query import Query
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions, Tx
from candor_stack import LocalStack

from .backend import stamp

COPIES_LAST = timedelta(days=7)
CALLER = Caller("officer", frozenset({"privacy_officer"}))
_TAKEN = 2000
T = TypeVar("T")


class Clock:
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def passes(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class Keeper:
    """The handlers on one database."""

    def __init__(self, url: str, pool: Pool, master: LocalMaster) -> None:
        self.url, self.pool, self.master = url, pool, master
        self.clock = Clock()
        self.ring = KeyRing(Masters(master, None))
        self.keys = IngestKeys(self.ring)
        self.hold_keys = HoldKeys(self.ring)
        self.periods = Periods("candor.local/log", 6, self.clock.now)
        leaves = Leaves(self.periods, lambda: None)
        restricting = Restricting(self.keys, self.hold_keys, leaves)
        self.holding = Holding(self.keys, COPIES_LAST, leaves, restricting)
        self.holds = Holds(self.keys, self.hold_keys, leaves, Wake())
        self.erasures = Erasures(COPIES_LAST, leaves, restricting)
        labels = Labels("0" * 27, explicit=True, sign=lambda _: "")
        self._recording = Recording(self.keys, Screener(), labels, self.periods, lambda: None)
        self._transactions = Transactions("generation", pool, self.clock, Wake())

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        return self._transactions.open(CALLER)

    async def do(self, handler: Callable[[Tx, Any], Awaitable[T]], command: object) -> T:
        async with self.transaction() as tx:
            return await handler(tx, command)

    async def begin(self) -> None:
        async with self.transaction() as tx:
            await self.ring.open(tx.connection)
            await self.periods.open_ahead(tx)
            await features.establish(tx)

    def command(self, subject: str, output: str = "a", *, ago: float = 60.0) -> RecordRequest:
        made_at = self.clock.now() - timedelta(seconds=ago)
        return RecordRequest(
            command_id=str(uuid7(made_at)),
            subject=subject,
            occurred_at=stamp(made_at),
            provider="example",
            model="example-7b",
            product="chat",
            locale="zh-CN",
            modality=model_pb2.MODALITY_TEXT,
            prompt=f"ask {output}",
            output=output,
        )

    async def record(self, *commands: RecordRequest) -> list[str]:
        """Record by the recording batch; return the ids."""
        for start in range(0, len(commands), _TAKEN):
            async with self.transaction() as tx:
                outcomes = await self._recording.record(tx, commands[start : start + _TAKEN])
            for outcome in outcomes:
                assert not isinstance(outcome, Exception), outcome
                outcome()
        return [command.command_id for command in commands]

    async def ask(
        self, subject: str, right: rights_pb2.Right.ValueType = rights_pb2.RIGHT_DELETION, *, ago: float = 0.0
    ) -> rights_pb2.Proof:
        """Carry out a task as if the rights service had asked."""
        fact = rights_facts_pb2.TaskAsked(task_id=str(uuid4()), holder_id="generation", right=right, subject=subject)
        fact.requested_at.FromDatetime(self.clock.now() - timedelta(seconds=ago))
        return await self.do(self.holding.carry_out, fact)

    async def erase(self, generation_id: str) -> hold_pb2.EraseGenerationResponse:
        command = hold_pb2.EraseGenerationRequest(
            command_id=str(uuid4()), generation_id=generation_id, basis="PIPL 47(1)(3)"
        )
        return await self.do(self.erasures.erase_generation, command)

    async def place(self, *generation_ids: str, subject: str = "", hold_id: str = "", seconds: float = 3600) -> str:
        """Place a hold; return its id."""
        command = hold_pb2.PlaceHoldRequest(
            command_id=str(uuid7(self.clock.now())),
            hold_id=hold_id,
            subject=subject,
            generation_ids=generation_ids,
            reason="a complaint is pending",
            citation="GDPR 17(3)(e)",
            until=stamp(self.clock.now() + timedelta(seconds=seconds)),
        )
        answer = await self.do(self.holds.place_hold, command)
        return answer.hold.hold_id

    async def release(self, hold_id: str) -> None:
        command = hold_pb2.ReleaseHoldRequest(command_id=str(uuid4()), hold_id=hold_id)
        await self.do(self.holds.release_hold, command)

    async def end_holds(self) -> None:
        """One round of the loop that ends holds."""
        await self.holds.round(self.transaction)

    @asynccontextmanager
    async def query(self) -> AsyncIterator[Query]:
        async with self.pool.connection() as connection:
            yield Query(connection, self.clock.now(), CALLER)

    async def held(self, hold_id: str) -> dict[str, str]:
        """What a hold keeps, read for its purpose: outputs by id."""
        async with self.query() as query:
            request = hold_pb2.ReadHeldRequest(hold_id=hold_id)
            return {item.generation_id: item.opening.output async for item in self.holds.read_held(query, request)}

    async def stream(self, subject: str) -> AsyncIterator[holder_pb2.ExportResponse]:
        async with self.query() as query:
            async for item in self.holding.export(
                query, holder_pb2.ExportRequest(task_id=str(uuid4()), subject=subject)
            ):
                yield item

    async def export(self, subject: str) -> list[holder_pb2.ExportResponse]:
        return [item async for item in self.stream(subject)]

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)  # the tests' own text
            return await cursor.fetchall()

    async def entries(self) -> list[bytes]:
        """Every leaf of the generation log in the order of acceptance."""
        found = await self.rows(
            "SELECT entries FROM addition JOIN log USING (log_id) WHERE kind = 'generation' ORDER BY addition_id"
        )
        return [entry for row in found for entry in tiles.unbundle(row["entries"])]

    async def published(self, *kinds: type[Any]) -> list[Any]:
        """What waits to be published, of some types, in order."""
        by_name = {kind.DESCRIPTOR.full_name: kind for kind in kinds}
        found = []
        for row in await self.rows("SELECT headers, value FROM kit_outbox ORDER BY id"):
            head = envelope.read([(name, _decoded(value)) for name, value in row["headers"]])
            if head.type in by_name:
                found.append(by_name[head.type].FromString(row["value"]))
        return found


def _decoded(value: str) -> bytes:
    return base64.b64decode(value)


@asynccontextmanager
async def keeper(stack: LocalStack) -> AsyncIterator[Keeper]:
    """A keeper on a database that is gone afterwards."""
    name = f"keeper{uuid4().hex[:10]}"
    url = stack.create_database(name)
    try:
        await database.migrate(url, {"kit": "candor_kit", "generation": "candor_generation"})
        async with database.pool(url, 6) as pool:
            made = Keeper(url, pool, LocalMaster(secrets.token_bytes(32)))
            await made.begin()
            yield made
    finally:
        stack.drop_database(name)
