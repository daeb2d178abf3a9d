"""What the calls for threads and the calls for tasks have in common: everything but the waiting."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import grpc
from candor.generation.v1.service_pb2 import RecordRequest

from candor_client.backlog import Backlog, SetAside
from candor_client.errors import CandorError, SpoolFull, Unavailable
from candor_client.replay import Replay
from candor_client.result import Recorded, State
from candor_client.retry import Attempts, Retry
from candor_client.sealing import Seal
from candor_client.spool import Spool, WhenFull
from candor_client.transports import GrpcTransport, Token, Transport

_UNDER_WAY_TO_A_TOPIC = 64
_LOG = logging.getLogger("candor_client")


class Given(TypedDict, total=False):
    """The options of a client, by name; see Options for what holds without them."""

    address: str
    token: str | Callable[[], str]
    credentials: grpc.ChannelCredentials
    kafka: str
    kafka_settings: dict[str, Any]
    source: str
    timeout: float
    retry: Retry
    spool: str | Path
    spool_limit_bytes: int
    spool_when_full: WhenFull
    spool_key: bytes
    spool_under_way: int
    on_recorded: Callable[[Recorded], None]
    on_error: Callable[[CandorError], None]


@dataclass(frozen=True)
class Options:
    """How to reach Candor, and what to do while it is away. See `Candor`."""

    address: str | None = None
    token: str | Callable[[], str] | None = field(default=None, repr=False)
    credentials: grpc.ChannelCredentials | None = None
    kafka: str | None = None
    kafka_settings: dict[str, Any] = field(default_factory=dict, repr=False)
    source: str = "backend"
    timeout: float = 10.0
    retry: Retry = field(default_factory=Retry)
    spool: str | Path | None = None
    spool_limit_bytes: int = 256 * 1024 * 1024
    spool_when_full: WhenFull = WhenFull.RAISE
    spool_key: bytes | None = field(default=None, repr=False)
    spool_under_way: int | None = None
    on_recorded: Callable[[Recorded], None] | None = None
    on_error: Callable[[CandorError], None] | None = None

    def __post_init__(self) -> None:
        if (self.address is None) == (self.kafka is None):
            raise ValueError("give either address= (gRPC) or kafka= (the brokers)")

    def transport(self) -> Transport:
        """Make the transport."""
        if self.address is not None:
            return GrpcTransport(self.address, self.bearer(), self.credentials)
        from candor_client.kafka import KafkaTransport

        return KafkaTransport(self.kafka or "", self.source, self.timeout, self.kafka_settings)

    def under_way(self) -> int:
        """Return how many records of the spool are sent at a time; a topic keeps their order by itself."""
        return self.spool_under_way or (_UNDER_WAY_TO_A_TOPIC if self.kafka else 1)

    def bearer(self) -> Token | None:
        """Return what gives the token of the moment."""
        token = self.token
        return (lambda: token) if isinstance(token, str) else token


class Core:
    """Transport, spool and replay of one client.

    Fork: threads and connections do not survive it. A child begins with its own of each, on the same spool; what
    was under way in the parent stays the parent's.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.closed = threading.Event()
        self._inherited: list[Transport | None] = []
        self._seal = Seal(options.spool_key)
        folder = None if options.spool is None else Path(options.spool)
        room = (options.spool_limit_bytes, options.spool_when_full)
        self._spool = None if folder is None else Spool(folder, *room, self._seal)
        self.before_close: list[Callable[[], None]] = []
        self.in_a_child: list[Callable[[], None]] = []
        self._begin()
        _ALL.add(self)
        if self._spool is not None:
            self._running()  # a spool that an earlier process left is delivered without being asked for

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._transport: Transport | None = None
        self._replay: Replay | None = None

    def after_fork(self) -> None:
        """Begin anew in a forked child."""
        # Kept, not closed: to close the parent's connection from here would wait for threads that are not there.
        self._inherited.append(self._transport)
        if self._spool is not None:
            self._spool.after_fork()
        self._begin()
        for begin in self.in_a_child:
            begin()

    def transport(self) -> Transport:
        """Return the transport, made on first use.

        Raises:
            CandorError: the client is closed.
        """
        with self._lock:
            if self.closed.is_set():
                raise CandorError("this client is closed")
            if self._transport is None:
                self._transport = self.options.transport()
            return self._transport

    def rpcs(self) -> GrpcTransport:
        """Return the transport, where it can ask and be answered.

        Raises:
            ValueError: this client only writes to a topic.
        """
        transport = self.transport()
        if not isinstance(transport, GrpcTransport):
            raise ValueError("a topic gives no answers: make another Candor, with address=")  # noqa: TRY004
        return transport

    def attempts(self, timeout: float | None) -> Attempts:
        """Return the attempts of one call."""
        return Attempts(self.options.retry, self.options.timeout if timeout is None else timeout)

    def goes_to_spool(self, *, wait: bool) -> bool:
        """Whether a record is kept at once, without an attempt.

        Raises:
            ValueError: it should be, and there is no spool.
        """
        if self._spool is None:
            if not wait:
                raise ValueError("wait=False keeps the record on disk first: give Candor a spool= folder")
            return False
        return not wait or self._running().is_away

    def keep(self, request: RecordRequest) -> Recorded:
        """Put a record into the spool.

        Raises:
            SpoolFull: it has no room.
            ValueError: there is no spool.
        """
        if self._spool is None:
            raise ValueError("there is no spool: give Candor a spool= folder")
        if self.closed.is_set():
            raise CandorError("this client is closed", generation_id=request.command_id)
        try:
            _position, dropped = self._spool.append(request.SerializeToString())
        except SpoolFull as error:
            error.generation_id = request.command_id
            raise
        if dropped is not None:
            self.failed(dropped)
        self._running().wake()
        return Recorded(request.command_id, State.SPOOLED)

    def away(self, request: RecordRequest, error: Unavailable) -> Recorded:
        """Candor was away until the deadline: keep the record.

        Raises:
            Unavailable: there is no spool.
            SpoolFull: it has no room.
        """
        if self._spool is None:
            raise error
        return self.keep(request)

    def failed(self, error: CandorError) -> None:
        """Tell what no caller is there to be told."""
        _LOG.error("%s", error, extra={"generation_id": error.generation_id})
        if self.options.on_error is not None:
            _told(self.options.on_error, error)

    def refused(self) -> list[SetAside]:
        """Return the records of the spool that Candor refused."""
        return [] if self._spool is None else Backlog(self._spool.folder.path, self._seal).refused()

    def flush(self, timeout: float) -> bool:
        """Wait until the spool is empty."""
        self._before_close()
        return self._spool is None or self._running().flush(timeout)

    def close(self) -> None:
        """Stop, and let go of everything."""
        self._before_close()
        with self._lock:
            if self.closed.is_set():
                return
            self.closed.set()
            replay, transport = self._replay, self._transport
        if replay is not None:
            replay.stop()
        if transport is not None:
            transport.close()
        if replay is not None:
            replay.join()
        if self._spool is not None:
            self._spool.close()

    def _before_close(self) -> None:
        for finish in self.before_close:
            finish()

    def _running(self) -> Replay:
        with self._lock:
            if self._replay is None:
                assert self._spool is not None  # noqa: S101 - the callers have looked
                backlog = Backlog(self._spool.folder.path, self._seal)
                self._replay = Replay(
                    backlog, self.transport, self.options.retry, self.options.under_way(), self._delivered, self.failed
                )
                if not self.closed.is_set():
                    self._replay.start()
            return self._replay

    def _delivered(self, recorded: Recorded) -> None:
        if self.options.on_recorded is not None:
            _told(self.options.on_recorded, recorded)


def _told(listener: Callable[[Any], None], news: Any) -> None:  # noqa: ANN401 - whatever the listener takes
    try:
        listener(news)
    except Exception:  # noqa: BLE001 - logged with its traceback
        # A listener's fault is neither Candor's nor that of the record.
        _LOG.exception("a listener failed")


_ALL: weakref.WeakSet[Core] = weakref.WeakSet()


def _after_fork() -> None:
    for core in list(_ALL):
        core.after_fork()


os.register_at_fork(after_in_child=_after_fork)
