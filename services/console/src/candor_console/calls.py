"""Calls to the services in the name of the person who is signed in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import grpc
from candor.edge.v1 import options_pb2
from candor_kit import tracing
from candor_kit.errors import Refusal, Unavailable
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

Question = TypeVar("Question", bound=Message)
Answer = TypeVar("Answer", bound=Message)

# A page waits no longer for a service; it then says which one does not answer.
DEADLINE_SECONDS = 4.0
# A file may take longer: the person sees it come.
LONG_SECONDS = 60.0
OPTIONS = [
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # gRPC's own pause grows to two minutes: a service that is back would still read as away.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED})


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Question, Answer]):
    """One RPC of one service, with what its schema says about it."""

    service: str
    method: MethodDescriptor
    question: type[Question]
    answer: type[Answer]

    @property
    def path(self) -> str:
        """As gRPC names it: `/candor.rights.v1.RightsService/ListRequests`."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the schema admits, as tokens carry them: `privacy_officer`."""
        numbers = self.method.GetOptions().Extensions[options_pb2.roles]
        return frozenset(options_pb2.Role.Name(number).removeprefix("ROLE_").lower() for number in numbers)

    @property
    def views_person(self) -> bool:
        """Whether the service records each call as a view of a person's data."""
        return bool(self.method.GetOptions().Extensions[options_pb2.views_person])


class Calls(Protocol):
    """What the pages need of the services."""

    async def call(self, rpc: Rpc[Question, Answer], question: Question, bearer: str) -> Answer:
        """Ask. Raises candor_kit.errors.Refusal when it refuses, Unavailable (with its name) when it is away."""
        ...

    def stream(self, rpc: Rpc[Question, Answer], question: Question, bearer: str) -> AsyncIterator[Answer]:
        """Ask an RPC that answers in pieces. Raises as `call`, with any piece."""
        ...


class GrpcCalls:
    """The services over gRPC. Channels connect when first used and reconnect by themselves."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._channels = {
            service: grpc.aio.insecure_channel(address, options=OPTIONS) for service, address in addresses.items()
        }

    async def call(self, rpc: Rpc[Question, Answer], question: Question, bearer: str) -> Answer:
        """Ask with the person's own token and the trace of the page."""
        ask = self._channels[rpc.service].unary_unary(
            rpc.path, request_serializer=rpc.question.SerializeToString, response_deserializer=rpc.answer.FromString
        )
        try:
            answer: Answer = await ask(question, timeout=DEADLINE_SECONDS, metadata=_metadata(bearer))
        except grpc.aio.AioRpcError as error:
            raise _translate(rpc.service, error) from error
        return answer

    async def stream(self, rpc: Rpc[Question, Answer], question: Question, bearer: str) -> AsyncIterator[Answer]:
        """Ask for an answer in pieces."""
        ask = self._channels[rpc.service].unary_stream(
            rpc.path, request_serializer=rpc.question.SerializeToString, response_deserializer=rpc.answer.FromString
        )
        try:
            async for piece in ask(question, timeout=LONG_SECONDS, metadata=_metadata(bearer)):
                yield piece
        except grpc.aio.AioRpcError as error:
            raise _translate(rpc.service, error) from error

    async def close(self) -> None:
        """Close every channel."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))


def _metadata(bearer: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {bearer}"), *tracing.inject().items())


def _translate(service: str, error: grpc.aio.AioRpcError) -> Exception:
    refusal = Refusal.from_rpc(error)
    if refusal is not None and error.code() not in AWAY:
        return refusal
    if error.code() in AWAY:
        return Unavailable(service)
    # Not one of ours: a proxy, or a service that failed before its own edge. The details may quote data; leave them.
    return Refusal(error.code().name, "", domain=f"grpc.{service}", status=error.code())
