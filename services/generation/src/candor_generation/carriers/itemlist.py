"""Metadata item lists of MP4 and QuickTime (meta): by keys, as `mdta` has them, or as iTunes does.

Spec: QuickTime File Format, Metadata; ISO/IEC 14496-12 8.11.1
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from candor_generation.carriers import base, boxes
from candor_generation.carriers.boxes import Box
from candor_generation.domain.label import Label

_BY_KEYS: Final = b"mdta"
_KEYS_HEAD: Final = struct.Struct(">4sI")
_KEYS_LIMIT: Final = 65_536
_DATA_HEAD: Final = 8
_UTF8: Final = 1
_FREE_FORM: Final = b"----"
_FULL: Final = bytes(4)


@dataclass(frozen=True)
class _Part:
    """A child of the list in memory: its type, its whole bytes, and its payload."""

    type: bytes
    whole: bytes
    payload: bytes


@dataclass(frozen=True)
class _Meta:
    """An item list in memory: what stands before its children, they, and what stands after."""

    head: bytes
    parts: tuple[_Part, ...]
    tail: bytes

    def part(self, kind: bytes) -> _Part | None:
        return next((part for part in self.parts if part.type == kind), None)

    @property
    def by_keys(self) -> bool:
        """Whether its handler says that its items are named by keys."""
        handler = self.part(b"hdlr")
        return handler is not None and handler.payload[8:12] == _BY_KEYS

    @property
    def keys(self) -> list[bytes]:
        part = self.part(b"keys")
        return [] if part is None or not self.by_keys else [key.payload for key in _keys(part.payload)]

    @property
    def numbers(self) -> list[int]:
        """The numbers, from 1, of the keys that are AIGC."""
        return [number for number, key in enumerate(self.keys, 1) if key.upper() == base.KEY.encode()]

    @property
    def items(self) -> list[_Part]:
        part = self.part(b"ilst")
        return [] if part is None else _parts(part.payload)[0]

    def is_label(self, item: _Part) -> bool:
        """Whether an item is a label: by its key's number, or by the name that iTunes's free form gives it."""
        if item.type == _FREE_FORM:
            name = next((part.payload[4:] for part in _parts(item.payload)[0] if part.type == b"name"), b"")
            return name.upper() == base.KEY.encode()
        return self.by_keys and int.from_bytes(item.type) in self.numbers


def values(source: BinaryIO, box: Box) -> list[str]:
    """Every AIGC value of an item list.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    meta = _load(source, box)
    found = [part for item in meta.items if meta.is_label(item) for part in _parts(item.payload)[0]]
    data = [part.payload[_DATA_HEAD:] for part in found if part.type == b"data"]
    return [base.text_of(value.rstrip(b"\0"), "the label") for value in data]


def is_by_keys(source: BinaryIO, box: Box) -> bool:
    """Whether a list names its items by keys, so that it can carry ours."""
    return _load(source, box).by_keys


def changed(source: BinaryIO, box: Box, label: Label | None) -> bytes:
    """The whole list with this label and no other, or without any; unlabelled lists come back as they are.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
    """
    meta = _load(source, box)
    kept = [item.whole for item in meta.items if not meta.is_label(item)]
    if label is None:
        whole = len(kept) == len(meta.items)
        return _whole(source, box) if whole else _made(meta, {b"ilst": boxes.make(b"ilst", b"".join(kept))})
    number = next(iter(meta.numbers), len(meta.keys) + 1)
    if not meta.numbers and any(int.from_bytes(item.type) == number for item in meta.items):
        raise base.malformed("an item of its metadata has no key")
    kept.append(_item(number, label))
    new = {b"ilst": boxes.make(b"ilst", b"".join(kept))}
    if not meta.numbers:
        new[b"keys"] = _keys_box([*_keys_of(meta), boxes.make(_BY_KEYS, base.KEY.encode())])
    return _made(meta, new)


def new(label: Label) -> bytes:
    """A list that holds nothing but a label."""
    handler = boxes.make(b"hdlr", bytes(8) + _BY_KEYS + bytes(13))
    keys = _keys_box([boxes.make(_BY_KEYS, base.KEY.encode())])
    return boxes.make(b"meta", _FULL + handler + keys + boxes.make(b"ilst", _item(1, label)))


def _item(number: int, label: Label) -> bytes:
    data = boxes.make(b"data", struct.pack(">II", _UTF8, 0) + label.bare.encode())
    return boxes.make(number.to_bytes(4), data)


def _keys_box(keys: list[bytes]) -> bytes:
    return boxes.make(b"keys", _KEYS_HEAD.pack(_FULL, len(keys)) + b"".join(keys))


def _keys_of(meta: _Meta) -> list[bytes]:
    part = meta.part(b"keys")
    return [] if part is None else [key.whole for key in _keys(part.payload)]


def _keys(payload: bytes) -> list[_Part]:
    if len(payload) < _KEYS_HEAD.size:
        raise base.malformed("its list of keys is cut short")
    keys, _ = _parts(payload[_KEYS_HEAD.size :])
    count = _KEYS_HEAD.unpack_from(payload)[1]
    if count > len(keys) or count > _KEYS_LIMIT:
        raise base.malformed("its list of keys is cut short, or too long")
    return keys[:count]


def _made(meta: _Meta, new_parts: dict[bytes, bytes]) -> bytes:
    """The list with some of its parts in another form; those it lacks come last, keys before items."""
    left = dict(new_parts)
    parts = [left.pop(part.type, part.whole) for part in meta.parts]
    parts += [left[kind] for kind in (b"keys", b"ilst") if kind in left]
    return boxes.make(b"meta", meta.head + b"".join(parts) + meta.tail)


def _whole(source: BinaryIO, box: Box) -> bytes:
    source.seek(box.start)
    return base.take(source, box.size, "the metadata")


def _load(source: BinaryIO, box: Box) -> _Meta:
    """A list in memory; QuickTime's has no version before its children, MP4's has."""
    payload = boxes.content(source, box, "the metadata")
    head = b"" if payload[4:8] == b"hdlr" else payload[:4]
    parts, tail = _parts(payload[len(head) :])
    return _Meta(head, tuple(parts), tail)


def _parts(payload: bytes) -> tuple[list[_Part], bytes]:
    """The boxes that some bytes hold, and the terminator that may follow them."""
    stream = io.BytesIO(payload)
    found = [
        _Part(box.type, payload[box.start : box.end], payload[box.payload : box.end])
        for box in boxes.walk(stream, 0, len(payload))
    ]
    return found, payload[sum(len(part.whole) for part in found) :]
