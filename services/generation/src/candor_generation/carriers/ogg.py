"""The Ogg container: its pages are walked one at a time, and the comment packet of each stream may be changed.

Spec: RFC 3533; Vorbis I A; RFC 7845; Ogg mapping of FLAC (RFC 9639 10.1)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final

from candor_generation.carriers import base

_HEADER: Final = struct.Struct("<4sBBqIIIB")
_CRC_AT: Final = slice(22, 26)
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_PACKET_ENDS: Final = -1
_TYPE: Final = 0x7F  # of a FLAC block, whose first bit says that it is the last
_SEGMENT: Final = 255
_SEGMENTS: Final = 255
_PAGES_LIMIT: Final = 1 << 20
_STREAMS_LIMIT: Final = 64
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SEQUENCE_MODULUS: Final = 1 << 32


@dataclass(frozen=True)
class CommentPacket:
    """What a comment packet holds between its magic bytes and its end, and whether it is the file's first."""

    body: bytes
    first: bool


Change = Callable[[CommentPacket], bytes]
"""Gives what the comment packet shall hold."""


@dataclass(frozen=True)
class _Kind:
    """A codec: how its first packet begins, and how its comment packet does; FLAC states the packet's length there."""

    magic: bytes
    prefix: bytes
    states_length: bool = False


_KINDS: Final = (
    _Kind(b"\x01vorbis", b"\x03vorbis"),
    _Kind(b"OpusHead", b"OpusTags"),
    _Kind(b"\x7fFLAC", b"\x04", states_length=True),
)


@dataclass(frozen=True)
class _Page:
    """A page as it stands in the file."""

    flags: int
    granule: int
    serial: int
    sequence: int
    lacing: bytes
    body: bytes

    @property
    def encoded(self) -> bytes:
        """The page with its checksum."""
        head = _HEADER.pack(b"OggS", 0, self.flags, self.granule, self.serial, self.sequence, 0, len(self.lacing))
        page = bytearray(head + self.lacing + self.body)
        page[_CRC_AT] = _checksum(page).to_bytes(4, "little")
        return bytes(page)


@dataclass
class _Stream:
    """A logical stream: its codec, its pages until the comments are whole, and by how much later page numbers move."""

    kind: _Kind
    gathered: list[_Page] = field(default_factory=list)
    size: int = 0
    gathering: bool = True
    moved: int = 0


def rewrite(source: BinaryIO, destination: BinaryIO | None, change: Change) -> None:
    """Walk a file, changing the comment packet of every stream that has one.

    Args:
        source: the file.
        destination: where to write what comes out, or None to only look.
        change: called for each comment packet in the order they end.

    Raises:
        CarrierError: FILE_MALFORMED; FILE_TOO_LARGE, more than 2^20 pages, or comments beyond the limit.
    """
    streams: dict[int, _Stream] = {}
    found = 0
    for page in _pages(source):
        stream = streams.get(page.serial)
        if page.flags & _FIRST:
            _begin(streams, page)
        elif stream is not None and stream.gathering:
            pages = _gather(stream, page, change, first=found == 0)
            found += bool(pages)
            _write(destination, pages)
            continue
        _write(destination, [_moved(page, stream)])
    if found == 0 or any(stream.gathering for stream in streams.values()):
        raise base.malformed("it holds no stream with comments")


def _write(destination: BinaryIO | None, pages: list[_Page]) -> None:
    if destination is not None:
        for page in pages:
            destination.write(page.encoded)


def _begin(streams: dict[int, _Stream], page: _Page) -> None:
    streams.pop(page.serial, None)
    kind = next((kind for kind in _KINDS if page.body.startswith(kind.magic)), None)
    if kind is None:
        return
    if len(streams) == _STREAMS_LIMIT:
        raise base.too_large(f"it has more than {_STREAMS_LIMIT} streams")
    if page.lacing[-1:] == b"\xff" or sum(length < _SEGMENT for length in page.lacing) != 1:
        raise base.malformed("its first page holds more, or less, than the first packet")
    streams[page.serial] = _Stream(kind)


def _moved(page: _Page, stream: _Stream | None) -> _Page:
    if stream is None or stream.moved == 0 or page.flags & _FIRST:
        return page
    return replace(page, sequence=(page.sequence + stream.moved) % _SEQUENCE_MODULUS)


