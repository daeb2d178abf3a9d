"""What the handler of a conversation (client-streaming or bidirectional RPC) is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from candor_kit.database import Connection
from candor_kit.errors import Refusal
from candor_kit.transaction import Caller, Transactions, Tx

CarryOut = Callable[[Sequence[Message], Caller], Awaitable[list[Message | Refusal]]]


@dataclass(frozen=True)
class Exchange:
    """One conversation. It holds no connection between its messages, however long it lasts."""

    caller: Caller
    transactions: Transactions
    commands: CarryOut

    @property
    def now(self) -> datetime:
        """The present moment, UTC."""
        return self.transactions.clock.now()

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction; commit on leaving, roll back on an exception."""
        return self.transactions.open(self.caller)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection to read from."""
        return self.transactions.pool.connection()

    async def carry_out(self, commands: Sequence[Message]) -> list[Message | Refusal]:
        """Carry out validated commands of one batched type in one transaction; a reply or a refusal for each."""
        return await self.commands(commands, self.caller)
