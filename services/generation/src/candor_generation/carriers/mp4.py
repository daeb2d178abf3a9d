"""MP4, MOV and M4A: the label is the metadata item "AIGC" of moov.udta.meta.

It is what `ffmpeg -movflags use_metadata_tags` writes. The film stays where it is in the file when its index (moov)
comes last. When the index comes first, all that follows moves by as much as the index grows, and every absolute place
that the file states is corrected (`offsets`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import BinaryIO, Final

from candor_generation.carriers import base, boxes, itemlist, offsets, xmp
from candor_generation.carriers.boxes import Box
from candor_generation.domain.label import Label

_FIRST_BOXES: Final = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_XMP_ID: Final = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_OWN_BOX: Final = base.KEY.encode()
_XMP_BOX: Final = b"XMP_"
_ID_SIZE: Final = 16


class Mp4:
    """The ISO base media file format and QuickTime, whole or in fragments."""

    media_types = ("video/mp4", "audio/mp4", "video/quicktime", "audio/x-m4a", "video/x-m4v", "application/mp4")

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC value: of item lists, of XMP, and of a box of that name; see `base.Carrier`."""
        _index_of(source)
        values: list[str] = []
        for box in _top(source):
            values += itertools.islice(_values(source, box), base.VALUES_LIMIT + 1)
            if len(values) > base.VALUES_LIMIT:
                raise base.too_large(f"it carries more than {base.VALUES_LIMIT} labels")
        return values

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write with this label and no other; see `base.Carrier`.

        Raises:
            CarrierError: also UNSUPPORTED_MEDIA, what the label moves is found by places that are not corrected.
        """
        box = _index_of(source)
        index = _Index(source, box, label)
        shift = offsets.Shift(box.end, index.growth) if box.end < base.size_of(source) else offsets.NONE
        offsets.check(source, _top(source), box, shift)
        for each in _top(source):
            if each == box:
                index.write(destination, shift)
            elif _is_xmp(source, each):
                _write_xmp(source, destination, each)
            else:
                offsets.copy_box(source, destination, each, shift)


def _top(source: BinaryIO) -> Iterator[Box]:
    """The file's own boxes."""
    return boxes.walk(source, 0, base.size_of(source), top=True)


def _index_of(source: BinaryIO) -> Box:
    """The one index.

    Raises:
        CarrierError: FILE_MALFORMED, there is none, or several, or it is no such file.
    """
    found: list[Box] = []
    for box in _top(source):
        if box.start == 0 and box.type not in _FIRST_BOXES:
            raise base.malformed("it is no MP4 file")
        if box.type == b"moov":
            found.append(box)
        if len(found) > 1:
            break
    if len(found) != 1:
        raise base.malformed("it has no index, or several")
    return found[0]


def _values(source: BinaryIO, box: Box) -> Iterator[str]:
    if box.type == b"moov":
        for child in boxes.walk(source, box.payload, box.end):
            if child.type == b"meta":
                yield from itemlist.values(source, child)
            elif child.type == b"udta":
                for data in boxes.walk(source, child.payload, child.end):
                    yield from _user_values(source, data)
    elif _is_xmp(source, box):
        yield from _xmp_values(_xmp_packet(source, box))


def _user_values(source: BinaryIO, box: Box) -> Iterator[str]:
    if box.type == b"meta":
        yield from itemlist.values(source, box)
    elif box.type == _OWN_BOX:
        yield base.text_of(boxes.content(source, box, "the label").strip(b"\0"), "the label")
    elif box.type == _XMP_BOX:
        yield from _xmp_values(boxes.content(source, box, "the XMP packet"))


def _xmp_values(packet: bytes) -> list[str]:
    return xmp.values(packet) if _names_the_key(packet) else []


def _names_the_key(packet: bytes) -> bool:
    """Whether a packet could hold a label, in any encoding: one that cannot is not read at all."""
    return _OWN_BOX in packet.replace(b"\0", b"")


def _is_xmp(source: BinaryIO, box: Box) -> bool:
    if box.type != b"uuid" or box.end - box.payload < _ID_SIZE:
        return False
    source.seek(box.payload)
    return source.read(_ID_SIZE) == _XMP_ID


def _xmp_packet(source: BinaryIO, box: Box) -> bytes:
    return boxes.content(source, box, "the XMP packet")[_ID_SIZE:]


def _write_xmp(source: BinaryIO, destination: BinaryIO, box: Box) -> None:
    """An XMP box without any label, and as large as it was: what it loses is made up by white space."""
    packet = _xmp_packet(source, box)
    source.seek(box.start)
    destination.write(base.take(source, box.payload - box.start + _ID_SIZE, "the XMP box"))
    destination.write(_cleaned_xmp(packet))


def _cleaned_xmp(packet: bytes) -> bytes:
    if not _names_the_key(packet):
        return packet
    cleaned = xmp.without(packet)
    if len(cleaned) > len(packet):
        raise base.too_large("its XMP packet would grow without its label")
    return cleaned.ljust(len(packet))


class _Index:
    """The index (moov) with the label: only what holds metadata is in memory.

    Args:
        source: the file.
        box: the index.
        label: what it shall carry.
    """

    def __init__(self, source: BinaryIO, box: Box, label: Label) -> None:
        self._source = source
        self._box = box
        self._children = list(boxes.walk(source, box.payload, box.end))
        self._last = self._children[-1].end if self._children else box.payload
        users = [child for child in self._children if child.type == b"udta"]
        self._changed: dict[Box, bytes] = {}
        for child in self._children:
            if child.type == b"udta":
                self._changed[child] = _user_data(source, child, label if child is users[0] else None)
            elif child.type == b"meta":
                self._changed[child] = itemlist.changed(source, child, None)
        self._added = b"" if users else boxes.make(b"udta", itemlist.new(label))
        old = sum(child.size for child in self._changed)
        self.growth = sum(map(len, self._changed.values())) + len(self._added) - old

    def write(self, destination: BinaryIO, shift: offsets.Shift) -> None:
        """Write it, its chunk places corrected."""
        large = self._box.payload - self._box.start > 8  # noqa: PLR2004 - a size of 64 bits
        destination.write(boxes.header(b"moov", self._box.size + self.growth, large=large))
        for child in self._children:
            if child in self._changed:
                destination.write(self._changed[child])
            else:
                offsets.copy_box(self._source, destination, child, shift)
        destination.write(self._added)
        self._source.seek(self._last)
        base.copy(self._source, destination, self._box.end - self._last, "the index")


def _user_data(source: BinaryIO, box: Box, label: Label | None) -> bytes:
    """User data with the label, or without any.

    Beside an item list of another kind (iTunes's) ours is a second one, as readers take both.
    """
    parts = []
    placed = label is None
    last = box.payload
    for child in boxes.walk(source, box.payload, box.end):
        last = child.end
        if child.type == b"meta":
            ours = not placed and itemlist.is_by_keys(source, child)
            parts.append(itemlist.changed(source, child, label if ours else None))
            placed = placed or ours
        elif child.type == _XMP_BOX:
            parts.append(boxes.make(_XMP_BOX, _cleaned_xmp(boxes.content(source, child, "the XMP packet"))))
        elif child.type != _OWN_BOX:
            source.seek(child.start)
            parts.append(base.take(source, child.size, "user data"))
    if label is not None and not placed:
        parts.append(itemlist.new(label))
    source.seek(last)
    parts.append(base.take(source, box.end - last, "user data"))
    return boxes.make(b"udta", b"".join(parts))
