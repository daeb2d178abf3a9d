"""The explicit label of a text: a line of its own at the start or at the end, once.

Source: GB 45438-2025 5.1; Generative AI Labelling Measures 4
"""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import BinaryIO

from candor_generation.carriers.base import PIECE, malformed, size_of
from candor_generation.carriers.text import front_matter
from candor_generation.domain.label import EXPLICIT_TEXTS

MEDIA_TYPES = ("text/plain", "text/markdown")
_LOOK = 4096


class Place(StrEnum):
    """Where the label stands."""

    START = "start"
    END = "end"


def has_both_elements(text: str) -> bool:
    """Whether a text names the AI and the generating, as an explicit label must.

    Source: GB 45438-2025 5.1
    """
    lower = text.lower()
    return ("人工智能" in text or "ai" in lower) and any(word in lower for word in ("生成", "合成", "generated"))


def mark_text(text: str, explicit: str, place: Place) -> str:
    """The text with its explicit label; one that carries it at that place is given back.

    Source: GB 45438-2025 5.1
    """
    lines = text.strip().splitlines()
    if lines and lines[0 if place is Place.START else -1].strip() in {explicit, *EXPLICIT_TEXTS}:
        return text
    return f"{explicit}\n\n{text}" if place is Place.START else f"{text}{_gap(text)}{explicit}\n"


def mark(source: BinaryIO, destination: BinaryIO, explicit: str, place: Place) -> None:
    """Write a text file with its explicit label, after its front matter or at its end; pieces alone are held.

    Raises:
        CarrierError: FILE_MALFORMED, the text is not UTF-8.

    Source: GB 45438-2025 5.1
    """
    size = size_of(source)
    start = front_matter(source).end
    head, tail = _part(source, start, start + _LOOK), _part(source, max(start, size - _LOOK), size)
    source.seek(0)
    _copy(source, destination, start)
    if place is Place.START and mark_text(head, explicit, place) != head:
        destination.write(f"{explicit}\n\n".encode())
    _copy(source, destination, size - start)
    marked = mark_text(tail, explicit, place)
    if place is Place.END and marked != tail:
        destination.write((_gap(tail) + explicit + "\n").encode())


def _gap(text: str) -> str:
    """What parts the label from the text before it: an empty line."""
    if not text or text.endswith("\n\n"):
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _part(source: BinaryIO, start: int, end: int) -> str:
    source.seek(start)
    return source.read(end - start).decode("utf-8", "replace").replace("\r\n", "\n")


def _copy(source: BinaryIO, destination: BinaryIO, size: int) -> None:
    """Copy so many bytes, which must be whole UTF-8.

    Raises:
        CarrierError: FILE_MALFORMED.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    left = size
    try:
        while left > 0 and (piece := source.read(min(left, PIECE))):
            decoder.decode(piece)
            destination.write(piece)
            left -= len(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise malformed("the text is not UTF-8") from error
