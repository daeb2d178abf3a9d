"""How a record leaves. Every way answers by a future, which threads and tasks can both wait for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import grpc
from candor.generation.v1 import screening_pb2_grpc, service_pb2_grpc
from candor.generation.v1.screening_pb2 import ScreenRequest
from candor.generation.v1.service_pb2 import RecordRequest
from google.protobuf.message import Message

from candor_client import command, errors, tracing
from candor_client.result import Recorded, Screened

if TYPE_CHECKING:
    from grpc import Channel

LARGEST_MESSAGE = 16 * 1024 * 1024
Token = Callable[[], str]
T = TypeVar("T")


class Transport(Protocol):
    """Carries records to Candor. Thread-safe. Not usable in a forked child."""

    def send(self, request: RecordRequest, seconds: float) -> Future[Recorded]:
        """Send one record. The future fails with Refused or Unavailable; cancelling it gives the attempt up."""

    def close(self) -> None:
        """Let go of connections; what is under way fails as Unavailable."""


class GrpcTransport:
    """The RPCs of the generation service on one channel."""

    def __init__(self, address: str, token: Token | None, credentials: grpc.ChannelCredentials | None) -> None:
        self.channel = channel(address, credentials)
        self.token = token
        self._generation = service_pb2_grpc.GenerationServiceStub(self.channel)
        self._screening = screening_pb2_grpc.ScreeningServiceStub(self.channel)

    def send(self, request: RecordRequest, seconds: float) -> Future[Recorded]:
        """Send one record."""
        return self._call(self._generation.Record, request, command.recorded, seconds, request.command_id)

    def screen(self, request: ScreenRequest, seconds: float) -> Future[Screened]:
        """Ask what screening decides."""
        return self._call(self._screening.Screen, request, command.screened, seconds, "")

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()

    def _call(
        self,
        method: Any,  # noqa: ANN401 - grpc's own
        request: Message,
        read: Callable[[Any], T],
        seconds: float,
        generation_id: str,
    ) -> Future[T]:
        future: Future[T] = Future()
        call: Any = method.future(request, timeout=seconds, metadata=tuple(metadata(self.token)))

        def answered(done: Any) -> None:  # noqa: ANN401 - grpc's own
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(read(done.result()))
            except grpc.FutureCancelledError:
                future.set_exception(errors.Unavailable("the call was cancelled", generation_id=generation_id))
            except grpc.RpcError as error:
                future.set_exception(errors.from_rpc(error, generation_id))
            except Exception as error:  # noqa: BLE001 - whoever waits for the future gets it
                future.set_exception(error)

        def given_up(done: Future[T]) -> None:
            if done.cancelled():
                call.cancel()

        future.add_done_callback(given_up)
        call.add_done_callback(answered)
        return future


def channel(address: str, credentials: grpc.ChannelCredentials | None) -> Channel:
    """Return a channel: with TLS where credentials are given."""
    options = [
        ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        # By default a service that was away for a while is tried again only after minutes.
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
    if credentials is None:
        return grpc.insecure_channel(address, options=options)
    return grpc.secure_channel(address, credentials, options=options)


def metadata(token: Token | None) -> list[tuple[str, str]]:
    """Return what a call carries beside its message: who calls, and the present trace."""
    who = [] if token is None else [("authorization", f"Bearer {token()}")]
    return [*who, *tracing.headers()]
