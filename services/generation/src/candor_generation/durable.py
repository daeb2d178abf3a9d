"""Files that are whole or not there, whatever moment the machine stops at."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_LOOK_SECONDS = 0.02


def write(path: Path, content: bytes) -> None:
    """Put a file in place durably; a reader sees the old content or the new, never a part.

    The content is synced before it gets its name, and the folder after.
    """
    place(path, content)
    sync_folder(path.parent)


def place(path: Path, content: bytes) -> None:
    """Put a file in place; it is durable once `sync_folder` was called on its folder."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        # A full disk shall not get fuller with every attempt.
        temporary.unlink(missing_ok=True)
        raise


def modified_at(file: IO[bytes]) -> float:
    """When an open file was written, in seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


@contextlib.contextmanager
def locked(folder: Path, seconds: float) -> Iterator[None]:
    """Keep a folder to oneself among all that ask for it so; whoever dies gives it back.

    Raises:
        TimeoutError: another keeps it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + seconds
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process keeps it", str(folder))
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def drop_folder(folder: Path) -> None:
    """Drop a folder with all that is in it; nothing happens where there is none."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable in the one above."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
