"""What the commands of `candor` that ask a service share: where it is, who asks, how a refusal is shown."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import grpc
import typer
from google.protobuf import json_format
from google.protobuf.message import Message

from candor_kit.client import channel_with
from candor_kit.errors import Refusal
from candor_kit.ids import uuid7

_USAGE = 2
T = TypeVar("T")

Token = Annotated[str, typer.Option(envvar="CANDOR_TOKEN", help="A bearer token; for the local stack, `candor token`.")]
"""An option of every command that asks a service."""


@dataclass(frozen=True)
class Terminal:
    """A command and the service it asks: "report" and "escalation"."""

    command: str
    service: str

    @property
    def address_option(self) -> Any:  # noqa: ANN401 - typer's
        """The option that says where the service is."""
        return typer.Option(envvar=self._variable, help="host:port of the service; without it, the local stack's.")

    def call(self, address: str, token: str, ask: Callable[[grpc.aio.Channel], Awaitable[T]]) -> T:
        """Ask the service over a channel; a refusal is printed with its reason and ends the command."""

        async def run() -> T:
            async with channel_with(address or self._local_address(), lambda: token) as channel:
                return await ask(channel)

        try:
            return asyncio.run(run())
        except grpc.aio.AioRpcError as error:
            refusal = Refusal.from_rpc(error)
            self.fail(f"{refusal.reason}: {refusal}" if refusal else f"{error.code().name}: {error.details()}")

    def write(self, content: bytes, output: Path | None) -> None:
        """Write a file, or print its bytes: without a file, or where it is called -."""
        if output is None or str(output) == "-":
            sys.stdout.buffer.write(content)
            return
        try:
            output.write_bytes(content)
        except OSError as error:
            self.fail(f"{output}: {error.strerror}")

    def fail(self, words: str) -> NoReturn:
        """Say why nothing was done, and end with exit code 2."""
        typer.echo(f"candor {self.command}: {words}", err=True)
        sys.exit(_USAGE)

    @property
    def _variable(self) -> str:
        return f"CANDOR_{self.service.upper()}_ADDRESS"

    def _local_address(self) -> str:
        """Where the local stack's service is; a deployment's image has no local stack."""
        try:
            from candor_stack import StackError, find
        except ImportError:
            self.fail(f"say where the service is: --address HOST:PORT or {self._variable}")
        try:
            return find().services[self.service].grpc
        except StackError as error:
            self.fail(f"{error} Or say where the service is: --address HOST:PORT.")


def command_id() -> str:
    """A new command id: a UUIDv7 of now."""
    return str(uuid7(datetime.now(UTC)))


def json_of(message: Message) -> str:
    """A message on one line of JSON, by the names of the schema."""
    return json.dumps(json_format.MessageToDict(message, preserving_proto_field_name=True), ensure_ascii=False)
