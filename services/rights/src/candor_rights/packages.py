"""The file of an access package: sealed piece by piece under a key of its own, so it never stands in memory as a whole.

A file is frames. A frame is the length of what follows (4 bytes, big-endian) and a sealed piece of at most 64 KiB. The
number of the piece, and whether it is the last, are authenticated with it: a file that was cut short, or whose pieces
were exchanged, does not open. The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015).
"""

import os
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from candor_kit.keys import open_sealed, seal

PIECE_BYTES = 64 * 1024
_LENGTH_BYTES = 4
_MODE = 0o600


class PackageWriter:
    """Writes one package. Leave it with `finish`, or the file stays one that does not open."""

    def __init__(self, path: Path, key: bytes, context: bytes) -> None:
        self._path = path
        self._key = key
        self._context = context
        self._pending = bytearray()
        self._number = 0
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, data: bytes) -> None:
        """Append to the document."""
        self._pending += data
        while len(self._pending) > PIECE_BYTES:
            self._seal(bytes(self._pending[:PIECE_BYTES]), last=False)
            del self._pending[:PIECE_BYTES]

    def finish(self) -> None:
        """Write the last piece and bring the file to the disk, its name as well."""
        self._seal(bytes(self._pending), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        sealed = seal(self._key, piece, _context(self._context, self._number, last=last))
        self._file.write(len(sealed).to_bytes(_LENGTH_BYTES) + sealed)
        self._number += 1


def read(path: Path, key: bytes, context: bytes) -> Generator[bytes, None, None]:
    """The document, in pieces of at most 64 KiB.

    Raises:
        FileNotFoundError: There is no such file.
        EOFError: The file was cut short within a piece.
        cryptography.exceptions.InvalidTag: Another key, or the file was changed or cut short between pieces.
    """
    with path.open("rb") as file:
        number = 0
        sealed = _frame(file)
        if sealed is None:
            raise EOFError("the package is empty")
        while sealed is not None:
            following = _frame(file)
            yield open_sealed(key, sealed, _context(context, number, last=following is None))
            sealed = following
            number += 1


def context_of(request_id: str, claim_id: str) -> bytes:
    """What a package's pieces are bound to: the request, and the attempt that made it."""
    return f"candor.rights.package:{request_id}:{claim_id}".encode()


def wrap_context(request_id: str, claim_id: str) -> bytes:
    """What the wrapped key of a package is bound to."""
    return f"candor.rights.package-key:{request_id}:{claim_id}".encode()


def _frame(file: BinaryIO) -> bytes | None:
    head = file.read(_LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head)
    sealed = file.read(length)
    if len(head) < _LENGTH_BYTES or len(sealed) < length:
        raise EOFError("the package was cut short")
    return sealed


def _context(context: bytes, number: int, *, last: bool) -> bytes:
    return context + b":" + str(number).encode() + (b":last" if last else b"")
