"""Packs that are read again when they change on disk; a wrong change never takes the place of what is right."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from candor_packs.document import PackError
from candor_packs.model import Pack
from candor_packs.pack import load

Loader = Callable[[Path], tuple[Pack, ...]]


class Outcome(StrEnum):
    """What a look at the folder came to."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REFUSED = "refused"
    """What stands there is wrong, now or since an earlier look: the packs are still the old ones."""


@dataclass(frozen=True)
class Held:
    """The packs in use, the content of the folder that was looked at last, and why it was refused, if it was."""

    packs: tuple[Pack, ...]
    seen: str
    error: PackError | None = None


def fingerprint(directory: Path) -> str:
    """The content of every pack, calendar and template under the directory, as one hash.

    Content, not times: a mounted volume swaps whole folders, and a copy may keep its old time.

    Raises:
        PackError: A file cannot be read.
    """
    whole = hashlib.sha256()
    for file in sorted(file for kind in ("*.yaml", "*.txt") for file in directory.rglob(kind)):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise PackError(file, 1, "", f"cannot be read: {error}") from error
        whole.update(f"{file.relative_to(directory)}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def renewed(held: Held, directory: Path, loader: Loader = load) -> tuple[Held, Outcome]:
    """What is held after a look at the directory. Never raises for a wrong pack: it stands in ``error``.

    A folder without any pack is taken for a mistake, and what changes while it is read is read at the next look.
    """
    try:
        seen = fingerprint(directory)
    except PackError as error:
        return Held(held.packs, "", error), Outcome.REFUSED
    same = held, Outcome.REFUSED if held.error else Outcome.UNCHANGED
    if seen == held.seen:
        return same
    try:
        packs = _some(directory, loader)
    except PackError as error:
        return Held(held.packs, seen, error), Outcome.REFUSED
    return (Held(packs, seen), Outcome.CHANGED) if _still(directory, seen) else same


def _still(directory: Path, seen: str) -> bool:
    try:
        return fingerprint(directory) == seen
    except PackError:
        return False


def _some(directory: Path, loader: Loader) -> tuple[Pack, ...]:
    packs = loader(directory)
    if not packs:
        raise PackError(directory, 1, "", "holds no policy pack")
    return packs


class Reloading:
    """The packs of a folder, for a service to poll.

    ``poll`` reads files: call it from a thread (``asyncio.to_thread``), one call at a time. ``packs`` may be read at
    any time; it is replaced as a whole.

    Raises:
        PackError: At the start, where there is nothing older to keep.
    """

    def __init__(self, directory: Path, loader: Loader = load) -> None:
        self._directory = directory
        self._loader = loader
        seen = fingerprint(directory) if directory.is_dir() else ""
        self._held = Held(_some(directory, loader), seen)

    @property
    def packs(self) -> tuple[Pack, ...]:
        """The last packs that were right."""
        return self._held.packs

    @property
    def error(self) -> PackError | None:
        """Why what stands in the folder is not in use; None while it is."""
        return self._held.error

    def poll(self) -> Outcome:
        """Look at the folder, and take over what stands there if it is right."""
        self._held, outcome = renewed(self._held, self._directory, self._loader)
        return outcome
