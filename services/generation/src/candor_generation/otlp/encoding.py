"""The bodies of OTLP/HTTP: binary or JSON, plain or gzip, bounded in every case.

Spec: OTLP/HTTP
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import AsyncIterable
from enum import StrEnum
from typing import TypeVar

from candor_kit.errors import EDGE
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

M = TypeVar("M", bound=Message)
_GZIP_ONLY = 31
_DEEPEST = 100
_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


class Form(StrEnum):
    """How a body is written."""

    BINARY = "application/x-protobuf"
    JSON = "application/json"


def form_of(content_type: str | None) -> Form | None:
    """Return the form that a Content-Type names; None for another."""
    media = (content_type or "").split(";")[0].strip().lower()
    if media in {Form.BINARY, "application/protobuf"}:
        return Form.BINARY
    return Form.JSON if media == Form.JSON else None


async def read(chunks: AsyncIterable[bytes], *, gzip: bool, limit: int) -> bytes:
    """Read a body, and unpack it piece by piece, so that a bomb is left at the limit.

    Args:
        chunks: the body as it comes.
        gzip: whether it is packed.
        limit: most bytes, packed and unpacked.

    Raises:
        Refusal: TOO_LARGE; MALFORMED, it is not gzip, is cut off, or something follows it.
    """
    unpack = zlib.decompressobj(_GZIP_ONLY) if gzip else None
    taken, body = 0, bytearray()
    async for chunk in chunks:
        taken += len(chunk)
        body += _unpacked(unpack, chunk, limit - len(body) + 1) if unpack else chunk
        if taken > limit or len(body) > limit:
            raise EDGE.refusal("TOO_LARGE", f"the body is larger than {limit} bytes; send fewer at a time")
    if unpack and (not unpack.eof or unpack.unused_data) and taken:
        raise EDGE.refusal("MALFORMED", "the gzip body is cut off, or something follows it")
    return bytes(body)


def _unpacked(unpack: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    if unpack.eof and chunk:
        raise EDGE.refusal("MALFORMED", "something follows the gzip body")
    try:
        return unpack.decompress(chunk, most)
    except zlib.error as error:
        raise EDGE.refusal("MALFORMED", "the body is not gzip") from error


def decode(body: bytes, form: Form, message: type[M]) -> M:
    """Read a message.

    Raises:
        Refusal: MALFORMED.
    """
    try:
        return message.FromString(body) if form is Form.BINARY else _from_json(body, message)
    except (DecodeError, json_format.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise EDGE.refusal("MALFORMED", f"the body is not a {message.DESCRIPTOR.full_name}") from error


def encode(message: Message, form: Form) -> bytes:
    """Write a message."""
    if form is Form.BINARY:
        return message.SerializeToString()
    return json_format.MessageToJson(message, indent=None).encode()


def _from_json(body: bytes, message: type[M]) -> M:
    """OTLP's JSON is protobuf's, but that ids are hexadecimal, which protobuf would read as base64."""
    value: object = json.loads(body)
    if not isinstance(value, dict):
        raise TypeError("an export is a JSON object")
    return json_format.ParseDict(_with_ids(value, 0), message(), ignore_unknown_fields=True)


def _with_ids(value: object, depth: int) -> dict[str, object]:
    """Rewrite the ids of an object and of all below it."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return {name: _id(item) if name in _IDS else _below(item, depth + 1) for name, item in value.items()}


def _below(value: object, depth: int) -> object:
    if isinstance(value, dict):
        return _with_ids(value, depth)
    if isinstance(value, list):
        return [_below(item, depth + 1) for item in value]
    return value


def _id(value: object) -> str:
    return base64.b64encode(bytes.fromhex(value if isinstance(value, str) else "?")).decode("ascii")
