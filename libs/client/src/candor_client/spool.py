"""The spool: records on this machine's disk while Candor is away.

A record is in the spool when `append` returns: written and fsynced. Several threads and processes may append to one
folder. A kill at any instant leaves every record that was acknowledged; a tail that was not is dropped.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from candor_client import frames
from candor_client.errors import SpoolDropped, SpoolFull
from candor_client.folder import Folder, Position, write_all
from candor_client.sealing import Seal

_LARGEST_SEGMENT = 8 * 1024 * 1024
_SEGMENTS_AT_LEAST = 8
_FILE_MODE = 0o600
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class WhenFull(StrEnum):
    """What happens to a record for which the spool has no room."""

    RAISE = "raise"
    """SpoolFull, and the caller decides: not to show the answer, for one."""
    DROP_OLDEST = "drop_oldest"
    """The oldest segment is dropped and the loss reported."""


@dataclass
class _Open:
    """The segment that this process appends to: its size as this process left it, and what is durable of it."""

    number: int
    descriptor: int
    size: int = 0
    synced: int = 0

    def is_gone(self) -> bool:
        """Whether the segment was delivered and removed by another process."""
        return os.fstat(self.descriptor).st_nlink == 0


class Spool:
    """The appending side.

    Args:
        folder: made when it is not there; mode 0700, its files 0600.
        limit_bytes: what the folder may hold, what was set aside included.
        when_full: see WhenFull.
        seal: what stands on the disk is closed by it.
    """

    def __init__(self, folder: Path, limit_bytes: int, when_full: WhenFull, seal: Seal) -> None:
        self.folder = Folder(folder)
        self._limit = limit_bytes
        self._segment_bytes = min(_LARGEST_SEGMENT, limit_bytes // _SEGMENTS_AT_LEAST)
        self._when_full = when_full
        self._seal = seal
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew in a forked child: descriptors and locks of the parent are the parent's."""
        self._appending = threading.Lock()
        self._syncing = threading.Lock()
        self._open: _Open | None = None

    def append(self, record: bytes) -> tuple[Position, SpoolDropped | None]:
        """Keep a record; return where it ends, and what was dropped for it.

        Raises:
            SpoolFull: there is no room, or the disk has none.
        """
        frame = frames.encode(self._seal.close(record))
        with self._appending, self.folder.lock("append", wait=True):
            dropped = self._make_room(len(frame))
            segment = self._segment(len(frame))
            self._write(segment, frame)
            position = Position(segment.number, segment.size)
        self._sync(segment, position.offset)
        return position, dropped

    def close(self) -> None:
        """Let go of the open segment."""
        with self._appending, self._syncing:
            if self._open is not None:
                os.close(self._open.descriptor)
            self._open = None

    def _write(self, segment: _Open, frame: bytes) -> None:
        try:
            write_all(segment.descriptor, frame)
        except OSError as error:
            os.ftruncate(segment.descriptor, segment.size)
            raise SpoolFull(f"the spool {self.folder.path} cannot be written: {error.strerror}") from error
        segment.size += len(frame)

    def _sync(self, segment: _Open, end: int) -> None:
        """Make a segment durable up to `end`; one fsync serves every thread that waits for one."""
        with self._syncing:
            if segment.synced >= end:
                return
            written = segment.size
            try:
                os.fsync(segment.descriptor)
            except OSError:
                # A later fsync of the same file may succeed without what this one lost.
                if self._open is segment:
                    self._open = None
                raise
            segment.synced = written

    def _segment(self, needed: int) -> _Open:
        """The segment to append to: the last one, when this process knows it and it has room."""
        present = self._open
        numbers = self.folder.segments()
        if present is None or not numbers:
            return self._begin(numbers)
        if present.number != numbers[-1] or present.is_gone():
            present = self._follow(numbers[-1])
        self._mend(present)
        if present.size and present.size + needed > self._segment_bytes:
            return self._begin(numbers)
        return present

    def _begin(self, numbers: list[int]) -> _Open:
        """A new segment: where none has room, and whenever a process starts.

        After a power cut a segment may be shorter than what was delivered of it; what is appended there would be
        taken for delivered.
        """
        number = max([*numbers, self.folder.cursor().segment]) + 1
        begun = _Open(number, os.open(self.folder.segment(number), _FLAGS | os.O_EXCL, _FILE_MODE))
        self.folder.sync()
        return self._turn_to(begun)

    def _follow(self, number: int) -> _Open:
        """The segment that another process began."""
        return self._turn_to(_Open(number, os.open(self.folder.segment(number), _FLAGS, _FILE_MODE)))

    def _turn_to(self, segment: _Open) -> _Open:
        with self._syncing:
            if self._open is not None:
                # Whoever still waits for it waits no longer: it is made durable here.
                os.fsync(self._open.descriptor)
                self._open.synced = self._open.size
                os.close(self._open.descriptor)
            self._open = segment
        return segment

    @staticmethod
    def _mend(segment: _Open) -> None:
        """Cut off what a process that was killed in the middle of a write left behind."""
        size = os.fstat(segment.descriptor).st_size
        if size == segment.size:
            return
        added = os.pread(segment.descriptor, size - segment.size, segment.size)
        whole = segment.size + frames.end_of(added)
        if whole < size:
            os.ftruncate(segment.descriptor, whole)
        segment.size = whole

    def _make_room(self, needed: int) -> SpoolDropped | None:
        """Make room within the limit: first from what was set aside, then as the spool was told.

        Raises:
            SpoolFull
        """
        lost = 0
        while self.folder.size() + needed > self._limit:
            aside = self.folder.oldest_aside()
            if aside is not None:
                aside.unlink()
                lost += 1
            elif self._when_full is WhenFull.DROP_OLDEST and needed <= self._limit:
                lost += self._drop_oldest()
            else:
                raise SpoolFull(f"the spool {self.folder.path} is at its limit of {self._limit} bytes")
        return SpoolDropped(f"{lost} records were dropped from the full spool {self.folder.path}") if lost else None

    def _drop_oldest(self) -> int:
        """Remove the oldest segment; return how many records in it were not delivered."""
        numbers = self.folder.segments()
        if len(numbers) == 1:
            # A number is not given twice, however the one who delivers and this one take turns.
            self._begin(numbers)
        cursor, path = self.folder.cursor(), self.folder.segment(numbers[0])
        data = path.read_bytes() if cursor.segment <= numbers[0] else b""
        start = cursor.offset if cursor.segment == numbers[0] else 0
        path.unlink()
        return sum(isinstance(part, frames.Frame) for part in frames.scan(data, start))
