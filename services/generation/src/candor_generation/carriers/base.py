"""What every file carrier of the label has in common: its two acts, its refusals, and reading that stays within bounds.

A file is hostile until proven otherwise: a carrier raises `CarrierError` and nothing else, whatever the bytes, and
holds no more of a file in memory than `METADATA_LIMIT` and one piece, whatever its size.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Final, Protocol

from candor_generation.domain.label import Label

KEY: Final = "AIGC"
"""The field name that a metadata label goes by (GB 45438-2025 6.1)."""

PIECE: Final = 64 * 1024
"""The most that is copied at once, in bytes."""

METADATA_LIMIT: Final = 4 * 1024 * 1024
"""The largest block of metadata that is held in memory, in bytes. Content is never held."""

VALUES_LIMIT: Final = 64
"""The most label values that are looked at in one file; there should be one."""


class CarrierError(Exception):
    """A file that cannot be read or labelled.

    Attributes:
        reason: a name of `candor.generation.v1.Reason` without its prefix: UNSUPPORTED_MEDIA, FILE_MALFORMED,
            FILE_TOO_LARGE, LABEL_DUPLICATE, LABEL_MALFORMED.
        message: what is wrong with the file; it holds nothing of its content.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


def malformed(message: str) -> CarrierError:
    """The refusal of a file that is not what its media type says, or is broken."""
    return CarrierError("FILE_MALFORMED", message)


def too_large(message: str) -> CarrierError:
    """The refusal of a file that would take more memory, or more disk, than a file is given."""
    return CarrierError("FILE_TOO_LARGE", message)


class Carrier(Protocol):
    """One file format and where in it the metadata label stands.

    Attributes:
        media_types: those it is for, in lower case and without parameters, the usual one first.
    """

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types it is for."""
        ...

    def read(self, source: BinaryIO) -> list[str]:
        """Every AIGC metadata value of the file, as text, wrapped in `{"AIGC":…}` or bare, in the file's order.

        Args:
            source: seekable; read from its beginning wherever it stands.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.

        Source: GB 45438-2025 6.1
        """
        ...

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """Write the file with this label and no other: one that is there is replaced; all else stays as it is.

        Args:
            source: seekable; read from its beginning wherever it stands.
            destination: empty, seekable; what it holds after a refusal MUST NOT be used.
            label: its `bare` or its `json` is what the file will carry.

        Raises:
            CarrierError: FILE_MALFORMED, FILE_TOO_LARGE.

        Source: GB 45438-2025 6.1
        """
        ...


def size_of(source: BinaryIO) -> int:
    """The size of a seekable file in bytes; it then stands at its beginning."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size


def take(source: BinaryIO, size: int, what: str, *, limit: int = METADATA_LIMIT) -> bytes:
    """Read exactly so many bytes.

    Raises:
        CarrierError: FILE_TOO_LARGE, more than `limit` are asked for; FILE_MALFORMED, the file ends before.
    """
    if size > limit:
        raise too_large(f"{what} is {size} bytes; {limit} are read at most")
    data = source.read(size) if size > 0 else b""
    if size < 0 or len(data) != size:
        raise malformed(f"the file ends within {what}")
    return data


def skip(source: BinaryIO, size: int, what: str, *, end: int) -> None:
    """Move on by so many bytes.

    Args:
        source: where to move.
        size: how far.
        what: what is passed over.
        end: the size of the file.

    Raises:
        CarrierError: FILE_MALFORMED, that lies beyond the file.
    """
    if size < 0 or source.tell() + size > end:
        raise malformed(f"the file ends within {what}")
    source.seek(size, os.SEEK_CUR)


def copy(source: BinaryIO, destination: BinaryIO, size: int, what: str) -> None:
    """Copy exactly so many bytes in pieces.

    Raises:
        CarrierError: FILE_MALFORMED, the file ends before.
    """
    left = size
    while left > 0:
        piece = source.read(min(left, PIECE))
        if not piece:
            raise malformed(f"the file ends within {what}")
        destination.write(piece)
        left -= len(piece)


def copy_rest(source: BinaryIO, destination: BinaryIO) -> None:
    """Copy what is left, in pieces."""
    while piece := source.read(PIECE):
        destination.write(piece)


def text_of(data: bytes, what: str) -> str:
    """UTF-8 as text.

    Raises:
        CarrierError: FILE_MALFORMED, it is none.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(f"{what} is not UTF-8") from error
