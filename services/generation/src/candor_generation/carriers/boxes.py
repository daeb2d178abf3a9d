"""Boxes of the ISO base media file format (MP4, MOV, M4A), found without being held.

Spec: ISO/IEC 14496-12 4.2; QuickTime File Format
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from candor_generation.carriers import base

BOXES_LIMIT: Final = 1 << 20
_SMALL: Final = struct.Struct(">I4s")
_LARGE: Final = struct.Struct(">Q")
_TO_THE_END, _SIZE_FOLLOWS = 0, 1
_U32_LIMIT: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box stands: its type, its first byte, its payload's first, and one more than its last."""

    type: bytes
    start: int
    payload: int
    end: int

    @property
    def size(self) -> int:
        """The whole of it, in bytes."""
        return self.end - self.start


def walk(source: BinaryIO, start: int, end: int, *, top: bool = False) -> Iterator[Box]:
    """The boxes between two places.

    Args:
        source: the file.
        start: where the first begins.
        end: one more than the last byte of the last.
        top: whether they are the file's own, whose last may leave its size open.

    Raises:
        CarrierError: FILE_MALFORMED, one is smaller than its header, or ends beyond `end`; FILE_TOO_LARGE, more than
            2^20 boxes.
    """
    position = start
    for _ in range(BOXES_LIMIT):
        if position == end or (not top and _is_terminator(source, position, end)):
            return
        source.seek(position)
        box = _box(source, position, end, top=top)
        yield box
        position = box.end
    raise base.too_large(f"it has more than {BOXES_LIMIT} boxes")


def _is_terminator(source: BinaryIO, position: int, end: int) -> bool:
    """Whether only the 32-bit zero is left that QuickTime allows after the last of a list."""
    if end - position != 4:  # noqa: PLR2004 - 32 bits
        return False
    source.seek(position)
    return source.read(4) == bytes(4)


def _box(source: BinaryIO, position: int, end: int, *, top: bool) -> Box:
    if end - position < _SMALL.size:
        raise base.malformed("it ends within a box")
    size, kind = _SMALL.unpack(base.take(source, _SMALL.size, "a box"))
    payload = position + _SMALL.size
    if size == _SIZE_FOLLOWS:
        size = _LARGE.unpack(base.take(source, _LARGE.size, "a box"))[0]
        payload += _LARGE.size
    elif size == _TO_THE_END and top:
        size = end - position
    if size < payload - position or position + size > end:
        raise base.malformed("a box is smaller than its header, or ends beyond what it stands in")
    return Box(kind, position, payload, position + size)


def find(source: BinaryIO, parent: Box, *path: bytes) -> Iterator[Box]:
    """Every box on a path below another, in the file's order."""
    for child in walk(source, parent.payload, parent.end):
        if child.type == path[0]:
            if len(path) == 1:
                yield child
            else:
                yield from find(source, child, *path[1:])


def content(source: BinaryIO, box: Box, what: str) -> bytes:
    """A box's payload.

    Raises:
        CarrierError: FILE_TOO_LARGE.
    """
    source.seek(box.payload)
    return base.take(source, box.end - box.payload, what)


def make(kind: bytes, payload: bytes) -> bytes:
    """A box."""
    return _SMALL.pack(_SMALL.size + len(payload), kind) + payload


def header(kind: bytes, size: int, *, large: bool) -> bytes:
    """The header of a box of a size, in 8 bytes or in 16.

    Raises:
        CarrierError: FILE_TOO_LARGE, it does not fit 8.
    """
    if large:
        return _SMALL.pack(_SIZE_FOLLOWS, kind) + _LARGE.pack(size)
    if size >= _U32_LIMIT:
        raise base.too_large("a box has no room for a label")
    return _SMALL.pack(size, kind)
