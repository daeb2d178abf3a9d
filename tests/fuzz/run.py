"""`make fuzz`: every target for so many seconds, guided by coverage (atheris, which is libFuzzer).

`python -m tests.fuzz.run [--seconds N] [--jobs N] [NAME ...]` runs a process for each target, and says what was found;
an input that a parser lets through is kept in tests/fuzz/corpus/<target>, where the tests try it again ever after.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .target import Target

_ROOT = Path(__file__).resolve().parents[2]
_SUPPORT = str(_ROOT / "tests" / "support")
_CORPUS = Path(__file__).parent / "corpus"
_DEFAULT_SECONDS = 600
_GRACE_SECONDS = 180
_SLOW_SECONDS = 60
_MEMORY_MB = 1024
_LARGEST = 1 << 18
_RESHAPED = 0.7
_RUNS = re.compile(r"(?:Done |#)(\d+)")
# What is read into a guided path; the rest would only take time to prepare.
_GUIDED = ["candor_generation", "candor_kit.envelope"]


@dataclass(frozen=True)
class Ran:
    """What became of targets: how many inputs were tried in how long, and those that were let through."""

    names: tuple[str, ...]
    runs: int
    seconds: float
    found: tuple[Path, ...]
    output: str

    @property
    def line(self) -> str:
        """For a person."""
        said = f"FOUND {', '.join(map(str, self.found))}" if self.found else "nothing found"
        return f"{' '.join(self.names):24} {self.runs:>9} inputs in {self.seconds:4.0f} s  {said}"


def fuzz(names: Sequence[str], seconds: int, findings: Path = _CORPUS, *, seed: int = 0) -> Ran:
    """Fuzz targets together in a process of their own; the same seed tries the same inputs, 0 tries others each time.

    Raises:
        RuntimeError: it ended in another way than by its time or a finding; the message ends with its words.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="candor-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz.run", *names, "--seconds", str(seconds), "--folder", folder]
        command += ["--seed", str(seed)]
        done = subprocess.run(
            command,
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + _GRACE_SECONDS,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        left = sorted(path for path in Path(folder, "found").glob("*") if not path.name.startswith("slow-unit"))
        found = tuple(_keep(path.read_bytes(), names, findings) for path in left)
    if done.returncode and not found:
        raise RuntimeError(f"{' '.join(names)} ended with {done.returncode}: {output[-3000:]}")
    runs = max((int(number) for number in _RUNS.findall(output)), default=0)
    return Ran(tuple(names), runs, time.monotonic() - began, found, output)


def _keep(data: bytes, names: Sequence[str], findings: Path) -> Path:
    name, content = _chosen(data, names)
    folder = findings / name
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / hashlib.sha256(content).hexdigest()[:16]
    kept.write_bytes(content)
    return kept


def _chosen(data: bytes, names: Sequence[str]) -> tuple[str, bytes]:
    """The first byte says which target an input is for."""
    return names[(data[0] if data else 0) % len(names)], data[1:]


def _work(names: Sequence[str], seconds: int, folder: Path, seed: int) -> None:
    """Be the process that fuzzes; libFuzzer ends it."""
    import atheris  # type: ignore[import-untyped]  # publishes no hints

    with atheris.instrument_imports(include=_GUIDED, enable_loader_override=False):
        from .targets import TARGETS

    def check(data: bytes) -> None:
        name, content = _chosen(data, names)
        TARGETS[name].check(content)

    def mutate(data: bytes, largest: int, seed: int) -> bytes:
        changed: bytes = atheris.Mutate(data, largest)
        return _reshaped(TARGETS, names, changed, seed)[:largest]

    seeds, found = folder / "seeds", folder / "found"
    found.mkdir()
    _lay(seeds, TARGETS, names)
    arguments = [
        "fuzz",
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={_SLOW_SECONDS}",
        f"-report_slow_units={_SLOW_SECONDS}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-max_len={_LARGEST}",
        f"-artifact_prefix={found}/",
        str(seeds),
    ]
    atheris.Setup(arguments, check, custom_mutator=mutate)
    atheris.Fuzz()


def _lay(folder: Path, targets: dict[str, Target], names: Sequence[str]) -> None:
    """Lay out what to begin with: seeds, and what was once found."""
    folder.mkdir()
    for index, name in enumerate(names):
        kept = [path.read_bytes() for path in sorted((_CORPUS / name).glob("*"))]
        for number, seed in enumerate([*targets[name].seeds(), *kept]):
            (folder / f"{name}-{number}").write_bytes(bytes([index]) + seed)


def _reshaped(targets: dict[str, Target], names: Sequence[str], data: bytes, seed: int) -> bytes:
    name, content = _chosen(data, names)
    reshape = targets[name].reshape
    if reshape is None or random.Random(seed).random() > _RESHAPED:  # noqa: S311 - which inputs are tried
        return data
    return data[:1] + reshape(content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz what is named, or everything; return 1 where something was found."""
    sys.path.append(_SUPPORT)  # as pytest is told to
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=_DEFAULT_SECONDS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--seed", type=int, default=0, help="the same seed tries the same inputs; 0 tries others each time"
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.folder:
        _work(given.names, given.seconds, given.folder, given.seed)
    from .targets import TARGETS

    failed = False
    with ThreadPoolExecutor(given.jobs) as pool:
        for ran in pool.map(lambda name: fuzz([name], given.seconds), given.names or TARGETS):
            print(ran.line, flush=True)  # noqa: T201 - said to a person
            failed |= bool(ran.found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
