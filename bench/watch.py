"""What is seen from outside while something runs: processor time, memory, and sizes that a log publishes."""

from __future__ import annotations

import contextlib
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_CHECKPOINT_SECONDS = 0.005
_MEMORY_SECONDS = 0.5
_MIB = 1 << 20


def processor_seconds(pid: int) -> float:
    """What a process, its children and those of them that have ended have used of the processors."""
    total = 0.0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return total
    return total + float(times.children_user) + float(times.children_system)


def resident(pid: int) -> int:
    """Resident memory of a process now, in bytes; 0 where it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def highest_resident(pid: int) -> int:
    """The most resident memory that a process ever held, in bytes; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    found = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0][1]) * 1024 if found else 0


@dataclass
class Load:
    """Processor time and memory of named processes between entering and leaving."""

    pids: Mapping[str, int]
    memory: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    used: dict[str, float] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.memory = {name: [] for name in self.pids}
        self.mark()
        self._loop = _Loop(self._look, _MEMORY_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.end()
        self.used = {name: processor_seconds(pid) - self._before[name] for name, pid in self.pids.items()}
        self.highest = {name: highest_resident(pid) for name, pid in self.pids.items()}

    def mark(self) -> None:
        """Count processor time from here on."""
        self._before = {name: processor_seconds(pid) for name, pid in self.pids.items()}

    def peaks(self) -> dict[str, float]:
        """The most that each process ever held, in MiB."""
        seen = {name: max((size for _, size in sizes), default=0) for name, sizes in self.memory.items()}
        return {name: round(max(size, self.highest.get(name, 0)) / _MIB, 1) for name, size in seen.items()}

    def growth(self, since: float) -> float:
        """By how many MiB the peak of any process lies above what it held at a time.

        Args:
            since: seconds since 1970.
        """
        grown = [0.0]
        for seen in self.memory.values():
            before = [size for at, size in seen if at <= since]
            after = [size for at, size in seen if at > since]
            if before and after:
                grown.append((max(after) - max(before)) / _MIB)
        return round(max(grown), 1)

    def a_record(self, records: int) -> dict[str, float]:
        """Microseconds of processor time a record, by process."""
        return {name: round(seconds / records * 1e6, 1) for name, seconds in self.used.items()}

    def _look(self) -> None:
        for name, pid in self.pids.items():
            self.memory[name].append((time.time(), resident(pid)))


class Timeline:
    """Which size a log had published when; looks at the checkpoint's file every few milliseconds."""

    def __init__(self, checkpoint: Path) -> None:
        self._file = checkpoint
        self._stamp = 0
        self.times: list[float] = []
        self.sizes: list[int] = []

    def __enter__(self) -> Self:
        self._look()
        self._loop = _Loop(self._look, _CHECKPOINT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.end()

    @property
    def size(self) -> int:
        """The size published last."""
        return self.sizes[-1] if self.sizes else 0

    def covered(self, size: int) -> float:
        """When so many leaves were covered first, in seconds since 1970.

        Raises:
            IndexError: they are not yet.
        """
        return self.times[bisect_left(self.sizes, size)]

    def rate(self, first: int, last: int) -> float:
        """Leaves a second between the checkpoints that covered two sizes first.

        Raises:
            IndexError: there are no two checkpoints.
        """
        begin, end = bisect_left(self.sizes, first), bisect_left(self.sizes, last)
        if begin == end:
            begin, end = (begin, end + 1) if end + 1 < len(self.sizes) else (begin - 1, end)
        if begin < 0:
            raise IndexError("one checkpoint is no rate")
        return (self.sizes[end] - self.sizes[begin]) / (self.times[end] - self.times[begin])

    def _look(self) -> None:
        try:
            stamp = self._file.stat().st_mtime_ns
            if stamp == self._stamp:
                return
            size = int(self._file.read_text(encoding="utf-8").split("\n")[1])
        except (FileNotFoundError, IndexError, ValueError):
            return
        self._stamp = stamp
        if size > self.size or not self.sizes:
            self.times.append(time.time())
            self.sizes.append(size)


class _Loop:
    """Calls something again and again in a thread, until it is ended."""

    def __init__(self, look: Callable[[], None], every: float) -> None:
        self._look = look
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._look()

    def end(self) -> None:
        """Look a last time and end."""
        self._ended.set()
        self._thread.join()
        self._look()
