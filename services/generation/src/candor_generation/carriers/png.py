"""PNG: the label stands in an XMP packet, the text chunk `XML:com.adobe.xmp`.

Source: TC260-PG-20259A
Spec: PNG (Third Edition) 11.3.3; XMP Specification Part 3 1.1.5
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers import exif, xmp
from candor_generation.carriers.base import (
    KEY,
    METADATA_LIMIT,
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

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp"
_FRAME = 12
_MAX_CHUNKS = 1 << 18
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True)
class _Chunk:
    """A chunk: its type, where it begins, and the size of its data."""

    kind: bytes
    start: int
    size: int


class Png:
    """The PNG carrier."""

    media_types = ("image/png", "image/apng")

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        return [value for chunk in _label_chunks(source) for value in _values(source, chunk)]

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        packets = [chunk.start for chunk in _label_chunks(source) if _is_xmp(source, chunk)]
        place = packets[0] if packets else None
        destination.write(_SIGNATURE)
        for chunk in _chunks(source):
            _copy_chunk(source, destination, chunk, label if chunk.start == place else None)
            if chunk.kind == b"IHDR" and place is None:
                _put_xmp(destination, xmp.packet(None, label))
            end = chunk.start + _FRAME + chunk.size
        source.seek(end)
        copy_rest(source, destination)


def _chunks(source: BinaryIO) -> Iterator[_Chunk]:
    """The chunks up to IEND; the caller may read in between.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    end = size_of(source)
    if source.read(len(_SIGNATURE)) != _SIGNATURE:
        raise malformed("the file is no PNG")
    kind = b""
    for number in range(_MAX_CHUNKS):
        start = source.tell()
        size, kind = struct.unpack(">I4s", take(source, 8, "the header of a chunk"))
        if (number == 0) != (kind == b"IHDR"):
            raise malformed("a PNG begins with IHDR, and has one")
        source.seek(start)
        skip(source, size + _FRAME, "a chunk", end=end)
        yield _Chunk(kind, start, size)
        source.seek(start + size + _FRAME)
        if kind == b"IEND":
            return
    raise too_large(f"the PNG has more than {_MAX_CHUNKS} chunks")


def _label_chunks(source: BinaryIO) -> Iterator[_Chunk]:
    """The chunks that may hold a label; a few, since each may unpack to far more than it is.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    seen = 0
    for chunk in _chunks(source):
        if chunk.kind != b"eXIf" and not _is_xmp(source, chunk) and not _is_label(source, chunk):
            continue
        seen += 1
        if seen > VALUES_LIMIT:
            raise too_large(f"the PNG has more than {VALUES_LIMIT} chunks of metadata")
        yield chunk


def _is_label(source: BinaryIO, chunk: _Chunk) -> bool:
    return chunk.kind in _TEXTS and _keyword(source, chunk).upper() == KEY.encode()


def _values(source: BinaryIO, chunk: _Chunk) -> list[str]:
    if chunk.kind == b"eXIf":
        return exif.values(_data(source, chunk))
    text = _text(chunk.kind, _data(source, chunk))
    return xmp.values(text) if _is_xmp(source, chunk) else [text.decode("utf-8", "replace").strip()]


def _is_xmp(source: BinaryIO, chunk: _Chunk) -> bool:
    return chunk.kind == b"iTXt" and _keyword(source, chunk) == _XMP


def _keyword(source: BinaryIO, chunk: _Chunk) -> bytes:
    source.seek(chunk.start + 8)
    head = source.read(min(chunk.size, 80))
    return head.partition(b"\0")[0]


def _data(source: BinaryIO, chunk: _Chunk) -> bytes:
    """A chunk's data, checked against its CRC.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    source.seek(chunk.start + 8)
    data = take(source, chunk.size, "a text chunk")
    (crc,) = struct.unpack(">I", take(source, 4, "a text chunk"))
    if crc != zlib.crc32(chunk.kind + data):
        raise malformed("the CRC of a text chunk is wrong")
    return data


def _text(kind: bytes, data: bytes) -> bytes:
    """The text of a text chunk, unpacked within bounds."""
    _, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return rest.decode("latin-1").encode()
    if kind == b"zTXt":
        return _inflate(rest[1:])
    packed, rest = rest[:1] == b"\x01", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return _inflate(text) if packed else text


def _inflate(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, METADATA_LIMIT)
    except zlib.error as error:
        raise malformed("a text chunk does not unpack") from error
    if unpacker.unconsumed_tail:
        raise too_large(f"a text chunk unpacks to more than {METADATA_LIMIT} bytes")
    return text


def _copy_chunk(source: BinaryIO, destination: BinaryIO, chunk: _Chunk, label: Label | None) -> None:
    """Copy a chunk; the packet that takes the label, and other labels, are changed."""
    if label is not None:
        _put_xmp(destination, xmp.packet(_text(chunk.kind, _data(source, chunk)), label))
    elif _is_xmp(source, chunk):
        _put_xmp(destination, xmp.without(_text(chunk.kind, _data(source, chunk))))
    elif chunk.kind == b"eXIf":
        _put(destination, chunk.kind, exif.without(_data(source, chunk)))
    elif not _is_label(source, chunk):
        source.seek(chunk.start)
        copy(source, destination, chunk.size + _FRAME, "a chunk")


def _put_xmp(destination: BinaryIO, packet: bytes) -> None:
    _put(destination, b"iTXt", _XMP + b"\0\0\0\0\0" + packet)


def _put(destination: BinaryIO, kind: bytes, data: bytes) -> None:
    destination.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
