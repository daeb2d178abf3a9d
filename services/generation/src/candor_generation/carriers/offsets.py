"""Absolute places in an MP4 file, corrected where the index before the film has grown.

Corrected are the places of chunks (stco, co64), of fragments' data (tfhd) and of the fragments themselves (tfra). A
file that states absolute places elsewhere (iloc, saio, an index of segments before the index) is refused, not broken.

Spec: ISO/IEC 14496-12 8.7.5, 8.8.7, 8.8.10
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from candor_generation.carriers import base, boxes
from candor_generation.carriers.boxes import Box

_FULL_HEAD: Final = 4
_COUNTED_HEAD: Final = 8
_U32, _U64 = struct.Struct(">I"), struct.Struct(">Q")
_BASE_GIVEN: Final = 1
_TFHD_BASE_AT: Final = 8
_TFRA_HEAD: Final = 16


@dataclass(frozen=True)
class Shift:
    """What lies at or beyond a place moves by so many bytes."""

    beyond: int
    by: int

    def moved(self, place: int) -> int:
        """Where a place is afterwards."""
        return place + self.by if place >= self.beyond else place


NONE: Final = Shift(0, 0)
"""Nothing moves."""

_Patch: TypeAlias = Callable[[BinaryIO, BinaryIO, Box, Shift], None]
_Tree: TypeAlias = "Mapping[bytes, _Patch | _Tree]"


def check(source: BinaryIO, top: Iterable[Box], index: Box, shift: Shift) -> None:
    """Refuse a file that states absolute places which are not corrected.

    Args:
        source: the file.
        top: its own boxes.
        index: the one that grows.
        shift: what that moves.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA.
    """
    if shift.by == 0:
        return
    for box in top:
        if box.type == b"sidx" and box.start < index.start:
            raise _unsupported("an index of segments before the film's")
        if box.type == b"meta" and any(_children_of_full(source, box, b"iloc")):
            raise _unsupported("items that are found by their place")
    for child in boxes.walk(source, index.payload, index.end):
        if child.type == b"cmov":
            raise _unsupported("a compressed index")
        if child.type == b"trak" and any(boxes.find(source, child, b"mdia", b"minf", b"stbl", b"saio")):
            raise _unsupported("auxiliary data that is found by its place")


def _unsupported(what: str) -> base.CarrierError:
    return base.CarrierError("UNSUPPORTED_MEDIA", f"it has {what}, which a label would move")


def _children_of_full(source: BinaryIO, box: Box, kind: bytes) -> Iterator[Box]:
    inner = Box(box.type, box.start, box.payload + _FULL_HEAD, box.end)
    return boxes.find(source, inner, kind)


def copy_box(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift) -> None:
    """Copy a box in pieces, the absolute places in it corrected.

    Raises:
        CarrierError: FILE_MALFORMED; FILE_TOO_LARGE, a place no longer fits its field.
    """
    _copy(source, destination, box, shift, _TREE)


def _copy(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift, tree: _Tree) -> None:
    rule = tree.get(box.type) if shift.by else None
    if rule is None:
        _copy_span(source, destination, box.start, box.end)
    elif callable(rule):
        rule(source, destination, box, shift)
    else:
        _copy_children(source, destination, box, shift, rule)


def _copy_children(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift, tree: _Tree) -> None:
    _copy_span(source, destination, box.start, box.payload)
    last = box.payload
    for child in boxes.walk(source, box.payload, box.end):
        _copy(source, destination, child, shift, tree)
        last = child.end
    _copy_span(source, destination, last, box.end)


def _copy_span(source: BinaryIO, destination: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    base.copy(source, destination, end - start, "a box")


def _table(field: struct.Struct) -> _Patch:
    """Copies a table of places of one width."""

    def patch(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift) -> None:
        first = box.payload + _COUNTED_HEAD
        if first > box.end:
            raise base.malformed("a table of chunks is cut short")
        _copy_span(source, destination, box.start, first)
        source.seek(first - _U32.size)
        (count,) = _U32.unpack(source.read(_U32.size))
        if first + count * field.size > box.end:
            raise base.malformed("a table of chunks ends beyond its box")
        for start in range(0, count, base.PIECE // field.size):
            size = min(base.PIECE // field.size, count - start) * field.size
            piece = base.take(source, size, "a table of chunks")
            destination.write(b"".join(_packed(field, shift.moved(place)) for (place,) in field.iter_unpack(piece)))
        _copy_span(source, destination, first + count * field.size, box.end)

    return patch


def _packed(field: struct.Struct, place: int) -> bytes:
    try:
        return field.pack(place)
    except struct.error as error:
        raise base.too_large("a place in the file would not fit its field") from error


def _fragment_header(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift) -> None:
    """Copy tfhd, whose flags say whether it states where the fragment's data begins."""
    content = boxes.content(source, box, "a fragment's header")
    if len(content) >= _TFHD_BASE_AT + _U64.size and content[3] & _BASE_GIVEN:
        (place,) = _U64.unpack_from(content, _TFHD_BASE_AT)
        content = content[:_TFHD_BASE_AT] + _packed(_U64, shift.moved(place)) + content[_TFHD_BASE_AT + _U64.size :]
    _copy_span(source, destination, box.start, box.payload)
    destination.write(content)


def _fragment_table(source: BinaryIO, destination: BinaryIO, box: Box, shift: Shift) -> None:
    """Copy tfra: a time and a place in 32 bits (version 0) or 64, then three numbers of 1 to 4 bytes each, an entry."""
    source.seek(box.payload)
    head = base.take(source, _TFRA_HEAD, "a table of fragments")
    field = _U64 if head[0] == 1 else _U32
    widths, count = head[11], int.from_bytes(head[12:])
    entry = 2 * field.size + (widths >> 4 & 3) + (widths >> 2 & 3) + (widths & 3) + 3
    if box.payload + _TFRA_HEAD + count * entry > box.end:
        raise base.malformed("a table of fragments ends beyond its box")
    _copy_span(source, destination, box.start, box.payload + _TFRA_HEAD)
    for _ in range(count):
        row = base.take(source, entry, "a table of fragments")
        (place,) = field.unpack_from(row, field.size)
        destination.write(row[: field.size] + _packed(field, shift.moved(place)) + row[2 * field.size :])
    _copy_span(source, destination, box.payload + _TFRA_HEAD + count * entry, box.end)


_SAMPLES: Final[_Tree] = {b"mdia": {b"minf": {b"stbl": {b"stco": _table(_U32), b"co64": _table(_U64)}}}}
_TREE: Final[_Tree] = {
    b"trak": _SAMPLES,
    b"moof": {b"traf": {b"tfhd": _fragment_header}},
    b"mfra": {b"tfra": _fragment_table},
}
