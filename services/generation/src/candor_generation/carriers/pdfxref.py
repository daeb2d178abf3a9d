"""Where the objects of a PDF are: its cross-reference tables and streams, followed from the last to the first.

An object is looked up where it stands in the file; no table is held, so memory does not grow with their number.

Spec: ISO 32000-2 7.5.4, 7.5.7, 7.5.8
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from candor_generation.carriers import pdfsyntax
from candor_generation.carriers.base import METADATA_LIMIT, PIECE, malformed, size_of, too_large
from candor_generation.carriers.pdfsyntax import Dictionary, Name, Reference, Value

_TAIL = 2048
_MAX_SECTIONS = 256
_MAX_UNPACKED = 64 << 20
_MAX_SUBSECTIONS = 65_536
_ROW = 20
_MAX_WIDTH = 16
_PNG_FIRST, _PNG_LAST = 10, 15
_STARTXREF = re.compile(rb"startxref[\0\t\n\f\r ]+(\d{1,15})[\0\t\n\f\r ]+%%EOF")
_SUBSECTION = re.compile(rb"[\0\t\n\f\r ]*(\d{1,10}) +(\d{1,10})[\0\t\f ]*(?:\r\n|\r|\n)")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])[ \r\n]{2}")
_FREE, _DIRECT, _PACKED = 0, 1, 2


@dataclass(frozen=True)
class _Place:
    """Where an object is: in the file at an offset, or the how-manieth in an object stream."""

    kind: int
    first: int
    second: int


@dataclass(frozen=True)
class _Section:
    """One cross-reference section and its trailer dictionary."""

    trailer: Dictionary
    subsections: tuple[tuple[int, int, int], ...] = ()
    stream: int | None = None


@dataclass
class Document:
    """A PDF, opened. `trailer` has the keys of all sections, the latest first; `last` is where the latest begins."""

    source: BinaryIO
    size: int
    last: int
    is_stream: bool
    trailer: dict[bytes, Value]
    raw: dict[bytes, bytes]
    sections: list[_Section] = field(default_factory=list)

    def resolve(self, item: Value) -> Value:
        """The object that is referred to, or the value itself.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
        """
        for _ in range(8):
            if not isinstance(item, Reference):
                return item
            item = self._load(item.number)
        raise malformed("references of the PDF go round in a circle")

    def stream(self, item: Value) -> tuple[Dictionary, bytes] | None:
        """A stream's dictionary and unpacked bytes; None where there is none or it is packed in a way not known here.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
        """
        place = self._place(item.number) if isinstance(item, Reference) else None
        if place is None or place.kind != _DIRECT:
            return None
        head = self._head(place.first)
        _, _, dictionary, end = pdfsyntax.indirect(head)
        if not isinstance(dictionary, Dictionary):
            return None
        data = self._stream_data(dictionary, place.first + pdfsyntax.stream_start(head, end))
        return (dictionary, data) if data is not None else None

    def _head(self, offset: int) -> bytes:
        if offset >= self.size:
            raise malformed("an object of the PDF lies beyond its end")
        self.source.seek(offset)
        return self.source.read(METADATA_LIMIT)

    def _stream_data(self, dictionary: Dictionary, start: int) -> bytes | None:
        length = self.resolve(dictionary.get(b"Length"))
        if not isinstance(length, int) or not 0 <= length <= self.size - start:
            raise malformed("a stream of the PDF has no length, or a wrong one")
        if length > METADATA_LIMIT:
            raise too_large("a stream of metadata of the PDF is larger than is read")
        self.source.seek(start)
        data = self.source.read(length)
        kind, parameters = _filter(dictionary)
        if kind is None:
            return data
        if kind != b"FlateDecode" or parameters is not None:
            return None
        pieces = list(_inflated(iter([data])))
        if sum(map(len, pieces)) > METADATA_LIMIT:
            raise too_large("a stream of metadata of the PDF unpacks to more than is read")
        return b"".join(pieces)

    def _load(self, number: int) -> Value:
        place = self._place(number)
        if place is None or place.kind == _FREE:
            return None
        if place.kind == _PACKED:
            return self._packed(place)
        found, _, read, _ = pdfsyntax.indirect(self._head(place.first))
        if found != number:
            raise malformed("an object of the PDF is not where it is said to be")
        return read

    def _packed(self, place: _Place) -> Value:
        """An object out of an object stream (7.5.7)."""
        found = self.stream(Reference(place.first, 0))
        if found is None:
            raise malformed("an object stream of the PDF cannot be unpacked")
        dictionary, data = found
        first = dictionary.get(b"First")
        header = data[: first if isinstance(first, int) and first > 0 else 0].split()
        index = 2 * place.second + 1
        if not isinstance(first, int) or index >= len(header) or not header[index].isdigit():
            raise malformed("an object stream of the PDF has no such object")
        return pdfsyntax.value(data, first + int(header[index][:10]))[0]

    def _place(self, number: int) -> _Place | None:
        for section in self.sections:
            place = self._in_stream(section, number) if section.stream is not None else self._in_table(section, number)
            if place is not None:
                return place
        return None

    def _in_table(self, section: _Section, number: int) -> _Place | None:
        for first, count, start in section.subsections:
            if first <= number < first + count:
                self.source.seek(start + (number - first) * _ROW)
                entry = _ENTRY.fullmatch(self.source.read(_ROW))
                if entry is None:
                    raise malformed("an entry of the PDF's cross-reference table is broken")
                return _Place(_DIRECT if entry[3] == b"n" else _FREE, int(entry[1]), int(entry[2]))
        return None

    def _in_stream(self, section: _Section, number: int) -> _Place | None:
        widths, index = _layout(section.trailer)
        row = 0
        for first, count in zip(index[::2], index[1::2], strict=True):
            if first <= number < first + count:
                data = self._row(section, sum(widths), row + number - first)
                return _entry(data, widths)
            row += count
        return None

    def _row(self, section: _Section, width: int, wanted: int) -> bytes:
        length = section.trailer.get(b"Length")
        if not isinstance(length, int) or section.stream is None or not 0 <= length <= self.size - section.stream:
            raise malformed("a cross-reference stream of the PDF has no length, or a wrong one")
        self.source.seek(section.stream)
        kind, parameters = _filter(section.trailer)
        pieces = _pieces(self.source, length)
        unpacked = _inflated(pieces) if kind == b"FlateDecode" else pieces
        for number, row in enumerate(_rows(unpacked, width, _predicted(parameters, width))):
            if number == wanted:
                return row
        raise malformed("a cross-reference stream of the PDF is broken off")


def open_document(source: BinaryIO) -> Document:
    """Find the cross-reference sections of a PDF.

    Raises:
        CarrierError: FILE_MALFORMED, FILE_TOO_LARGE, UNSUPPORTED_MEDIA.
    """
    size = size_of(source)
    if not source.read(5) == b"%PDF-":
        raise malformed("the file is no PDF")
    source.seek(max(0, size - _TAIL))
    starts = _STARTXREF.findall(source.read(_TAIL))
    if not starts:
        raise malformed("the PDF does not say where its cross-reference table is")
    document = Document(source, size, int(starts[-1]), False, {}, {})
    _follow(document)
    return document


def _follow(document: Document) -> None:
    """Read the sections from the last to the first; a key of a later one hides that of an earlier (7.5.6)."""
    waiting: list[Value] = [document.last]
    seen: set[int] = set()
    while waiting:
        offset = waiting.pop(0)
        if not isinstance(offset, int) or not 0 <= offset < document.size or offset in seen:
            raise malformed("the cross-reference sections of the PDF do not follow each other")
        if len(seen) == _MAX_SECTIONS:
            raise too_large("the PDF has more cross-reference sections than are followed")
        seen.add(offset)
        section = _section(document, offset)
        if offset == document.last:
            document.is_stream = section.stream is not None
        document.sections.append(section)
        for key, item in section.trailer.values.items():
            document.trailer.setdefault(key, item)
            document.raw.setdefault(key, section.trailer.raw[key])
        # A hybrid file's stream stands for the table it hangs on, before what came earlier (7.5.8.4).
        waiting += [section.trailer.values[key] for key in (b"XRefStm", b"Prev") if key in section.trailer.values]


def _section(document: Document, offset: int) -> _Section:
    document.source.seek(offset)
    head = document.source.read(PIECE)
    place = pdfsyntax.blank(head, 0)
    if head.startswith(b"xref", place):
        return _table(document, offset + place + len(b"xref"))
    _, _, dictionary, end = pdfsyntax.indirect(head)
    if not isinstance(dictionary, Dictionary) or dictionary.get(b"Type") != Name(b"XRef"):
        raise malformed("a cross-reference section of the PDF is not where it is said to be")
    _layout(dictionary)
    return _Section(dictionary, stream=offset + pdfsyntax.stream_start(head, end))


def _table(document: Document, place: int) -> _Section:
    source, subsections = document.source, []
    for _ in range(_MAX_SUBSECTIONS):
        source.seek(place)
        head = source.read(128)
        found = _SUBSECTION.match(head)
        if found is None:
            break
        first, count = int(found[1]), int(found[2])
        start = place + found.end()
        subsections.append((first, count, start))
        place = start + count * _ROW
    source.seek(min(place, document.size))
    head = source.read(PIECE)
    word = pdfsyntax.blank(head, 0)
    if not head.startswith(b"trailer", word):
        raise malformed("a cross-reference table of the PDF has no trailer")
    trailer, _ = pdfsyntax.value(head, word + len(b"trailer"))
    if not isinstance(trailer, Dictionary):
        raise malformed("the trailer of the PDF is no dictionary")
    return _Section(trailer, subsections=tuple(subsections))


def _layout(dictionary: Dictionary) -> tuple[list[int], list[int]]:
    """The widths of the three fields, and the pairs of first number and count (7.5.8.2)."""
    widths, size = dictionary.get(b"W"), dictionary.get(b"Size")
    index = dictionary.get(b"Index") or [0, size]
    if not isinstance(widths, list) or not isinstance(index, list) or len(index) % 2:
        raise malformed("a cross-reference stream of the PDF does not say how it is laid out")
    numbers = [item for item in widths if isinstance(item, int) and 0 <= item <= _MAX_WIDTH]
    pairs = [item for item in index if isinstance(item, int) and item >= 0]
    if len(numbers) != 3 or len(widths) != 3 or not sum(numbers) or len(pairs) != len(index):  # noqa: PLR2004
        raise malformed("a cross-reference stream of the PDF does not say how it is laid out")
    return numbers, pairs


def _entry(row: bytes, widths: list[int]) -> _Place:
    first, second, _ = widths
    kind = int.from_bytes(row[:first], "big") if first else _DIRECT
    return _Place(
        kind, int.from_bytes(row[first : first + second], "big"), int.from_bytes(row[first + second :], "big")
    )


def _filter(dictionary: Dictionary) -> tuple[bytes | None, Dictionary | None]:
    """The one filter of a stream and its parameters; b"" for what is not known here."""
    kind, parameters = dictionary.get(b"Filter"), dictionary.get(b"DecodeParms")
    if isinstance(kind, list) and len(kind) <= 1:
        kind = kind[0] if kind else None
    if isinstance(parameters, list) and len(parameters) == 1:
        parameters = parameters[0]
    name = kind.text if isinstance(kind, Name) else None if kind is None else b""
    return name, parameters if isinstance(parameters, Dictionary) else None


def _predicted(parameters: Dictionary | None, width: int) -> bool:
    """Whether the rows of a cross-reference stream stand in PNG's prediction (7.4.4.4)."""
    predictor = parameters.get(b"Predictor") if parameters else None
    if predictor in (None, 1):
        return False
    columns = parameters.get(b"Columns") if parameters else None
    if not isinstance(predictor, int) or not _PNG_FIRST <= predictor <= _PNG_LAST or columns != width:
        raise malformed("a cross-reference stream of the PDF is predicted in a way that is not known here")
    return True


