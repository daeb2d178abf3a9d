"""The label in an EXIF user comment: read where others wrote it, blanked where ours takes its place.

Source: TC260-PG-20259A Annex B
Spec: CIPA DC-008 (EXIF 2.3) 4.6
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from candor_generation.carriers.base import KEY

_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_ENTRY = 12
_CODE_SIZE = 8
_UNICODE = b"UNICODE\0"
_MAX_ENTRIES = 1024


@dataclass(frozen=True)
class _Comment:
    start: int
    end: int
    text: str


def values(tiff: bytes) -> list[str]:
    """The label in the user comment of an EXIF block (a TIFF header and what follows), if there is one.

    A block that is broken holds no comment: pictures with a damaged EXIF are common and show all the same.
    """
    comment = _comment(tiff)
    return [comment.text] if comment and KEY in comment.text else []


def without(tiff: bytes) -> bytes:
    """The block with a label in its user comment overwritten by spaces; every place in it stays where it is."""
    comment = _comment(tiff)
    if comment is None or KEY not in comment.text:
        return tiff
    return tiff[: comment.start] + b" " * (comment.end - comment.start) + tiff[comment.end :]


def _comment(tiff: bytes) -> _Comment | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        pointer = _entry(tiff, order, first, _EXIF_IFD)
        found = _entry(tiff, order, pointer[1], _USER_COMMENT) if pointer else None
    except struct.error:
        return None
    if found is None:
        return None
    count, start = found
    code, text = tiff[start : start + _CODE_SIZE], tiff[start + _CODE_SIZE : start + count]
    read = _decoded(text, wide=code == _UNICODE).strip("\0 \t\r\n")
    return _Comment(start + _CODE_SIZE, start + _CODE_SIZE + len(text), read)


def _decoded(text: bytes, *, wide: bool) -> str:
    """The text of a comment; the standard leaves the byte order of wide ones open, so what makes sense counts."""
    if not wide:
        return text.decode("utf-8", "replace")
    little = text.decode("utf-16-le", "replace")
    return little if KEY in little else text.decode("utf-16-be", "replace")


def _entry(tiff: bytes, order: str, directory: int, tag: int) -> tuple[int, int] | None:
    """`(count, value or its place)` of a tag in a directory."""
    (entries,) = struct.unpack_from(f"{order}H", tiff, directory)
    for place in range(min(entries, _MAX_ENTRIES)):
        found, _kind, count, value = struct.unpack_from(f"{order}HHII", tiff, directory + 2 + place * _ENTRY)
        if found == tag:
            return count, value
    return None
