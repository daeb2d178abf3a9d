"""Sends what is in the spool when Candor is back: in the order it was kept, with the ids it was given."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

import grpc
from candor.generation.v1.service_pb2 import RecordRequest

from candor_client.backlog import Backlog, Entry
from candor_client.errors import CandorError, Refused, SpoolDamaged, Unavailable
from candor_client.result import Recorded
from candor_client.retry import Retry
from candor_client.transports import Transport

_LOG = logging.getLogger("candor_client")
_OTHERS_LOOK_SECONDS = 1.0
_FAULTS_OF_ONE_RECORD = 20
# The refusal is about the caller or the deployment: another token, another address, and the same record is taken.
_NOT_ABOUT_THE_RECORD = frozenset({
    grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS,
})  # fmt: skip
# A fault of Candor's may be the record's doing; after so many in a row it no longer holds up the others.
_FAULTS = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS})


class Replay:
    """A thread that delivers the backlog.

    Args:
        under_way: how many records at a time; with gRPC, more than one overtake each other.
        on_recorded: is told every record that is delivered.
        on_error: is told once an outage, and every record that is set aside.
    """

    def __init__(
        self,
        backlog: Backlog,
        transport: Callable[[], Transport],
        retry: Retry,
        under_way: int,
        on_recorded: Callable[[Recorded], None],
        on_error: Callable[[CandorError], None],
    ) -> None:
        self._backlog = backlog
        self._transport = transport
        self._retry = retry
        self._under_way = under_way
        self._on_recorded = on_recorded
        self._on_error = on_error
        self._failures = 0
        self._faults = 0
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._delivered = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="candor-replay", daemon=True)

    @property
    def is_away(self) -> bool:
        """Whether the last attempt found Candor away, so that a direct one would only wait."""
        return self._failures > 0

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing more. What is not delivered stays in the spool."""
        self._stopped.set()
        self._wake.set()

    def join(self) -> None:
        """Wait until what was under way has ended."""
        self._thread.join()

    def flush(self, seconds: float) -> bool:
        """Wait until the spool is empty; False where it is not within so many seconds."""
        self.wake()
        with self._delivered:
            return self._delivered.wait_for(self._backlog.is_empty, seconds)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            with self._backlog.lock() as mine:
                pause = self._deliver() if mine else None
            with self._delivered:
                self._delivered.notify_all()
            # Another process's records, and those of one that was killed, announce themselves by nothing.
            waited_for = self._wake if pause is None else self._stopped
            waited_for.wait(_OTHERS_LOOK_SECONDS if pause is None else pause)

    def _deliver(self) -> float | None:
        """Deliver until all is done (None), or until something is in the way: the seconds to wait."""
        while not self._stopped.is_set():
            try:
                entries = self._backlog.batch(self._under_way)
                if not entries:
                    return None
                self._send(entries)
            except SpoolDamaged as error:
                self._on_error(error)
            except CandorError as error:
                return self._hindered(error)
            except Exception as error:  # noqa: BLE001 - a token that cannot be read, a full disk: told, and tried again
                return self._hindered(CandorError(f"the spool cannot be delivered: {error!r}"))
        return None

    def _send(self, entries: list[Entry]) -> None:
        transport = self._transport()
        requests = [RecordRequest.FromString(entry.record) for entry in entries]
        sent = [transport.send(request, self._retry.attempt_seconds) for request in requests]
        try:
            for entry, request, answer in zip(entries, requests, sent, strict=True):
                self._settle(entry, request.command_id, answer)
        finally:
            for answer in sent:
                answer.cancel()

    def _settle(self, entry: Entry, generation_id: str, answer: Future[Recorded]) -> None:
        try:
            recorded = answer.result()
        except Refused as refusal:
            if self._is_in_the_way(refusal):
                raise
            self._backlog.set_aside(generation_id, entry.record, refusal)
            self._on_error(refusal)
        else:
            self._on_recorded(recorded)
        self._failures = self._faults = 0
        self._backlog.done(entry.end)

    def _is_in_the_way(self, refusal: Refused) -> bool:
        """Whether a refusal keeps the record in its place, to be sent again."""
        if refusal.status in _FAULTS:
            self._faults += 1
            return self._faults < _FAULTS_OF_ONE_RECORD
        return refusal.status in _NOT_ABOUT_THE_RECORD

    def _hindered(self, error: CandorError) -> float:
        """Tell once what is in the way; return the seconds to wait."""
        self._failures += 1
        if self._failures == 1 or not isinstance(error, Unavailable):
            self._on_error(error)
        else:
            _LOG.debug("still away: %s", error)
        return self._retry.pause(self._failures)
