"""The spool's folder: numbered segments, the position up to which they are delivered, and locks between processes.

000000000007.spool   frames; only the last segment grows
cursor               "7 81920": delivered up to that byte of that segment; written without fsync, for a position
                     that is too old only repeats records that Candor knows by their ids
aside/               what was refused, and what is damaged
append.lock, replay.lock
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_SUFFIX = ".spool"
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


class Position(NamedTuple):
    """A byte of a segment. Positions are ordered as the records are."""

    segment: int
    offset: int


class Folder:
    """A folder that several processes may share. Files in it are its owner's only: mode 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside = path / "aside"
        self.aside.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        path.chmod(_FOLDER_MODE)

    def segments(self) -> list[int]:
        """Return the numbers of the segments, the oldest in front."""
        return sorted(int(file.stem) for file in self.path.iterdir() if file.suffix == _SUFFIX)

    def segment(self, number: int) -> Path:
        """Return the file of a segment."""
        return self.path / f"{number:012d}{_SUFFIX}"

    def size(self) -> int:
        """Return how many bytes of records the folder holds."""
        return sum(
            _size(entry)
            for place in (self.path, self.aside)
            for entry in os.scandir(place)
            if place == self.aside or entry.name.endswith(_SUFFIX)
        )

    def cursor(self) -> Position:
        """Return the position up to which everything is delivered."""
        try:
            segment, offset = (self.path / "cursor").read_text(encoding="ascii").split()
            return Position(int(segment), int(offset))
        except (OSError, ValueError):
            return Position(0, 0)

    def move_cursor(self, to: Position) -> None:
        """Keep the position for the next process."""
        new = self.path / "cursor.new"
        with open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            os.write(file, f"{to.segment} {to.offset}\n".encode("ascii"))
        new.replace(self.path / "cursor")

    def sync(self) -> None:
        """Make the names in the folder durable."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def set_aside(self, name: str, content: bytes) -> None:
        """Keep what cannot be delivered."""
        with open_private(self.aside / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            write_all(file, content)
            os.fsync(file)

    def oldest_aside(self) -> Path | None:
        """Return the file that was set aside the longest ago."""
        return min(self.aside.iterdir(), key=lambda file: file.stat().st_mtime_ns, default=None)

    @contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        """Hold a lock that every process on this folder respects, and that dies with its process.

        Yields:
            Whether it is held; always, where `wait` is true.
        """
        with open_private(self.path / f"{name}.lock", os.O_RDWR | os.O_CREAT) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                # Closing lets go of it; unlocking would also do so for a child that was forked meanwhile.
                yield True


@contextmanager
def open_private(path: Path, flags: int) -> Iterator[int]:
    """Open a file that only its owner may read."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, _FILE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # delivered meanwhile
        return 0
