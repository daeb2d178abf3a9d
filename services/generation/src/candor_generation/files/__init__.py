"""A log's files: tiles, entry bundles, the checkpoint. What is written once never changes, but for the checkpoint.

They are in a folder or in a bucket; both keep the same promises, and the same tests show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from candor_generation.domain import note, tiles
from candor_generation.domain.tiles import Tile

CHECKPOINT = "checkpoint"


class LogBrokenError(Exception):
    """Files and database tell different stories of one log. Going on would sign two histories, so nothing does."""


class OvertakenError(Exception):
    """Another process has published since this one last looked; it writes the log now."""


class StoreAwayError(Exception):
    """What holds the files does not answer, is full, or refuses; trying again is right, and nothing is half done."""


@dataclass(frozen=True)
class Published:
    """The published checkpoint, and when it was put in place, in seconds since 1970."""

    checkpoint: str
    at: float


class LogFiles(Protocol):
    """One log's files. Calls block: an event loop makes them in a thread. Each may raise StoreAwayError."""

    def read(self, tile: Tile) -> bytes:
        """A tile's or bundle's content; a partial one may come out of the full one.

        Raises:
            FileNotFoundError: there is none (yet).
        """
        ...

    def write(self, written: Iterable[tuple[Tile, bytes]]) -> None:
        """Write tiles durably, several at once; one that is there already must hold the same.

        Raises:
            LogBrokenError: it holds something else.
        """
        ...

    def drop_partials(self, full: Iterable[Tile]) -> None:
        """Drop the partial forms of tiles that are full and durable; what they held is cut out of the full ones."""
        ...

    def reader(self, size: int) -> tiles.TileReader:
        """A reader of the subtrees of a published size."""
        ...

    def published(self) -> Published | None:
        """The published checkpoint; None before the first."""
        ...

    def checkpoint(self) -> str | None:
        """The text of the published checkpoint; None before the first."""
        ...

    def publish(self, checkpoint: str) -> None:
        """Put a checkpoint in the place of the one that was last read or published through this object.

        Whoever was paused since then therefore changes nothing, however late it wakes up (no size goes back).

        Raises:
            OvertakenError: another one is in place.
            LogBrokenError: it would be a second root for a size, or a smaller tree.
        """
        ...

    def drop(self) -> None:
        """Drop the whole log; nothing happens where there is none."""
        ...


class LogStore(Protocol):
    """Where every log's files are."""

    def of(self, kind: str, period: str) -> LogFiles:
        """The files of one log."""
        ...

    def check(self) -> None:
        """Make sure that the store refuses what it must refuse.

        Raises:
            LogBrokenError: it would let two writers overwrite each other.
            StoreAwayError: it does not answer.
        """
        ...


def checkpoint_text(content: bytes) -> str:
    """A stored checkpoint as text.

    Raises:
        LogBrokenError: it is none.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise LogBrokenError("what is published as the checkpoint is not UTF-8") from error


def check_follows(old: str | None, new: str) -> None:
    """A published checkpoint is followed by one of a larger tree, or of the same with more cosignatures.

    Raises:
        LogBrokenError: it is not.
    """
    if old is None:
        return
    try:
        before, after = (note.parse_checkpoint(note.parse_note(signed).text) for signed in (old, new))
    except note.NoteError as error:
        raise LogBrokenError(f"what is published, or was to be, is no checkpoint: {error}") from error
    if after.size < before.size:
        raise LogBrokenError(f"a checkpoint of size {after.size} was to follow one of size {before.size}")
    if after.size == before.size and after.root != before.root:
        raise LogBrokenError(f"there would be two roots for size {after.size}")
