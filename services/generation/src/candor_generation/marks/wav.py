"""The audible label in WAV files, sample by sample: nothing is decoded, and all that is not sound stays.

Source: GB 45438-2025 5.3
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

from candor_generation.carriers import base, wav
from candor_generation.carriers.base import CarrierError
from candor_generation.carriers.wav import Chunk, Form
from candor_generation.marks.pcm import LONGEST_NOTICE, AudibleLabel, Layout, Notice, Overlay, resampled

_FORMAT: Final = struct.Struct("<HHIIHH")
_INTEGERS, _FLOATS, _EXTENSIBLE = 1, 3, 0xFFFE
_SUBFORMAT_AT: Final = 24
_KINDS: Final = {
    (_INTEGERS, 8): "u8",
    (_INTEGERS, 16): "s16",
    (_INTEGERS, 24): "s24",
    (_INTEGERS, 32): "s32",
    (_FLOATS, 32): "f32",
    (_FLOATS, 64): "f64",
}
_CHANNELS_LIMIT: Final = 64
_RATES: Final = range(1_000, 768_001)
_UNKNOWN: Final = 0xFFFFFFFF
_CUE, _LOOP = (4, 24, (4, 20)), (36, 24, (8, 12))
_MARKERS: Final = {b"cue ": (0, *_CUE), b"smpl": (28, *_LOOP)}


def mark(source: BinaryIO, destination: BinaryIO, label: AudibleLabel) -> None:
    """Write the file with the label before its sound and over it.

    Cue points and loops move with the sound.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, the samples are compressed; FILE_MALFORMED, FILE_TOO_LARGE, MARK_IMPOSSIBLE.

    Source: GB 45438-2025 5.3
    """
    form, layout, data = _parsed(source)
    overlay = Overlay(label, layout)
    opening = overlay.opening
    grown, frames = len(opening), len(opening) // layout.frame
    new_data = data.size + grown
    others = [chunk for chunk in form.chunks if chunk is not data]
    size = 4 + 8 + new_data + new_data % 2 + sum(chunk.end - chunk.start + chunk.unpadded for chunk in others)
    destination.write(wav.form_header(form, size))
    for chunk in form.chunks:
        if chunk is data:
            destination.write(_data_header(source, data, new_data) + opening)
            _write_sound(source, destination, data, layout, overlay)
            destination.write(b"\0" * (new_data % 2))
        elif chunk.name in _MARKERS or chunk.name == b"fact":
            _write_moved(source, destination, chunk, frames)
        else:
            wav.copy_chunk(source, destination, form, chunk, size, grown=grown, frames=frames)
    source.seek(form.end)
    base.copy_rest(source, destination)


def notice(source: BinaryIO) -> Notice:
    """A spoken notice from a WAV file of at most 30 seconds; of several channels the first is heard.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE.
    """
    _, layout, data = _parsed(source)
    limit = round(LONGEST_NOTICE * layout.rate) * layout.frame
    source.seek(data.payload)
    content = base.take(source, data.size - data.size % layout.frame, "the spoken notice", limit=limit)
    spoken = layout.decode(content)[:: layout.channels]
    return lambda rate: resampled(spoken, layout.rate, rate)


def _parsed(source: BinaryIO) -> tuple[Form, Layout, Chunk]:
    form = wav.parse(source)
    described, data = form.find(b"fmt "), form.find(b"data")
    if described is None or data is None or described.start > data.start:
        raise base.malformed("it has no sound, or does not describe it")
    source.seek(described.payload)
    return form, _layout(base.take(source, described.size, "the format")), data


def _layout(described: bytes) -> Layout:
    """The layout that a format chunk describes.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, it is none of plain samples; FILE_MALFORMED.
    """
    if len(described) < _FORMAT.size:
        raise base.malformed("its format is cut short")
    code, channels, rate, _, frame, bits = _FORMAT.unpack_from(described)
    if code == _EXTENSIBLE and len(described) >= _SUBFORMAT_AT + 2:
        code = int.from_bytes(described[_SUBFORMAT_AT : _SUBFORMAT_AT + 2], "little")
    kind = _KINDS.get((code, bits))
    if kind is None:
        raise CarrierError("UNSUPPORTED_MEDIA", "its samples are compressed, or of an unknown kind")
    layout = Layout(kind, channels, rate)
    if not 1 <= channels <= _CHANNELS_LIMIT or rate not in _RATES or frame != layout.frame:
        raise base.malformed("its format contradicts itself")
    return layout


def _data_header(source: BinaryIO, data: Chunk, size: int) -> bytes:
    """The header of the samples; a size that was left open, or is stated elsewhere, stays so."""
    source.seek(data.start + 4)
    stated = int.from_bytes(base.take(source, 4, "the samples"), "little")
    if stated == _UNKNOWN or (stated == 0 and data.size):
        return b"data" + stated.to_bytes(4, "little")
    if size >= _UNKNOWN:
        raise base.too_large("the file would not fit a RIFF form; give it as RF64")
    return b"data" + size.to_bytes(4, "little")


def _write_sound(source: BinaryIO, destination: BinaryIO, data: Chunk, layout: Layout, overlay: Overlay) -> None:
    source.seek(data.payload)
    left, step = data.size, base.PIECE - base.PIECE % layout.frame
    while left >= layout.frame:
        piece = base.take(source, min(step, left - left % layout.frame), "the samples")
        destination.write(overlay.over(piece))
        left -= len(piece)
    base.copy(source, destination, left, "the samples")


def _write_moved(source: BinaryIO, destination: BinaryIO, chunk: Chunk, frames: int) -> None:
    """Copy a chunk that counts frames (fact) or names places among them (cue points, loops).

    Spec: Multimedia Programming Interface and Data Specifications 1.0
    """
    source.seek(chunk.start)
    content = bytearray(base.take(source, 8 + chunk.size, "a chunk of places"))
    for place in _places(chunk, bytes(content[8:])):
        at = 8 + place
        moved = int.from_bytes(content[at : at + 4], "little") + frames
        content[at : at + 4] = min(moved, _UNKNOWN).to_bytes(4, "little")
    destination.write(bytes(content) + b"\0" * (chunk.size % 2))


def _places(chunk: Chunk, content: bytes) -> list[int]:
    if chunk.name == b"fact":
        return [0] if len(content) >= 4 else []  # noqa: PLR2004 - 32 bits
    count_at, first, size, fields = _MARKERS[chunk.name]
    count = int.from_bytes(content[count_at : count_at + 4], "little")
    rows = min(count, max(0, len(content) - first) // size)
    return [first + row * size + field for row in range(rows) for field in fields]
