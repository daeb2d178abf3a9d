"""Which RPC of a service is which handler, checked for completeness when the service starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from candor.edge.v1 import options_pb2
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from candor_kit.exchange import Exchange
from candor_kit.query import Query
from candor_kit.transaction import Tx

# The message types differ per RPC; the descriptor says which, and `Api` checks that every RPC is covered.
CommandHandler = Callable[[Tx, Any], Awaitable[Message]]
QueryHandler = Callable[[Query, Any], Awaitable[Message]]
StreamHandler = Callable[[Query, Any], AsyncIterator[Message]]
ExchangeHandler = Callable[[Exchange, AsyncIterator[Any]], AsyncIterator[Message]]
# What became of one command of a batch: why it is refused, or how its reply is made (a topic asks for none).
Outcome = Exception | Callable[[], Message]
BatchHandler = Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Outcome]]]

_ROLE_PREFIX = "ROLE_"


@dataclass(frozen=True)
class Api:
    """The RPCs of one gRPC service.

    Attributes:
        descriptor: the service of the proto.
        commands: RPC name -> handler in a transaction; taken from the intake topic as well.
        queries: RPC name -> question.
        streams: RPC name -> server stream.
        batches: RPC name -> handler of many commands of one type in a transaction, taken from the intake topic as well.
            It tells a repeat from the first by itself, and returns an outcome for each command, in order.
        exchanges: RPC name -> conversation: requests stream in, replies stream out.
    """

    descriptor: ServiceDescriptor
    commands: Mapping[str, CommandHandler] = field(default_factory=dict)
    queries: Mapping[str, QueryHandler] = field(default_factory=dict)
    streams: Mapping[str, StreamHandler] = field(default_factory=dict)
    batches: Mapping[str, BatchHandler] = field(default_factory=dict)
    exchanges: Mapping[str, ExchangeHandler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every RPC is covered exactly once.

        Raises:
            LookupError: naming the RPCs that are missing, unknown or covered twice.
        """
        covered = [*self.commands, *self.queries, *self.streams, *self.batches, *self.exchanges]
        wanted = {method.name for method in self.descriptor.methods}
        wrong = wanted.symmetric_difference(covered) | {name for name in covered if covered.count(name) > 1}
        if wrong:
            msg = f"{self.descriptor.full_name}: not covered exactly once: {', '.join(sorted(wrong))}"
            raise LookupError(msg)

    def methods(self) -> list[Method]:
        """Return the RPCs in the order of the proto."""
        return [Method(method) for method in self.descriptor.methods]


class Method:
    """What the proto says of one RPC."""

    def __init__(self, descriptor: MethodDescriptor) -> None:
        options = descriptor.GetOptions()
        self.name = descriptor.name
        self.path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        self.request: type[Message] = GetMessageClass(descriptor.input_type)
        self.request_type = descriptor.input_type.full_name
        self.views_person = bool(options.Extensions[options_pb2.views_person])
        self.roles = frozenset(
            options_pb2.Role.Name(role).removeprefix(_ROLE_PREFIX).lower()
            for role in options.Extensions[options_pb2.roles]
        )
