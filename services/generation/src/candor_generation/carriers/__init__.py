"""Files that carry a metadata label, by media type (GB 45438-2025 6.1)."""

from __future__ import annotations

from typing import BinaryIO

from candor_generation.carriers.archive import Archive
from candor_generation.carriers.base import Carrier, CarrierError
from candor_generation.carriers.jpeg import Jpeg
from candor_generation.carriers.mp3 import Mp3
from candor_generation.carriers.mp4 import Mp4
from candor_generation.carriers.ooxml import Ooxml
from candor_generation.carriers.pdf import Pdf
from candor_generation.carriers.png import Png
from candor_generation.carriers.text import Text
from candor_generation.carriers.vorbis import Flac, Ogg
from candor_generation.carriers.wav import Wav
from candor_generation.carriers.webp import Webp

CARRIERS: tuple[Carrier, ...] = (
    Text(),
    Png(),
    Jpeg(),
    Webp(),
    Pdf(),
    Ooxml(),
    Wav(),
    Mp3(),
    Flac(),
    Ogg(),
    Mp4(),
)
"""Every format that a label can be written to."""

_MARKS = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftyp", "video/mp4"),
)
_BY_TYPE = {media_type: carrier for carrier in CARRIERS for media_type in carrier.media_types}


def media_types() -> tuple[str, ...]:
    """Every media type that a label can be written to."""
    return tuple(_BY_TYPE)


def plain(media_type: str) -> str:
    """A media type in lower case and without parameters."""
    return media_type.partition(";")[0].strip().lower()


def carrier_of(media_type: str) -> Carrier:
    """The carrier for a media type; parameters and case do not matter.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA.
    """
    found = _BY_TYPE.get(plain(media_type))
    if found is None:
        raise CarrierError("UNSUPPORTED_MEDIA", "no label can be written to files of this media type")
    return found


def detect(source: BinaryIO) -> str:
    """The media type of a file, told by its first bytes; a text where they tell nothing else.

    Raises:
        CarrierError: UNSUPPORTED_MEDIA, FILE_MALFORMED, FILE_TOO_LARGE.
    """
    source.seek(0)
    head = source.read(16)
    if head.startswith(b"PK"):
        return _office(source)
    for place, mark, media_type in _MARKS:
        if head[place : place + len(mark)] == mark:
            return media_type
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0:  # noqa: PLR2004 - MPEG's frame sync
        return "audio/mpeg"
    return "text/plain"


def _office(source: BinaryIO) -> str:
    """Which office document an archive is, told by the names of its parts."""
    names = [entry.name for entry in Archive(source).entries]
    for folder, media_type in zip(("word/", "xl/", "ppt/"), Ooxml.media_types, strict=True):
        if any(name.startswith(folder) for name in names):
            return media_type
    raise CarrierError("UNSUPPORTED_MEDIA", "the archive is no office document")
