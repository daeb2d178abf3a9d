"""How records stand in a file of the spool: mark, length, checksum, payload; one after the other.

A write that a crash cut off leaves a tail that is no whole frame. It was never acknowledged, so it is dropped. What
is damaged with whole frames behind it is another matter: it was acknowledged, so it is told and kept.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_MARK = b"\xc3\x0aDR"
_HEADER = struct.Struct(">4sII")
HEADER_BYTES = _HEADER.size
LARGEST_PAYLOAD = 2 * 1024 * 1024
"""Bytes; a RecordRequest has less than half of it."""


@dataclass(frozen=True)
class Frame:
    """A whole frame, and where it ends."""

    payload: bytes
    end: int


@dataclass(frozen=True)
class Damage:
    """Bytes that are no frame, before a frame that is whole."""

    start: int
    end: int


def encode(payload: bytes) -> bytes:
    """Frame a payload.

    Raises:
        ValueError: it is larger than LARGEST_PAYLOAD.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"a payload of {len(payload)} bytes is larger than {LARGEST_PAYLOAD}")
    return _HEADER.pack(_MARK, len(payload), _checksum(payload)) + payload


def scan(data: bytes, start: int = 0) -> Iterator[Frame | Damage]:
    """Read every whole frame from `start` on, in order. What stands behind the last one is not told."""
    position = start
    while (found := _next(data, position)) is not None:
        at, frame = found
        if at > position:
            yield Damage(position, at)
        yield frame
        position = frame.end


def end_of(data: bytes, start: int = 0) -> int:
    """Return where the last whole frame ends."""
    end = start
    for part in scan(data, start):
        end = part.end
    return end


def _next(data: bytes, position: int) -> tuple[int, Frame] | None:
    """The first whole frame from a position on, and where it begins."""
    at = data.find(_MARK, position)
    while at >= 0:
        frame = _frame(data, at)
        if frame is not None:
            return at, frame
        at = data.find(_MARK, at + 1)
    return None


def _frame(data: bytes, at: int) -> Frame | None:
    if len(data) - at < HEADER_BYTES:
        return None
    _mark, length, checksum = _HEADER.unpack_from(data, at)
    begin = at + HEADER_BYTES
    if length > LARGEST_PAYLOAD or begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    return Frame(payload, begin + length) if _checksum(payload) == checksum else None


def _checksum(payload: bytes) -> int:
    # With the length in it, a file of zeros is no sequence of empty frames.
    return zlib.crc32(payload, zlib.crc32(struct.pack(">I", len(payload))))
