"""As much of PDF's syntax as finding a document's information takes: objects, read within bounds.

Spec: ISO 32000-2 7.2, 7.3
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from candor_generation.carriers.base import malformed

_SPACE = rb"\0\t\n\f\r "
_DELIMITERS = rb"()<>\[\]{}/%"
_BLANK = re.compile(rb"(?:[" + _SPACE + rb"]|%[^\r\n]*+)*+")
_NUMBER = re.compile(rb"[+-]?(?:\d{1,18}\.\d{0,18}|\.\d{1,18}|\d{1,18})(?![^" + _SPACE + _DELIMITERS + rb"])")
_REFERENCE = re.compile(
    rb"(\d{1,10})[" + _SPACE + rb"]{1,64}(\d{1,5})[" + _SPACE + rb"]{1,64}R(?![^" + _SPACE + _DELIMITERS + rb"])"
)
_REGULAR = re.compile(rb"[^" + _SPACE + _DELIMITERS + rb"]*+")
_HEX = re.compile(rb"<([0-9A-Fa-f" + _SPACE + rb"]*+)>")
_NAME_CODE = re.compile(rb"#([0-9A-Fa-f]{2})")
_OBJECT = re.compile(
    rb"["
    + _SPACE
    + rb"]*(\d{1,10})["
    + _SPACE
    + rb"]{1,64}(\d{1,5})["
    + _SPACE
    + rb"]{1,64}obj(?![^"
    + _SPACE
    + _DELIMITERS
    + rb"])"
)
_STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|\r|\n)|(.))", re.DOTALL)
_MAX_DEPTH = 32
_MARKS = ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"), (b"\xef\xbb\xbf", "utf-8"))


@dataclass(frozen=True)
class Name:
    """A name, without its slash."""

    text: bytes


@dataclass(frozen=True)
class Reference:
    """A reference to an indirect object."""

    number: int
    generation: int


@dataclass(frozen=True)
class Dictionary:
    """A dictionary: its values, and each as it is written."""

    values: Mapping[bytes, Value]
    raw: Mapping[bytes, bytes]

    def get(self, key: bytes) -> Value:
        """The value of a key, or None."""
        return self.values.get(key)


@dataclass(frozen=True)
class Keyword:
    """true, false, null, or whatever else stands there."""

    text: bytes


Value: TypeAlias = "int | float | bytes | Name | Reference | Dictionary | Keyword | list[Value] | None"


def value(data: bytes, place: int, depth: int = 0) -> tuple[Value, int]:
    """The object at a place, and where it ends.

    Raises:
        CarrierError: FILE_MALFORMED, there is none that is whole.

    Spec: ISO 32000-2 7.3
    """
    if depth > _MAX_DEPTH:
        raise malformed("objects of the PDF are nested deeper than is read")
    place = blank(data, place)
    if data.startswith(b"<<", place):
        return _dictionary(data, place, depth)
    if data.startswith(b"<", place):
        return _hex(data, place)
    if data.startswith(b"(", place):
        return _literal(data, place)
    if data.startswith(b"[", place):
        return _array(data, place, depth)
    return _plain(data, place)


def blank(data: bytes, place: int) -> int:
    """Where the white space and the comments at a place end."""
    found = _BLANK.match(data, place)
    return found.end() if found else place


def indirect(data: bytes) -> tuple[int, int, Value, int]:
    """An indirect object at the beginning of the data: number, generation, value, where the value ends.

    Raises:
        CarrierError: FILE_MALFORMED.

    Spec: ISO 32000-2 7.3.10
    """
    found = _OBJECT.match(data)
    if found is None:
        raise malformed("an object of the PDF is not where it is said to be")
    read, end = value(data, found.end())
    return int(found[1]), int(found[2]), read, end


def stream_start(data: bytes, place: int) -> int:
    """Where the bytes of a stream begin whose dictionary ends at a place.

    Raises:
        CarrierError: FILE_MALFORMED, it is no stream.

    Spec: ISO 32000-2 7.3.8
    """
    found = _STREAM.match(data, blank(data, place))
    if found is None:
        raise malformed("an object of the PDF should be a stream and is none")
    return found.end()


def text(string: bytes) -> str:
    """A text string as text.

    Spec: ISO 32000-2 7.9.2.2
    """
    for mark, encoding in _MARKS:
        if string.startswith(mark):
            return string[len(mark) :].decode(encoding, "replace")
    return string.decode("latin-1")


def literal(content: str) -> bytes:
    """ASCII text as a literal string."""
    escaped = content.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return b"(" + escaped.encode("ascii") + b")"


def _plain(data: bytes, place: int) -> tuple[Value, int]:
    if data.startswith(b"/", place):
        found = _REGULAR.match(data, place + 1)
        end = found.end() if found else place + 1
        return Name(_NAME_CODE.sub(lambda code: bytes([int(code[1], 16)]), data[place + 1 : end])), end
    reference = _REFERENCE.match(data, place)
    if reference:
        return Reference(int(reference[1]), int(reference[2])), reference.end()
    number = _NUMBER.match(data, place)
    if number:
        return (float(number[0]) if b"." in number[0] else int(number[0])), number.end()
    word = _REGULAR.match(data, place)
    if word is None or not word[0]:
        raise malformed("an object of the PDF is broken off")
    return Keyword(word[0]), word.end()


def _dictionary(data: bytes, place: int, depth: int) -> tuple[Dictionary, int]:
    values: dict[bytes, Value] = {}
    raw: dict[bytes, bytes] = {}
    place = blank(data, place + 2)
    while not data.startswith(b">>", place):
        key, start = value(data, place, depth + 1)
        if not isinstance(key, Name):
            raise malformed("a dictionary of the PDF has a key that is no name")
        values[key.text], end = value(data, start, depth + 1)
        raw[key.text] = data[place:end]
        place = blank(data, end)
    return Dictionary(values, raw), place + 2


def _array(data: bytes, place: int, depth: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    place = blank(data, place + 1)
    while not data.startswith(b"]", place):
        item, place = value(data, place, depth + 1)
        items.append(item)
        place = blank(data, place)
    return items, place + 1


def _hex(data: bytes, place: int) -> tuple[bytes, int]:
    found = _HEX.match(data, place)
    if found is None:
        raise malformed("a string of the PDF is broken off")
    digits = re.sub(rb"[" + _SPACE + rb"]", b"", found[1])
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii")), found.end()


def _literal(data: bytes, place: int) -> tuple[bytes, int]:
    """A string in parentheses, which nest."""
    depth, here = 0, place
    while here < len(data):
        letter = data[here : here + 1]
        if letter == b"\\":
            here += 1
        elif letter == b"(":
            depth += 1
        elif letter == b")":
            depth -= 1
            if depth == 0:
                return _ESCAPE.sub(_unescaped, data[place + 1 : here]), here + 1
        here += 1
    raise malformed("a string of the PDF is broken off")


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 0xFF])
    if found[2]:
        return b""
    return _ESCAPES.get(found[3], found[3])
