"""Labelling content: the file goes out in chunks and comes back in chunks, so its size is no matter of memory."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import grpc
from candor.generation.v1 import label_pb2, label_pb2_grpc

from candor_client import command, errors
from candor_client.errors import CandorError
from candor_client.ids import new_id
from candor_client.result import Explicit, Labelled
from candor_client.transports import GrpcTransport, metadata

_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Order:
    """What is to be labelled, and how. See `Candor.label`."""

    content: bytes | str | os.PathLike[str]
    generation_id: str
    media_type: str | None
    locale: str
    explicit: Explicit | None
    supersede: bool
    credentials: bool

    def requests(self) -> Iterator[label_pb2.LabelRequest]:
        """Return the stream: the header, then the content.

        Raises:
            ValueError: nothing says what kind of content it is.
            OSError: the file cannot be read.
        """
        yield label_pb2.LabelRequest(header=self._header())
        with self._open() as content:
            while chunk := content.read(_CHUNK_BYTES):
                yield label_pb2.LabelRequest(chunk=chunk)

    def kind(self) -> str:
        """Return the media type; a file's name tells it where it is not given.

        Raises:
            ValueError: nothing says what kind of content it is.
        """
        guessed = None if isinstance(self.content, bytes) else mimetypes.guess_type(os.fspath(self.content))[0]
        kind = self.media_type or guessed
        if kind is None:
            raise ValueError("say what kind of content it is: media_type='image/png'")
        return kind

    def _open(self) -> BinaryIO:
        return BytesIO(self.content) if isinstance(self.content, bytes) else Path(self.content).open("rb")

    def _header(self) -> label_pb2.LabelHeader:
        header = label_pb2.LabelHeader(
            generation_id=self.generation_id,
            media_type=self.kind(),
            locale=self.locale,
            supersede=self.supersede,
            credentials=self.credentials,
        )
        if self.explicit is not None:
            place = label_pb2.PLACE_START if self.explicit.at_start else label_pb2.PLACE_UNSPECIFIED
            header.explicit.CopyFrom(label_pb2.ExplicitOptions(text=self.explicit.text, place=place))
        return header


def label(transport: GrpcTransport, order: Order, target: Path | None, seconds: float) -> Labelled:
    """Label content into memory, or into the file `target`, which is there when it is whole and not before.

    Raises:
        Refused, Unavailable, ValueError, OSError.
        CandorError: what came is not what the answer said.
    """
    order.kind()
    if target is None:
        into = BytesIO()
        answer = _received(transport, order, into, seconds)
        return _labelled(answer, into.getvalue())
    beside = target.with_name(f".{target.name}.{new_id()}")
    try:
        with beside.open("xb") as file:
            answer = _received(transport, order, file, seconds)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return _labelled(answer, None)


def _received(transport: GrpcTransport, order: Order, into: BinaryIO, seconds: float) -> label_pb2.LabelledHeader:
    stub = label_pb2_grpc.LabelServiceStub(transport.channel)
    digest, header = hashlib.sha256(), label_pb2.LabelledHeader()
    sending = _Sending(order.requests())
    try:
        for answer in stub.Label(sending, timeout=seconds, metadata=tuple(metadata(transport.token))):
            if answer.HasField("header"):
                header = answer.header
            digest.update(answer.chunk)
            into.write(answer.chunk)
    except grpc.RpcError as error:
        raise sending.error or errors.from_rpc(error, order.generation_id) from error
    if digest.digest() != header.labelled_sha256:
        raise CandorError("the labelled content did not come whole", generation_id=order.generation_id)
    return header


class _Sending:
    """The stream that goes out. What breaks it is the caller's to know; gRPC tells only that something did."""

    def __init__(self, requests: Iterator[label_pb2.LabelRequest]) -> None:
        self._requests = requests
        self.error: OSError | None = None

    def __iter__(self) -> Iterator[label_pb2.LabelRequest]:
        return self

    def __next__(self) -> label_pb2.LabelRequest:
        try:
            return next(self._requests)
        except OSError as error:
            self.error = error
            raise


def _labelled(header: label_pb2.LabelledHeader, content: bytes | None) -> Labelled:
    return Labelled(
        command.label(header.label),
        content,
        header.labelled_size,
        header.unlabelled_sha256,
        header.labelled_sha256,
        tuple(found.text for found in header.found),
    )
