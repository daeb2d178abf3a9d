"""WAV files: the label is a chunk "AIGC" of the RIFF, RF64 or BW64 form."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from candor_generation.carriers import base
from candor_generation.domain.label import Label

_FORMS: Final = (b"RIFF", b"RF64", b"BW64")
_HEADER: Final = struct.Struct("<4sI4s")
_CHUNK: Final = struct.Struct("<4sI")
_SIZES: Final = struct.Struct("<QQQI")
_ROW: Final = struct.Struct("<4sQ")
_UNKNOWN: Final = 0xFFFFFFFF
_CHUNKS_LIMIT: Final = 65_536
_ROWS_LIMIT: Final = 1_024
_ID: Final = base.KEY.encode()


@dataclass(frozen=True)
class Chunk:
    """Where a chunk stands: its name, its first byte, its payload's first, the payload's size, where the next begins.

    `end` is one more than the payload's last byte where that is odd and its padding byte is there.
    """

    name: bytes
    start: int
    payload: int
    size: int
    end: int

    @property
    def unpadded(self) -> bool:
        """Whether it lacks the byte that its odd size calls for, as a last chunk may."""
        return self.size % 2 == 1 and self.end == self.payload + self.size


@dataclass(frozen=True)
class Form:
    """A whole file: its kind, where the form ends, the chunks, and whether its sizes were left open by who wrote it.

    Attributes:
        kind: b"RIFF", b"RF64" or b"BW64".
        end: one more than the form's last byte; what follows is kept as it is.
        open_ended: the form's size is not stated: it was written to a pipe.
        sizes: what ds64 states of the form, the data and the samples, or nothing.
        chunks: in the file's order.
    """

    kind: bytes
    end: int
    open_ended: bool
    sizes: tuple[int, int, int] | None
    chunks: tuple[Chunk, ...]

    def find(self, name: bytes) -> Chunk | None:
        """The first chunk of a name."""
        return next((chunk for chunk in self.chunks if chunk.name == name), None)


class Wav:
    """WAV, also above 4 GiB (RF64 and BW64)."""

    media_types = ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC value; see `base.Carrier`."""
        values = []
        for chunk in parse(source).chunks:
            if chunk.name == _ID:
                values.append(_payload(source, chunk))
                _check_count(values)
        return values

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write with this label and no other; see `base.Carrier`.

        The chunk goes to the end of the form, or before the samples where their size is not stated.
        """
        form = parse(source)
        content = label.bare.encode()
        own = _CHUNK.pack(_ID, len(content)) + content + b"\0" * (len(content) % 2)
        _write(source, destination, form, own)


def _write(source: BinaryIO, destination: BinaryIO, form: Form, own: bytes) -> None:
    file_size = base.size_of(source)
    kept = [chunk for chunk in form.chunks if chunk.name != _ID]
    size = 4 + len(own) + sum(chunk.end - chunk.start + chunk.unpadded for chunk in kept)
    destination.write(form_header(form, size))
    for chunk in kept:
        if form.open_ended and chunk.name == b"data":
            destination.write(own)
            own = b""
        copy_chunk(source, destination, form, chunk, size)
    destination.write(own)
    source.seek(form.end)
    base.copy(source, destination, file_size - form.end, "the rest")


def form_header(form: Form, size: int) -> bytes:
    """The first twelve bytes of a form of a new size.

    Raises:
        CarrierError: FILE_TOO_LARGE, the size does not fit.
    """
    if form.sizes is not None or form.open_ended:
        return _HEADER.pack(form.kind, _UNKNOWN, b"WAVE")
    if size >= _UNKNOWN:
        raise base.too_large("the file would not fit a RIFF form; give it as RF64")
    return _HEADER.pack(form.kind, size, b"WAVE")


def copy_chunk(
    source: BinaryIO,
    destination: BinaryIO,
    form: Form,
    chunk: Chunk,
    form_size: int,
    *,
    grown: int = 0,
    frames: int = 0,
) -> None:
    """Copy a chunk whole and padded; a chunk of 64-bit sizes gets the form's new one.

    Args:
        source: the file.
        destination: where to.
        form: whose it is.
        chunk: what to copy.
        form_size: the new size of the form.
        grown: by how many bytes the samples grow.
        frames: and by how many sample frames.

    Raises:
        CarrierError: FILE_MALFORMED.
    """
    source.seek(chunk.start)
    left = chunk.end - chunk.start
    if chunk.name == b"ds64" and form.sizes is not None:
        head = base.take(source, _CHUNK.size + 24, "the chunk of sizes")
        _, data, samples = form.sizes
        new = struct.pack("<QQQ", form_size, data + grown, samples + frames if samples else 0)
        destination.write(head[: _CHUNK.size] + new)
        left -= len(head)
    base.copy(source, destination, left, "a chunk")
    destination.write(b"\0" * chunk.unpadded)


def parse(source: BinaryIO) -> Form:
    """The chunks of a WAV file, none of which lies beyond it.

    Raises:
        CarrierError: FILE_MALFORMED; FILE_TOO_LARGE, it has more than 65,536 chunks.

    Spec: EBU Tech 3306; Multimedia Programming Interface and Data Specifications 1.0
    """
    file_size = base.size_of(source)
    kind, stated, wave = _HEADER.unpack(base.take(source, _HEADER.size, "the header"))
    if kind not in _FORMS or wave != b"WAVE":
        raise base.malformed("it is no WAV file")
    rows = _rows_of_ds64(source) if kind != b"RIFF" else None
    open_ended = rows is None and stated in (0, _UNKNOWN)
    end = file_size if open_ended else 8 + (stated if rows is None else rows[b"RIFF"])
    if end == file_size + 1:
        end = file_size
    if end > file_size or end < _HEADER.size:
        raise base.malformed("its form ends beyond the file")
    chunks = tuple(_chunks(source, end, rows or {}, open_ended=open_ended))
    sizes = None if rows is None else (rows[b"RIFF"], rows[b"data"], rows[b"\0samples"])
    return Form(kind, end, open_ended, sizes, chunks)


def _rows_of_ds64(source: BinaryIO) -> dict[bytes, int]:
    name, size = _CHUNK.unpack(base.take(source, _CHUNK.size, "the chunk of sizes"))
    if name != b"ds64" or size < _SIZES.size:
        raise base.malformed("its first chunk is not ds64")
    riff, data, samples, count = _SIZES.unpack(base.take(source, _SIZES.size, "the chunk of sizes"))
    if count > _ROWS_LIMIT or _SIZES.size + count * _ROW.size > size:
        raise base.malformed("its table of sizes is longer than its chunk")
    table = base.take(source, count * _ROW.size, "the table of sizes")
    rows = dict(_ROW.iter_unpack(table))
    return rows | {b"RIFF": riff, b"data": data, b"\0samples": samples}


def _chunks(source: BinaryIO, end: int, rows: dict[bytes, int], *, open_ended: bool) -> Iterator[Chunk]:
    position = _HEADER.size
    for _ in range(_CHUNKS_LIMIT):
        if end - position < _CHUNK.size:
            if position != end:
                raise base.malformed("its form ends within a chunk")
            return
        source.seek(position)
        chunk = _chunk(base.take(source, _CHUNK.size, "a chunk"), position, end, rows, open_ended=open_ended)
        yield chunk
        position = chunk.end
    raise base.too_large(f"it has more than {_CHUNKS_LIMIT} chunks")


def _chunk(head: bytes, start: int, end: int, rows: dict[bytes, int], *, open_ended: bool) -> Chunk:
    name, size = _CHUNK.unpack(head)
    payload = start + _CHUNK.size
    if size == _UNKNOWN and name in rows:
        size = rows[name]
    elif open_ended and name == b"data" and size in (0, _UNKNOWN):
        size = end - payload
    if payload + size > end:
        raise base.malformed("a chunk ends beyond the file")
    return Chunk(name, start, payload, size, min(payload + size + size % 2, end))


def _payload(source: BinaryIO, chunk: Chunk) -> str:
    source.seek(chunk.payload)
    return base.text_of(base.take(source, chunk.size, "the label").rstrip(b"\0"), "the label")


def _check_count(values: list[str]) -> None:
    if len(values) > base.VALUES_LIMIT:
        raise base.too_large(f"it carries more than {base.VALUES_LIMIT} labels")
