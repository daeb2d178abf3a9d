"""Commands, whichever way they came in: one validation, one idempotency, one handler, one transaction."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from candor_kit.api import Api, BatchHandler, CommandHandler, Method
from candor_kit.errors import EDGE, Reasons, Refusal
from candor_kit.ids import milliseconds_of, time_of
from candor_kit.transaction import Caller, Transactions, Tx

REMEMBERED = timedelta(days=35)
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Command:
    """One command type: its RPC, its handler (one of the two), its reply."""

    method: Method
    reply: type[Message]
    handler: CommandHandler | None = None
    batch: BatchHandler | None = None


class Commands:
    """Every command of a service, by the full name of its message."""

    def __init__(self, apis: list[Api], refused: type[Exception], reasons: Reasons, digest_key: bytes) -> None:
        self._refused = refused
        self._reasons = reasons
        self._digest_key = digest_key
        self.by_type = {
            method.request_type: Command(
                method, _reply_class(api, method.name), api.commands.get(method.name), api.batches.get(method.name)
            )
            for api in apis
            for method in api.methods()
            if method.name in api.commands or method.name in api.batches
        }

    def translate(self, error: Exception) -> Refusal | None:
        """Return the refusal that an exception means, or None when it is a fault of the program."""
        if isinstance(error, Refusal):
            return error
        if isinstance(error, self._refused):
            return self._reasons.refusal(
                getattr(error, "reason", ""), getattr(error, "message", ""), field=getattr(error, "field", "")
            )
        return None

    async def run_many(
        self, transactions: Transactions, messages: Sequence[Message], caller: Caller
    ) -> list[Message | Refusal]:
        """Carry out validated commands of one batched type in one transaction; a reply or a refusal for each."""

        async def work(tx: Tx) -> list[Message | Refusal]:
            return [made if isinstance(made, Refusal) else made() for made in await self.apply_many(tx, messages)]

        return await transactions.run(caller, work) if messages else []

    async def apply_many(self, tx: Tx, messages: Sequence[Message]) -> list[Refusal | Callable[[], Message]]:
        """Carry out validated commands of one batched type in an open transaction.

        Returns:
            For each command why it is refused, or how to make its reply.
        """
        oldest, latest = (int(at.timestamp() * 1000) for at in (tx.now - REMEMBERED, tx.now + _AHEAD))
        outcomes: list[Refusal | Callable[[], Message] | None] = [
            _badly_named(message, oldest, latest) for message in messages
        ]
        taken = [place for place, outcome in enumerate(outcomes) if outcome is None]
        batch = self.by_type[messages[0].DESCRIPTOR.full_name].batch
        if batch is None:
            raise TypeError(f"{messages[0].DESCRIPTOR.full_name} is not taken in batches")
        made = await batch(tx, [messages[place] for place in taken]) if taken else []
        for place, outcome in zip(taken, made, strict=True):
            outcomes[place] = self._told(outcome) if isinstance(outcome, Exception) else outcome
        return [outcome for outcome in outcomes if outcome is not None]

    def _told(self, error: Exception) -> Refusal:
        refusal = self.translate(error)
        if refusal is None:
            raise error
        return refusal

    async def run(self, transactions: Transactions, message: Message, caller: Caller) -> Message:
        """Carry out a validated command in a transaction of its own and return its reply."""

        async def work(tx: Tx) -> Message:
            return await self.apply(tx, message)

        return await transactions.run(caller, work)

    async def apply(self, tx: Tx, message: Message) -> Message:
        """Carry out a validated command in an open transaction and return its reply, the first one if it is a repeat.

        Raises:
            Refusal: COMMAND_ID_INVALID, COMMAND_TOO_OLD, COMMAND_ID_REUSED.
            Exception: what the handler refuses.
        """
        command = self.by_type[message.DESCRIPTOR.full_name]
        if command.handler is None:
            (outcome,) = await self.apply_many(tx, [message])
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome()
        identifier = self._identifier(message, tx)
        digest = self._digest(message)
        cursor = await tx.connection.execute(
            "INSERT INTO kit_command (command_id, made_at, digest) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (identifier, time_of(identifier), digest),
        )
        if cursor.rowcount == 0:
            return await self._first_reply(tx, identifier, digest, command)
        reply = await command.handler(tx, message)
        await tx.connection.execute(
            "UPDATE kit_command SET reply = %s WHERE command_id = %s", (reply.SerializeToString(), identifier)
        )
        return reply

    @staticmethod
    def _identifier(message: Message, tx: Tx) -> UUID:
        text = cast("str", message.command_id)  # type: ignore[attr-defined]  # field 1 of every command
        try:
            identifier = UUID(text)
            made_at = time_of(identifier)
        except ValueError as error:
            raise _invalid() from error
        if made_at < tx.now - REMEMBERED:
            raise _too_old()
        if made_at > tx.now + _AHEAD:
            raise _ahead()
        return identifier

    def _digest(self, message: Message) -> bytes:
        body = message.DESCRIPTOR.full_name.encode() + b"\0" + message.SerializeToString(deterministic=True)
        return hmac.digest(self._digest_key, body, hashlib.sha256)

    @staticmethod
    async def _first_reply(tx: Tx, identifier: UUID, digest: bytes, command: Command) -> Message:
        cursor = await tx.connection.execute(
            "SELECT digest, reply FROM kit_command WHERE command_id = %s", (identifier,)
        )
        row = await cursor.fetchone()
        if row is None or not hmac.compare_digest(row["digest"], digest):
            raise EDGE.refusal(
                "COMMAND_ID_REUSED", "this command_id was used before with another body", field="command_id"
            )
        return command.reply.FromString(row["reply"])


def _badly_named(message: Message, oldest: int, latest: int) -> Refusal | None:
    """Why a command may not have the id it has; `oldest` and `latest` in milliseconds since 1970."""
    try:
        made_at = milliseconds_of(message.command_id)  # type: ignore[attr-defined]  # field 1 of every command
    except ValueError:
        return _invalid()
    if made_at > latest:
        return _ahead()
    return _too_old() if made_at < oldest else None


def _invalid() -> Refusal:
    return EDGE.refusal("COMMAND_ID_INVALID", "command_id must be a UUIDv7", field="command_id")


def _ahead() -> Refusal:
    # Such an id would be remembered far longer than others, and belong to a time that nothing is prepared for.
    message = "command_id was made more than a day from now; look at the clock of the machine that made it"
    return EDGE.refusal("COMMAND_ID_INVALID", message, field="command_id")


def _too_old() -> Refusal:
    return EDGE.refusal(
        "COMMAND_TOO_OLD",
        f"command_id was made more than {REMEMBERED.days} days ago; look whether the command was carried out,"
        " and if not, send it with a new id",
        field="command_id",
    )


def _reply_class(api: Api, name: str) -> type[Message]:
    return GetMessageClass(api.descriptor.methods_by_name[name].output_type)
