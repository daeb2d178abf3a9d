"""Labels in files over gRPC: content in, labelled content out; a file in, what it says out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from candor.generation.v1 import label_pb2
from candor.generation.v1.label_pb2 import LabelRequest, LabelResponse, ReadLabelRequest, ReadLabelResponse
from candor_kit.database import Connection

from candor_generation import label_codec, labelling
from candor_generation.carriers.base import CarrierError
from candor_generation.codec import label_message
from candor_generation.credentials import Credentials, Maker, Pointer
from candor_generation.domain.labelcode import LabelCode, LabelCodeError
from candor_generation.domain.refusal import Refused
from candor_generation.labelkey import LabelKey
from candor_generation.labelling import Order, Reading, Sealer
from candor_generation.marks.pcm import AudibleLabel

_CHUNK = 256 * 1024
Request = TypeVar("Request", LabelRequest, ReadLabelRequest)


@dataclass(frozen=True)
class Known:
    """What the logs know of a generation: which it is in, its place in the published tree if it has one, its maker."""

    origin: str
    log_index: int | None
    model: str
    occurred_at: datetime


Lookup = Callable[[Connection, str], Awaitable[Known | None]]


class Exchange(Protocol):
    """What a call that streams may use."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection to read from."""
        ...


@dataclass(frozen=True)
class Labelling:
    """The label service's streams.

    Attributes:
        key: signs labels, and knows its former keys.
        provider_code: 27 characters.
        lookup: what the log knows of a generation, or None.
        max_bytes: the largest file that is taken.
        folder: where files are spooled; None for the system's own.
        font_file: for captions; None for the built-in letters.
        audible: what is heard in marked sound; None for the rhythm.
        credentials: gives what binds C2PA manifests; None where there is no certificate.
        at_once: how many files are worked on at a time.
    """

    key: LabelKey
    provider_code: str
    lookup: Lookup
    max_bytes: int
    folder: Path | None = None
    font_file: Path | None = None
    audible: AudibleLabel | None = None
    credentials: Callable[[], Credentials | None] = lambda: None
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def label(self, exchange: Exchange, requests: AsyncIterator[LabelRequest]) -> AsyncIterator[LabelResponse]:
        """Write the label that the header asks for into the file that follows it.

        Raises:
            Refused: STREAM_ORDER, CREDENTIALS_ABSENT, GENERATION_UNKNOWN, and what `labelling.decide`,
                `labelling.write` and the carriers refuse.
        """
        header = (await _first(requests)).header
        sealer = await self._sealer(exchange, header) if header.credentials else None
        with labelling.spool(self.folder) as source, labelling.spool(self.folder) as destination:
            unlabelled = await self._receive(requests, source)
            async with self.at_once:
                labelled = await asyncio.to_thread(self._write, source, destination, header, sealer)
            labelled.unlabelled_sha256 = unlabelled
            yield LabelResponse(header=labelled)
            await asyncio.to_thread(destination.seek, 0)
            while chunk := await asyncio.to_thread(destination.read, _CHUNK):
                yield LabelResponse(chunk=chunk)

    async def read_label(
        self, exchange: Exchange, requests: AsyncIterator[ReadLabelRequest]
    ) -> AsyncIterator[ReadLabelResponse]:
        """Say what a file says of itself, whether its signature holds, and where in the log it leads.

        Raises:
            Refused: STREAM_ORDER, and what the carriers refuse.
        """
        header = (await _first(requests)).header
        with labelling.spool(self.folder) as source:
            digest = await self._receive(requests, source)
            async with self.at_once:
                reading = await asyncio.to_thread(_read, source, header.media_type)
        response = self._response(reading, digest)
        if response.signature == label_pb2.SIGNATURE_STATE_HOLDS:
            async with exchange.connection() as connection:
                known = await self.lookup(connection, response.generation_id)
            if known is not None and known.log_index is not None:
                response.origin, response.log_index = known.origin, known.log_index
        yield response

    async def _sealer(self, exchange: Exchange, header: label_pb2.LabelHeader) -> Sealer:
        """What binds a manifest to the file, which tells the log entry, the model and the time of the record.

        Raises:
            Refused: CREDENTIALS_ABSENT, GENERATION_UNKNOWN.
        """
        credentials = self.credentials()
        if credentials is None:
            raise Refused("CREDENTIALS_ABSENT", "this deployment has no certificate to sign content with")
        known = None
        if header.HasField("generation_id"):
            async with exchange.connection() as connection:
                known = await self.lookup(connection, header.generation_id)
        if known is None:
            raise Refused("GENERATION_UNKNOWN", "content credentials tell of a record, and there is none yet")
        pointer = Pointer(known.origin, header.generation_id)
        maker, when = Maker(known.model, ""), known.occurred_at

        def seal(labelled: BinaryIO, destination: BinaryIO, media_type: str, original: BinaryIO) -> None:
            credentials.sign(
                labelled, destination, media_type, pointer=pointer, maker=maker, when=when, parent=original
            )

        return seal

    def _order(self, header: label_pb2.LabelHeader) -> Order:
        content = (
            header.generation_id if header.HasField("generation_id") else label_codec.passed_of(header.propagation)
        )
        return Order(header.media_type, header.locale, self.provider_code, content, header.supersede)

    async def _receive(self, requests: AsyncIterator[Request], source: BinaryIO) -> bytes:
        """Spool the chunks of a file; their SHA-256."""
        digest, size = hashlib.sha256(), 0
        async for request in requests:
            if not request.HasField("chunk"):
                raise Refused("STREAM_ORDER", "after the header there come chunks only")
            size += len(request.chunk)
            if size > self.max_bytes:
                raise Refused("FILE_TOO_LARGE", f"files of up to {self.max_bytes} bytes are taken")
            await asyncio.to_thread(_spooled, request.chunk, source, digest.update)
        return digest.digest()

    def _write(
        self, source: BinaryIO, destination: BinaryIO, header: label_pb2.LabelHeader, sealer: Sealer | None
    ) -> label_pb2.LabelledHeader:
        reading = _read(source, header.media_type)
        made = labelling.decide(self._order(header), self.key.sign, reading)
        options = header.explicit
        place = label_codec.place_of(options)
        explicit = (
            labelling.explicit_label(
                options.text, place, header.locale, made, font_file=self.font_file, audible=self.audible
            )
            if header.HasField("explicit")
            else None
        )
        with _refusing():
            labelling.write(
                source, destination, reading.media_type, made, explicit=explicit, sealer=sealer, folder=self.folder
            )
        return label_pb2.LabelledHeader(
            label=label_message(made),
            labelled_sha256=labelling.sha256(destination),
            labelled_size=labelling.size(destination),
            found=[label_codec.found_message(text, found) for text, found in reading.found],
        )

    def _response(self, reading: Reading, digest: bytes) -> ReadLabelResponse:
        response = ReadLabelResponse(
            media_type=reading.media_type,
            found=[label_codec.found_message(text, found) for text, found in reading.found],
            violations=reading.violations,
            sha256=digest,
        )
        if reading.found:
            self._judge(response, reading)
        return response

    def _judge(self, response: ReadLabelResponse, reading: Reading) -> None:
        """Say whether the first label's signature holds."""
        found = reading.found[0][1]
        verdict = labelling.check(found, self.key.check)
        response.signature = label_pb2.SIGNATURE_STATE_FOREIGN
        if isinstance(verdict, LabelCode) and found.label is not None:
            response.signature = label_pb2.SIGNATURE_STATE_HOLDS
            response.origin, response.generation_id = verdict.origin, found.label.produce_id
        elif isinstance(verdict, LabelCodeError):
            foreign = self.key.is_foreign(found.label.reserved_code1 if found.label else "")
            response.signature = label_pb2.SIGNATURE_STATE_FOREIGN if foreign else label_pb2.SIGNATURE_STATE_FAILS
            response.signature_detail = str(verdict)


@contextmanager
def _refusing() -> Iterator[None]:
    """Translate what a carrier refuses."""
    try:
        yield
    except CarrierError as error:
        raise Refused(error.reason, error.message) from error


async def _first(requests: AsyncIterator[Request]) -> Request:
    async for request in requests:
        if request.HasField("header"):
            return request
        break
    raise Refused("STREAM_ORDER", "a file is sent as one header and then chunks")


def _spooled(chunk: bytes, source: BinaryIO, digest: Callable[[bytes], None]) -> None:
    source.write(chunk)
    digest(chunk)


def _read(source: BinaryIO, media_type: str) -> Reading:
    with _refusing():
        return labelling.read(source, media_type)
