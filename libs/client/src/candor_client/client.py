"""The client: `Candor` for threads, `AsyncCandor` for tasks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, Unpack

from candor.generation.v1.screening_pb2 import ScreenRequest

from candor_client import command, labelling
from candor_client.backlog import SetAside
from candor_client.core import Core, Given, Options
from candor_client.errors import Unavailable
from candor_client.labelling import Order
from candor_client.result import Explicit, Labelled, Modality, Recorded, Screened

T = TypeVar("T")


class _Client:
    """What both have: how they are built, and what does not wait for the network.

    Args (all by name):
        address: "host:port" of the generation service; gRPC. Or
        kafka: "host:port,…" of the brokers; records go to candor.generation.intake.v1, and neither label nor decision
            comes back. Needs `candor-client[kafka]`.
        token: the bearer token with the role `backend`, or what returns the one of the moment. gRPC only.
        credentials: `grpc.ssl_channel_credentials(…)` for TLS; without, the connection is in the clear.
        kafka_settings: further settings of librdkafka: "security.protocol", "sasl.mechanism", ….
        source: the name of this backend, `ce_source` of its records. Kafka only.
        timeout: seconds for one call, its repeats included.
        retry: see Retry.
        spool: a folder where records wait while Candor is away. Prompts and outputs are personal data: the folder is
            its owner's only (0700, files 0600), and `spool_key` seals what stands in it. Several processes may
            share it.
        spool_limit_bytes: the most that the folder may hold.
        spool_when_full: WhenFull.RAISE (SpoolFull to the caller) or WhenFull.DROP_OLDEST (told to `on_error`).
        spool_key: 32 bytes, AES-256-GCM. Needs `candor-client[sealed]`.
        spool_under_way: how many records of the spool are sent at a time. By default one over gRPC, which
            keeps their order; more is faster, and lets them overtake each other.
        on_recorded: is told each record that left the spool, with label and decision. From a thread of the client's.
        on_error: is told what has no caller: a record of the spool that is refused, an outage, records dropped. From a
            thread of the client's. All of it is logged too, under "candor_client", without prompt or output.

    A record in the spool is sent again until Candor answers. One that Candor refuses is set aside with the reason
    (`refused()`) and holds up no other. Candor takes a command id for 35 days; what was spooled for longer is refused.
    """

    def __init__(self, **options: Unpack[Given]) -> None:
        self.core = Core(Options(**options))

    def refused(self) -> list[SetAside]:
        """Return what left the spool and was refused."""
        return self.core.refused()


class Candor(_Client):
    """Records generations; thread-safe. `with Candor(address=…, token=…) as candor: candor.record(…)`."""

    def record(
        self,
        *,
        subject: str,
        provider: str,
        model: str,
        product: str,
        prompt: str,
        output: str,
        locale: str,
        modality: Modality = Modality.TEXT,
        occurred_at: datetime | None = None,
        generation_id: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
    ) -> Recorded:
        """Record one generation. From the moment that this returns, it is not lost.

        Args:
            subject: the account id, opaque; never an e-mail address or a phone number.
            provider: who runs the model: "acme".
            model: "acme-7b".
            product: "chat".
            prompt: at most 262,144 bytes.
            output: at most 524,288 bytes; for other modalities than text a description and the SHA-256 of the content.
            locale: of the output: "zh-CN".
            modality: what kind of content.
            occurred_at: when it was generated, with a time zone; now, where it is not given.
            generation_id: a UUIDv7. Give that of an error to try again: however often it is sent, it is recorded once.
            wait: False keeps the record in the spool and returns; the answer goes to `on_recorded`. There is no label
                then: only Candor can make one.
            timeout: seconds, instead of the client's.

        Returns:
            Label, decision and hits; or, with the spool and while Candor is away, only that it follows.

        Raises:
            Refused: the record is not taken; fields and reason are named.
            Unavailable: no answer in time, and there is no spool. Its `generation_id` is the one to try again with.
            SpoolFull: Candor is away and the spool has no room.
        """
        request = command.record_request(
            subject=subject, provider=provider, model=model, product=product, prompt=prompt, output=output,
            locale=locale, modality=modality, occurred_at=occurred_at, generation_id=generation_id,
        )  # fmt: skip
        if self.core.goes_to_spool(wait=wait):
            return self.core.keep(request)
        try:
            return self._answer(lambda seconds: self.core.transport().send(request, seconds), timeout)
        except Unavailable as error:
            return self.core.away(request, error)

    def screen(self, prompt: str = "", output: str = "", *, timeout: float | None = None) -> Screened:
        """Ask what screening decides about texts, before they are shown; nothing is put on record. gRPC only.

        Raises:
            Refused, Unavailable.
        """
        request = ScreenRequest(prompt=prompt, output=output)
        return self._answer(lambda seconds: self.core.rpcs().screen(request, seconds), timeout)

    def label(
        self,
        content: bytes | str | os.PathLike[str],
        target: str | os.PathLike[str] | None = None,
        *,
        generation_id: str,
        locale: str,
        media_type: str | None = None,
        explicit: Explicit | None = None,
        supersede: bool = False,
        credentials: bool = False,
        timeout: float = 600.0,
    ) -> Labelled:
        """Put the label of a generation into its content. gRPC only.

        Args:
            content: bytes, or the path of a file.
            target: the path of the labelled file, which appears when it is whole; the content's own will do. Without
                it, the labelled content is in the answer.
            generation_id: of the record, which may still be on its way.
            locale: of those who will see it.
            media_type: "image/png"; a file's name tells it where it is not given.
            explicit: also make the label visible or audible. Without, whoever shows the content shows a label with it.
            supersede: the content carries another label, and was made anew out of what had it.
            credentials: also bind a C2PA manifest to it.
            timeout: seconds for the whole file. It is tried once.

        Raises:
            Refused, Unavailable.
            ValueError: nothing says what kind of content it is.
            OSError: a file cannot be read or written.
        """
        order = Order(content, generation_id, media_type, locale, explicit, supersede, credentials)
        return labelling.label(self.core.rpcs(), order, None if target is None else Path(target), timeout)

    def _answer(self, send: Callable[[float], Future[T]], timeout: float | None) -> T:
        """Send until there is an answer or the time is up."""
        attempts = self.core.attempts(timeout)
        while True:
            try:
                return send(attempts.seconds()).result()
            except Unavailable:
                pause = attempts.pause()
                if pause is None:
                    raise
            self.core.closed.wait(pause)

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until the spool is empty; False where it is not within so many seconds."""
        return self.core.flush(timeout)

    def close(self) -> None:
        """Let go of connections and threads. What is in the spool stays there, for the next process."""
        self.core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncCandor(_Client):
    """Records generations from tasks. `async with AsyncCandor(…) as candor: await candor.record(…)`."""

    async def record(
        self,
        *,
        subject: str,
        provider: str,
        model: str,
        product: str,
        prompt: str,
        output: str,
        locale: str,
        modality: Modality = Modality.TEXT,
        occurred_at: datetime | None = None,
        generation_id: str | None = None,
        wait: bool = True,
        timeout: float | None = None,  # noqa: ASYNC109 - repeats share it
    ) -> Recorded:
        """Record one generation; see `Candor.record`. When the task is cancelled it may be on record or not."""
        request = command.record_request(
            subject=subject, provider=provider, model=model, product=product, prompt=prompt, output=output,
            locale=locale, modality=modality, occurred_at=occurred_at, generation_id=generation_id,
        )  # fmt: skip
        if self.core.goes_to_spool(wait=wait):
            return await asyncio.to_thread(self.core.keep, request)
        try:
            return await self._answer(lambda seconds: self.core.transport().send(request, seconds), timeout)
        except Unavailable as error:
            return await asyncio.to_thread(self.core.away, request, error)

    async def screen(
        self,
        prompt: str = "",
        output: str = "",
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - repeats share it
    ) -> Screened:
        """Ask what screening decides about texts; see `Candor.screen`."""
        request = ScreenRequest(prompt=prompt, output=output)
        return await self._answer(lambda seconds: self.core.rpcs().screen(request, seconds), timeout)

    async def label(
        self,
        content: bytes | str | os.PathLike[str],
        target: str | os.PathLike[str] | None = None,
        *,
        generation_id: str,
        locale: str,
        media_type: str | None = None,
        explicit: Explicit | None = None,
        supersede: bool = False,
        credentials: bool = False,
        timeout: float = 600.0,  # noqa: ASYNC109 - the call's own deadline
    ) -> Labelled:
        """Put the label of a generation into its content; see `Candor.label`. It goes on in a thread when cancelled."""
        order = Order(content, generation_id, media_type, locale, explicit, supersede, credentials)
        into = None if target is None else Path(target)
        return await asyncio.to_thread(labelling.label, self.core.rpcs(), order, into, timeout)

    async def _answer(
        self,
        send: Callable[[float], Future[T]],
        timeout: float | None,  # noqa: ASYNC109 - as above
    ) -> T:
        attempts = self.core.attempts(timeout)
        while True:
            try:
                return await asyncio.wrap_future(send(attempts.seconds()))
            except Unavailable:
                pause = attempts.pause()
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def flush(self, timeout: float = 30.0) -> bool:  # noqa: ASYNC109 - the spool's own
        """Wait until the spool is empty; False where it is not within so many seconds."""
        return await asyncio.to_thread(self.core.flush, timeout)

    async def close(self) -> None:
        """Let go of connections and threads. What is in the spool stays there, for the next process."""
        await asyncio.to_thread(self.core.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
