"""A log's files: tiles, entry bundles, the checkpoint. What is written once never changes, but for the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from candor_generation import durable
from candor_generation.domain import tiles
from candor_generation.domain.tiles import Tile

_CHECKPOINT = "checkpoint"
# Waiting for the disk is most of it, and the disk takes several at once.
_WRITERS = 8


class LogBrokenError(Exception):
    """Files and database tell different stories of one log. Going on would sign two histories, so nothing does."""


class LogFiles:
    """The folder that is served as a log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, tile: Tile) -> bytes:
        """A tile's or bundle's content; a partial one may come out of the full one.

        Raises:
            FileNotFoundError: there is none (yet).
        """
        try:
            return (self._folder / tile.path).read_bytes()
        except FileNotFoundError:
            if tile.width == tiles.WIDTH:
                raise
            full = Tile(tile.level, tile.number)
            return tiles.cut(tile, (self._folder / full.path).read_bytes())

    def write(self, written: Iterable[tuple[Tile, bytes]]) -> None:
        """Write tiles durably; one that is there already must hold the same.

        Raises:
            LogBrokenError: it holds something else.
        """
        with ThreadPoolExecutor(_WRITERS) as pool:
            folders = set(pool.map(self._write_one, written))
        for folder in folders:
            if folder is not None:
                durable.sync_folder(folder)

    def _write_one(self, item: tuple[Tile, bytes]) -> Path | None:
        tile, content = item
        path = self._folder / tile.path
        if not path.exists():
            durable.place(path, content)
            return path.parent
        if path.read_bytes() != content:
            raise LogBrokenError(f"{tile.path} holds other bytes than the database gives; is the folder another log's?")
        return None

    def drop_partials(self, full: Iterable[Tile]) -> None:
        """Drop the partial forms of tiles that are full and durable; what they held is cut out of the full ones."""
        for tile in full:
            folder = self._folder / Tile(tile.level, tile.number, 1).path
            durable.drop_folder(folder.parent)

    def reader(self, size: int) -> tiles.TileReader:
        """A reader of the subtrees of a published size."""
        return tiles.TileReader(size, self.read)

    def checkpoint(self) -> str | None:
        """The published checkpoint; None before the first."""
        try:
            return (self._folder / _CHECKPOINT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def published_at(self) -> float:
        """When the checkpoint was put in place, in seconds since 1970.

        Raises:
            FileNotFoundError: there is none yet.
        """
        return (self._folder / _CHECKPOINT).stat().st_mtime

    def publish(self, checkpoint: str) -> None:
        """Put a checkpoint in the place of the one before."""
        durable.write(self._folder / _CHECKPOINT, checkpoint.encode())

    def drop(self) -> None:
        """Drop the whole log."""
        durable.drop_folder(self._folder)
