"""JPEG: the label stands in an XMP packet, an APP1 segment; an EXIF user comment is read too.

Source: TC260-PG-20259A
Spec: ISO/IEC 10918-1 B.1; XMP Specification Part 3 1.1.3
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers import exif, xmp
from candor_generation.carriers.base import copy, copy_rest, malformed, size_of, skip, take, too_large
from candor_generation.domain.label import Label

_SOI = b"\xff\xd8"
_APP1 = 0xE1
_APP_FIRST, _APP_LAST = 0xE0, 0xE1
_SOS = 0xDA
_FILL = 0xFF
_EOI = 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF = b"Exif\0\0"
_LONGEST = 0xFFFF - 2
_MAX_SEGMENTS = 65_536


@dataclass(frozen=True)
class _Segment:
    """A segment: its marker, where it begins (at 0xFF), and the size of its data."""

    marker: int
    start: int
    data_start: int
    size: int

    @property
    def end(self) -> int:
        return self.data_start + self.size


class Jpeg:
    """The JPEG carrier."""

    media_types = ("image/jpeg", "image/jpg")

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        found: list[str] = []
        for segment in _segments(source):
            data = _app1(source, segment)
            if data.startswith(_XMP):
                found += xmp.values(data[len(_XMP) :])
            elif data.startswith(_EXIF):
                found += exif.values(data[len(_EXIF) :])
        return found

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        segments = list(_segments(source))
        packets = [segment.start for segment in segments if _app1(source, segment).startswith(_XMP)]
        place = packets[0] if packets else None
        destination.write(_SOI)
        # JFIF and EXIF want to come first, so a new packet follows them.
        leading = True
        for segment in segments:
            if place is None and leading and not _APP_FIRST <= segment.marker <= _APP_LAST:
                _put(destination, _XMP + xmp.packet(None, label))
                leading = False
            _copy_segment(source, destination, segment, label if segment.start == place else None)
        source.seek(segments[-1].end)
        copy_rest(source, destination)


def _segments(source: BinaryIO) -> Iterator[_Segment]:
    """The segments up to the first scan (or the end of the image); the caller may read in between.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    end = size_of(source)
    if source.read(2) != _SOI:
        raise malformed("the file is no JPEG")
    for _ in range(_MAX_SEGMENTS):
        start = source.tell()
        marker = _marker(source)
        if marker in _STANDALONE or marker == _EOI:
            segment = _Segment(marker, start, source.tell(), 0)
        else:
            (length,) = struct.unpack(">H", take(source, 2, "the header of a segment"))
            data_start = source.tell()
            skip(source, length - 2, "a segment", end=end)
            segment = _Segment(marker, start, data_start, length - 2)
        yield segment
        if marker in (_SOS, _EOI):
            return
        source.seek(segment.end)
    raise too_large(f"the JPEG has more than {_MAX_SEGMENTS} segments")


def _marker(source: BinaryIO) -> int:
    """The next marker, past any fill bytes (10918-1 B.1.1.2)."""
    if take(source, 1, "a marker") != b"\xff":
        raise malformed("a segment does not begin with a marker")
    for _ in range(_MAX_SEGMENTS):
        (code,) = take(source, 1, "a marker")
        if code != _FILL:
            return int(code)
    raise too_large("the JPEG holds more fill bytes than are looked at")


def _app1(source: BinaryIO, segment: _Segment) -> bytes:
    if segment.marker != _APP1:
        return b""
    source.seek(segment.data_start)
    return take(source, segment.size, "a segment")


def _copy_segment(source: BinaryIO, destination: BinaryIO, segment: _Segment, label: Label | None) -> None:
    """Copy a segment; the packet that takes the label, and other labels, are changed."""
    data = _app1(source, segment)
    if data.startswith(_XMP):
        packet = data[len(_XMP) :]
        _put(destination, _XMP + (xmp.without(packet) if label is None else xmp.packet(packet, label)))
    elif data.startswith(_EXIF) and exif.values(data[len(_EXIF) :]):
        _put(destination, _EXIF + exif.without(data[len(_EXIF) :]))
    else:
        source.seek(segment.start)
        copy(source, destination, segment.end - segment.start, "a segment")


def _put(destination: BinaryIO, data: bytes) -> None:
    if len(data) > _LONGEST:
        raise too_large("the XMP packet of the JPEG has no room for a label")
    destination.write(b"\xff" + bytes([_APP1]) + struct.pack(">H", len(data) + 2) + data)