def _pieces(source: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left > 0 and (piece := source.read(min(left, PIECE))):
        left -= len(piece)
        yield piece


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker, total = zlib.decompressobj(), 0
    for piece in pieces:
        rest = piece
        while rest:
            try:
                unpacked = unpacker.decompress(rest, PIECE)
            except zlib.error as error:
                raise malformed("a stream of the PDF does not unpack") from error
            total += len(unpacked)
            if total > _MAX_UNPACKED:
                raise too_large("a stream of the PDF unpacks to more than is read")
            yield unpacked
            rest = unpacker.unconsumed_tail


def _rows(pieces: Iterator[bytes], width: int, predicted: bool) -> Iterator[bytes]:
    """Rows of so many bytes; where they are predicted, each has a byte in front that says how."""
    step, kept, above = width + predicted, b"", bytes(width)
    for piece in pieces:
        kept += piece
        usable = len(kept) - len(kept) % step
        for start in range(0, usable, step):
            row = kept[start : start + step]
            above = _unpredicted(row[0], row[1:], above) if predicted else row
            yield above
        kept = kept[usable:]


def _unpredicted(how: int, row: bytes, above: bytes) -> bytes:
    """A row of bytes out of PNG's prediction; the kinds that writers use for tables are none and up (PNG 9.2)."""
    if how == 0:
        return row
    if how == 2:  # noqa: PLR2004 - the filter type Up
        return bytes((left + right) & 0xFF for left, right in zip(row, above, strict=True))
    raise malformed("a cross-reference stream of the PDF is predicted in a way that is not known here")