def _gather(stream: _Stream, page: _Page, change: Change, *, first: bool) -> list[_Page]:
    """Keep a page until the comment packet is whole and nothing goes on into the next page; then the pages to write."""
    if page.granule not in (0, _NO_PACKET_ENDS):
        raise base.malformed("its comments share a page with sound")
    stream.gathered.append(page)
    stream.size += len(page.body) + len(page.lacing)
    if stream.size > base.METADATA_LIMIT:
        raise base.too_large(f"its comments are longer than {base.METADATA_LIMIT} bytes")
    if not page.lacing or page.lacing[-1] == _SEGMENT:
        return []
    packets = _packets(stream.gathered)
    packets[0] = _changed(stream.kind, packets[0], change, first=first)
    pages = list(_paginated(packets, stream.gathered))
    stream.moved = len(pages) - len(stream.gathered)
    stream.gathered, stream.gathering = [], False
    return pages


def _changed(kind: _Kind, packet: bytes, change: Change, *, first: bool) -> bytes:
    head = len(kind.prefix) + 3 * kind.states_length
    magic = bytes((packet[0] & _TYPE,)) + packet[1:] if kind.states_length and packet else packet
    if not magic.startswith(kind.prefix) or len(packet) < head:
        raise base.malformed("its second packet holds no comments")
    body = change(CommentPacket(packet[head:], first))
    length = len(body).to_bytes(4)[1:] if kind.states_length else b""
    return packet[: len(kind.prefix)] + length + body


def _packets(pages: list[_Page]) -> list[bytes]:
    packets: list[bytes] = []
    parts: list[bytes] = []
    for page in pages:
        position = 0
        for length in page.lacing:
            parts.append(page.body[position : position + length])
            position += length
            if length < _SEGMENT:
                packets.append(b"".join(parts))
                parts = []
    return packets


def _paginated(packets: list[bytes], old: list[_Page]) -> Iterator[_Page]:
    """Packets in pages as full as can be; the last of them ends with the last packet."""
    lacing = b"".join(b"\xff" * (len(packet) // _SEGMENT) + bytes((len(packet) % _SEGMENT,)) for packet in packets)
    body = b"".join(packets)
    position = 0
    for number, start in enumerate(range(0, len(lacing), _SEGMENTS)):
        segments = lacing[start : start + _SEGMENTS]
        size = sum(segments)
        continued = _CONTINUED if start and lacing[start - 1] == _SEGMENT else 0
        last = old[-1].flags & _LAST if start + _SEGMENTS >= len(lacing) else 0
        ends = any(length < _SEGMENT for length in segments)
        sequence = (old[0].sequence + number) % _SEQUENCE_MODULUS
        yield _Page(
            continued | last,
            0 if ends else _NO_PACKET_ENDS,
            old[0].serial,
            sequence,
            segments,
            body[position : position + size],
        )
        position += size


def _pages(source: BinaryIO) -> Iterator[_Page]:
    base.size_of(source)
    for _ in range(_PAGES_LIMIT):
        head = source.read(_HEADER.size)
        if not head:
            return
        yield _page(source, head)
    raise base.too_large(f"it has more than {_PAGES_LIMIT} pages")


def _page(source: BinaryIO, head: bytes) -> _Page:
    if len(head) != _HEADER.size:
        raise base.malformed("it ends within a page")
    magic, version, flags, granule, serial, sequence, checksum, count = _HEADER.unpack(head)
    if magic != b"OggS" or version != 0:
        raise base.malformed("it holds something else where a page should begin")
    lacing = base.take(source, count, "a page")
    body = base.take(source, sum(lacing), "a page")
    page = bytearray(head + lacing + body)
    page[_CRC_AT] = bytes(4)
    if _checksum(page) != checksum:
        raise base.malformed("the checksum of a page is wrong")
    return _Page(flags, granule, serial, sequence, lacing, body)


def _checksum(page: bytes | bytearray) -> int:
    """The page's CRC-32: the polynomial of zlib's, taken from the other end, from zero and not inverted.

    Spec: RFC 3533 6
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
