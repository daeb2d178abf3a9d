"""WebP: the label stands in an XMP packet, the chunk `XMP `; the extended header says that there is one.

Source: TC260-PG-20259A
Spec: RFC 9649 2.7
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers import exif, xmp
from candor_generation.carriers.base import (
    PIECE,
    VALUES_LIMIT,
    copy,
    copy_rest,
    malformed,
    size_of,
    skip,
    take,
    too_large,
)
from candor_generation.domain.label import Label

_HEADER = 12
_FRAME = 8
_XMP_FLAG = 0x04
_ALPHA_FLAG = 0x10
_EXTENDED_SIZE = 10
_MAX_CHUNKS = 1 << 18
_LARGEST = 0xFFFF_FFFE


@dataclass(frozen=True)
class _Chunk:
    """A chunk: its type, where its data begins, and how many bytes that is, without padding."""

    kind: bytes
    start: int
    size: int


class Webp:
    """The WebP carrier."""

    media_types = ("image/webp",)

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        found: list[str] = []
        for chunk in _chunks(source):
            if chunk.kind == b"XMP ":
                found += xmp.values(_data(source, chunk))
            elif chunk.kind == b"EXIF":
                found += exif.values(_tiff(_data(source, chunk)))
            if len(found) > VALUES_LIMIT:
                break
        return found

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        destination.write(b"RIFF\0\0\0\0WEBP")
        packet: bytes | None = None
        chunk = None
        for number, chunk in enumerate(_chunks(source)):
            if number == 0:
                _put(destination, b"VP8X", _extended(source, chunk))
            if chunk.kind == b"XMP ":
                packet = packet or _data(source, chunk)
            elif chunk.kind == b"EXIF":
                _put(destination, chunk.kind, _without_comment(_data(source, chunk)))
            elif chunk.kind != b"VP8X":
                _copy(source, destination, chunk)
        if chunk is None:
            raise malformed("the WebP begins with no picture")
        _put(destination, b"XMP ", xmp.packet(packet, label))
        size = destination.tell() - _FRAME
        if size > _LARGEST:
            raise too_large("the WebP has no room for a label")
        # What stands behind the RIFF form is none of its chunks, and kept.
        source.seek(chunk.start + chunk.size + chunk.size % 2)
        copy_rest(source, destination)
        destination.seek(4)
        destination.write(struct.pack("<I", size))


def _chunks(source: BinaryIO) -> Iterator[_Chunk]:
    """The chunks; the caller may read in between.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    end = size_of(source)
    riff, size, kind = struct.unpack("<4sI4s", take(source, _HEADER, "the header"))
    if (riff, kind) != (b"RIFF", b"WEBP"):
        raise malformed("the file is no WebP")
    if end < size + _FRAME:
        raise malformed("the file ends before its stated size")
    end = size + _FRAME
    for _ in range(_MAX_CHUNKS):
        if source.tell() >= end:
            return
        name, length = struct.unpack("<4sI", take(source, _FRAME, "the header of a chunk"))
        start = source.tell()
        skip(source, length, "a chunk", end=end)
        yield _Chunk(name, start, length)
        source.seek(start + length + length % 2)
    raise too_large(f"the WebP has more than {_MAX_CHUNKS} chunks")


def _data(source: BinaryIO, chunk: _Chunk) -> bytes:
    source.seek(chunk.start)
    return take(source, chunk.size, "a chunk of metadata")


def _extended(source: BinaryIO, first: _Chunk) -> bytes:
    """The extended header: that of the file, or one made from its picture, saying that there is an XMP chunk."""
    source.seek(first.start)
    head = take(source, min(first.size, PIECE), "the picture")
    if first.kind == b"VP8X":
        if len(head) < _EXTENDED_SIZE:
            raise malformed("the extended header is cut off")
        return bytes([head[0] | _XMP_FLAG]) + head[1:]
    width, height, alpha = _lossless(head) if first.kind == b"VP8L" else _lossy(first.kind, head)
    flags = _XMP_FLAG | (_ALPHA_FLAG if alpha else 0)
    return struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _lossy(kind: bytes, head: bytes) -> tuple[int, int, bool]:
    """Width, height and alpha of a VP8 key frame (RFC 6386 9.1)."""
    if kind != b"VP8 " or head[3:6] != b"\x9d\x01\x2a" or len(head) < _EXTENDED_SIZE:
        raise malformed("the WebP begins with no picture")
    width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", head, 6))
    if not width or not height:
        raise malformed("the picture has no size")
    return width, height, False


def _lossless(head: bytes) -> tuple[int, int, bool]:
    """Width, height and alpha of a VP8L picture (RFC 9649 3.4)."""
    if head[:1] != b"\x2f" or len(head) < 5:  # noqa: PLR2004 - signature and 32 bits
        raise malformed("the WebP begins with no picture")
    bits = int.from_bytes(head[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _tiff(data: bytes) -> bytes:
    """An EXIF chunk's TIFF block; some writers put the JPEG prefix in front."""
    return data.removeprefix(b"Exif\0\0")


def _without_comment(data: bytes) -> bytes:
    tiff = _tiff(data)
    return data[: len(data) - len(tiff)] + exif.without(tiff)


def _copy(source: BinaryIO, destination: BinaryIO, chunk: _Chunk) -> None:
    source.seek(chunk.start)
    destination.write(struct.pack("<4sI", chunk.kind, chunk.size))
    copy(source, destination, chunk.size, "a chunk")
    destination.write(b"\0" * (chunk.size % 2))


def _put(destination: BinaryIO, kind: bytes, data: bytes) -> None:
    destination.write(struct.pack("<4sI", kind, len(data)) + data + b"\0" * (len(data) % 2))
