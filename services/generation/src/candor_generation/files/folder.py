"""The logs in a folder: files that are whole or not there, whatever moment the machine stops at."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from candor_generation import durable
from candor_generation.domain import tiles
from candor_generation.domain.tiles import Tile
from candor_generation.files import (
    CHECKPOINT,
    LogBrokenError,
    OvertakenError,
    Published,
    StoreAwayError,
    check_follows,
    checkpoint_text,
)

# Waiting for the disk is most of it, and the disk takes several at once.
_WRITERS = 8
_LOCK_SECONDS = 10.0
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


class FolderStore:
    """The folder that the logs' folders are in, `<kind>/<period>`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(_WRITERS, "log-files")

    def of(self, kind: str, period: str) -> FolderFiles:
        """The files of one log."""
        return FolderFiles(self._folder, self._folder / kind / period, self._pool)

    def check(self) -> None:
        """Nothing needs to be asked of a folder."""


class FolderFiles:
    """The folder that is served as a log.

    Args:
        root: the folder that all logs are in.
        folder: the log's own.
        pool: writes several files at once.
    """

    def __init__(self, root: Path, folder: Path, pool: ThreadPoolExecutor) -> None:
        self._root = root
        self._folder = folder
        self._pool = pool
        self._settled: set[Path] = set()
        self._seen: str | None = None

    def read(self, tile: Tile) -> bytes:
        """As the protocol says."""
        try:
            return self._content(tile)
        except FileNotFoundError:
            if tile.width == tiles.WIDTH:
                raise
            return tiles.cut(tile, self._content(Tile(tile.level, tile.number)))

    def _content(self, tile: Tile) -> bytes:
        try:
            return (self._folder / tile.path).read_bytes()
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise FileNotFoundError(error.errno, error.strerror, tile.path) from error
            raise StoreAwayError(f"the logs' folder: {error}") from error

    def write(self, written: Iterable[tuple[Tile, bytes]]) -> None:
        """As the protocol says: each file is synced, and then every folder that got one, once."""
        with _answering():
            for folder in set(self._pool.map(self._write_one, written)):
                durable.sync_folder(folder)
                self._settle(folder)

    def _write_one(self, item: tuple[Tile, bytes]) -> Path:
        tile, content = item
        path = self._folder / tile.path
        if not path.exists():
            durable.place(path, content)
        elif path.read_bytes() != content:
            raise LogBrokenError(f"{tile.path} holds other bytes than the database gives; is the folder another log's?")
        # A file that was there may have its name in memory only, from a process that died before it synced the folder.
        return path.parent

    def _settle(self, folder: Path) -> None:
        """Make a folder's own place durable, once: a process that died may have made it and not synced those above."""
        for above in folder.parents:
            if above in self._settled:
                return
            durable.sync_folder(above)
            self._settled.add(above)
            if above == self._root.parent:
                return

    def drop_partials(self, full: Iterable[Tile]) -> None:
        """As the protocol says."""
        with _answering():
            for tile in full:
                folder = self._folder / Tile(tile.level, tile.number, 1).path
                durable.drop_folder(folder.parent)

    def reader(self, size: int) -> tiles.TileReader:
        """As the protocol says."""
        return tiles.TileReader(size, self.read)

    def published(self) -> Published | None:
        """As the protocol says."""
        with _answering():
            found = self._published()
        self._seen = None if found is None else found.checkpoint
        return found

    def _published(self) -> Published | None:
        try:
            with (self._folder / CHECKPOINT).open("rb") as file:
                return Published(checkpoint_text(file.read()), durable.modified_at(file))
        except FileNotFoundError:
            return None

    def checkpoint(self) -> str | None:
        """As the protocol says."""
        found = self.published()
        return None if found is None else found.checkpoint

    def publish(self, checkpoint: str) -> None:
        """As the protocol says: compared and replaced under a lock that the kernel keeps for as long as a writer lives.

        A writer that is paused in between keeps the lock, so that others wait for it instead of overtaking it.
        """
        check_follows(self._seen, checkpoint)
        with _answering():
            durable.make_folder(self._folder)
            with durable.locked(self._folder, _LOCK_SECONDS):
                present = self._published()
                if (None if present is None else present.checkpoint) not in (self._seen, checkpoint):
                    raise OvertakenError(f"{self._folder}: another checkpoint was published meanwhile")
                durable.write(self._folder / CHECKPOINT, checkpoint.encode())
                self._settle(self._folder)
        self._seen = checkpoint

    def drop(self) -> None:
        """As the protocol says."""
        with _answering():
            durable.drop_folder(self._folder)


@contextmanager
def _answering() -> Iterator[None]:
    """A disk that is full or away is waited for."""
    try:
        yield
    except OSError as error:
        raise StoreAwayError(f"the logs' folder: {error}") from error
