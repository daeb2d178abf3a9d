"""XML that others wrote, found by place and changed by place: what is not the label's stays as it is, byte for byte.

The parser is expat with document types refused, so that no entity can expand.

Spec: XML 1.0
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from candor_generation.carriers.base import METADATA_LIMIT, malformed, too_large

_TAG = re.compile(rb"""<(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_MAX_FOUND = 4096
_SEPARATOR = " "
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass
class Element:
    """An element and where it stands in the UTF-8 text.

    Attributes:
        space: its namespace, or "".
        name: its local name.
        prefixes: for each attribute in a namespace, the prefix it is written with.
        attributes: `(namespace, local name)` to value.
        start: where its start tag begins.
        inner: where its content begins.
        inner_end: where its content ends.
        end: what follows its end tag.
        text: its character data, and that of children that were not asked for.
        depth: 0 for the root.
    """

    space: str
    name: str
    attributes: Mapping[tuple[str, str], str]
    prefixes: Mapping[tuple[str, str], str]
    start: int
    inner: int
    depth: int
    inner_end: int = 0
    end: int = 0
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its character data, and that of children that were not asked for."""
        return "".join(self.pieces)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written `<a/>`, so that nothing can be put inside without rewriting the tag."""
        return self.inner == self.end


@dataclass(frozen=True)
class Document:
    """A document as UTF-8, with the encoding it came in and the elements that were asked for, in document order."""

    data: bytes
    encoding: str
    elements: tuple[Element, ...]

    def encoded(self, data: bytes) -> bytes:
        """Changed UTF-8 text in the encoding that the document came in."""
        return data if self.encoding == "utf-8" else data.decode("utf-8").encode(self.encoding)


def parse(raw: bytes, what: str, wanted: Callable[[str, str, Mapping[tuple[str, str], str]], bool]) -> Document:
    """Read a document.

    Args:
        raw: the document.
        what: what it is, for the message.
        wanted: `(namespace, local name, attributes)` to whether the element is asked for.

    Raises:
        CarrierError: FILE_MALFORMED, it is no XML or declares a document type; FILE_TOO_LARGE.
    """
    if len(raw) > METADATA_LIMIT:
        raise too_large(f"{what} is larger than {METADATA_LIMIT} bytes")
    data, encoding = _utf8(raw, what)
    scan = _Scan(data, what, wanted)
    scan.run()
    return Document(data, encoding, tuple(scan.found))


def _utf8(raw: bytes, what: str) -> tuple[bytes, str]:
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
        return text.encode("utf-8"), encoding
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise malformed(f"{what} is neither UTF-8 nor UTF-16") from error


class _Scan:
    """One pass over a document; the elements asked for are collected with their places."""

    def __init__(
        self, data: bytes, what: str, wanted: Callable[[str, str, Mapping[tuple[str, str], str]], bool]
    ) -> None:
        self.found: list[Element] = []
        self._data = data
        self._what = what
        self._wanted = wanted
        self._depth = 0
        self._open: list[Element] = []
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self._parser.namespace_prefixes = True
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def run(self) -> None:
        """Read to the end.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.
        """
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise malformed(f"{self._what} is no well-formed XML") from error

    def _doctype(self, *_declaration: object) -> None:
        raise malformed(f"{self._what} declares a document type, which metadata has no need of")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, local, _ = _split(name)
        split = {_split(key): value for key, value in attributes.items()}
        values = {(space, local): value for (space, local, _), value in split.items()}
        if self._wanted(space, local, values):
            self._add(space, local, values, {(space, local): prefix for space, local, prefix in split})
        self._depth += 1

    def _add(
        self,
        space: str,
        local: str,
        values: dict[tuple[str, str], str],
        prefixes: dict[tuple[str, str], str],
    ) -> None:
        if len(self.found) == _MAX_FOUND:
            raise too_large(f"{self._what} has more than {_MAX_FOUND} entries to look at")
        start = self._parser.CurrentByteIndex
        element = Element(space, local, values, prefixes, start, self._tag_end(start), self._depth)
        self.found.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if not self._open or self._open[-1].depth != self._depth:
            return
        element = self._open.pop()
        empty = self._data[element.inner - 2 : element.inner] == b"/>"
        element.inner_end = element.inner if empty else self._parser.CurrentByteIndex
        element.end = element.inner if empty else self._tag_end(element.inner_end)

    def _text(self, text: str) -> None:
        # The innermost alone, so that what is nested deep is not kept many times over.
        if self._open:
            self._open[-1].pieces.append(text)

    def _tag_end(self, start: int) -> int:
        tag = _TAG.match(self._data, start)
        if tag is None:
            raise malformed(f"{self._what} is no well-formed XML")
        return tag.end()


def _split(name: str) -> tuple[str, str, str]:
    """Namespace, local name, prefix of a name as expat gives it."""
    parts = name.split(_SEPARATOR)
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) > len(("space", "name")) else ""


def without_attribute(data: bytes, element: Element, key: tuple[str, str]) -> tuple[int, int, bytes]:
    """The change that takes an attribute out of a start tag: `(start, end, new bytes)`."""
    prefix = element.prefixes[key]
    name = (f"{prefix}:{key[1]}" if prefix else key[1]).encode()
    tag = data[element.start : element.inner]
    expression = rb"""(?<!\s)\s++""" + re.escape(name) + rb"""\s*+=\s*+(?:"[^"]*+"|'[^']*+')"""
    return element.start, element.inner, re.sub(expression, b"", tag, count=1)


def changed(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The text with each `(start, end, new bytes)` carried out; a change within another one is part of it."""
    pieces: list[bytes] = []
    place = 0
    for start, end, new in sorted(changes, key=lambda change: (change[0], -change[1])):
        if start < place:
            continue
        pieces += [data[place:start], new]
        place = end
    return b"".join([*pieces, data[place:]])


def inside(data: bytes, element: Element, new: bytes) -> tuple[int, int, bytes]:
    """The change that puts something at the end of an element's content."""
    if not element.is_empty_tag:
        return element.inner_end, element.inner_end, new
    tag = data[element.start : element.inner]
    name = re.split(rb"[\s/>]", tag[1:], maxsplit=1)[0]
    return element.start, element.end, tag[:-2] + b">" + new + b"</" + name + b">"


def escaped(text: str) -> bytes:
    """Character data."""
    return escape(text).encode("utf-8")
