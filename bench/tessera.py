"""The peer that is a log as well: Tessera's POSIX reference log, driven unthrottled by its own load generator.

Both are built from the Go module proxy. The load generator makes up its leaves; here it is given the very entries that
our log holds, by one line that is replaced in a copy of it (`peers/leaves.go`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from candor_generation.domain import note
from candor_generation.domain.note import Vkey
from candor_stack.ports import LOOPBACK, Ports
from candor_stack.process import Child, Command
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.figure import BenchError
from bench.ground import answers
from bench.plan import Plan
from bench.watch import Load, Timeline

VERSION = "v1.0.4"
_MODULE = "github.com/transparency-dev/tessera"
_PEERS = Path(__file__).with_name("peers")
_GENERATOR = "newLeafGenerator(tracker.Latest().Size, *leafMinSize, *dupChance)"
_BUILD_SECONDS = 1800
_START_SECONDS = 30.0
_STUCK_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_UNTHROTTLED = 1_000_000


@dataclass(frozen=True)
class Programs:
    """Tessera's log server, load generator and checker."""

    posix: Path
    hammer: Path
    fsck: Path


def build(cache: Path) -> Programs:
    """Build what is not there yet, in the cache folder.

    Raises:
        BenchError: there is no Go, or it could not.
    """
    folder = cache / "go" / f"tessera-{VERSION}"
    programs = Programs(folder / "posix", folder / "hammer", folder / "fsck")
    folder.mkdir(parents=True, exist_ok=True)
    for program, package in ((programs.posix, "cmd/conformance/posix"), (programs.fsck, "cmd/fsck")):
        if not program.exists():
            _go(["install", f"{_MODULE}/{package}@{VERSION}"], folder, {"GOBIN": str(folder)})
    if not programs.hammer.exists():
        _build_hammer(programs.hammer, folder / "source")
    return programs


def _build_hammer(program: Path, source: Path) -> None:
    """The load generator of a copy of the module, with its leaves from a folder."""
    found = json.loads(_go(["mod", "download", "-json", f"{_MODULE}@{VERSION}"], source.parent, {}))
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(found["Dir"], source, copy_function=shutil.copyfile)
    for folder in (source, *source.rglob("*/")):
        folder.chmod(0o755)
    main = source / "internal" / "hammer" / "hammer.go"
    text = main.read_text(encoding="utf-8")
    if text.count(_GENERATOR) != 1:
        raise BenchError(f"{main} is not the load generator that is known here")
    main.write_text(text.replace(_GENERATOR, 'leavesOf(os.Getenv("BENCH_LEAVES"))'), encoding="utf-8")
    shutil.copyfile(_PEERS / "leaves.go", main.with_name("leaves.go"))
    _go(["build", "-o", str(program), "./internal/hammer"], source, {})
    shutil.rmtree(source)


def _go(arguments: Sequence[str], work: Path, extra: dict[str, str]) -> str:
    go = shutil.which("go") or "/usr/local/go/bin/go"
    environment = {**os.environ, "GOFLAGS": "-buildvcs=false", **extra}
    try:
        done = subprocess.run(
            [go, *arguments], cwd=work, env=environment, capture_output=True, timeout=_BUILD_SECONDS, check=False
        )
    except OSError as error:
        raise BenchError("this needs Go 1.24 or newer: install it from go.dev/dl or your system") from error
    if done.returncode:
        raise BenchError(f"go {' '.join(arguments)}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


@dataclass(frozen=True)
class Seen:
    """Entries a second that the peer's published checkpoints covered; microseconds of processor time an entry."""

    rate: float
    processor_us: dict[str, float]


def rate(programs: Programs, plan: Plan, entries: Path) -> Seen:
    """Let Tessera's log take as many entries as ours did.

    Args:
        programs: what to run.
        plan: how many, and how many under way at once.
        entries: the folder of our log, whose entries are taken.

    Raises:
        BenchError: it stands still, or ends.
    """
    folder = plan.folder / "tessera"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "log").mkdir(parents=True)
    key = Ed25519PrivateKey.generate()
    public, name = key.public_key().public_bytes_raw(), "bench.example/tessera"
    (folder / "key").write_text(note.private_text(name, public, key.private_bytes_raw()), encoding="utf-8")
    port = Ports(folder / "ports.json").choose(("tessera",))["tessera"]
    url = f"http://{LOOPBACK}:{port}/"
    server = [str(programs.posix), f"--storage_dir={folder / 'log'}", f"--private_key={folder / 'key'}"]
    with _running("tessera", plan.folder, [*server, f"--listen={LOOPBACK}:{port}"], {}) as log:
        _await(log, url + "checkpoint")
        vkey = Vkey(name, public).text
        load = [str(programs.hammer), f"--log_url={url}", f"--log_public_key={vkey}", "--show_ui=false"]
        load += [f"--num_writers={plan.writers}", f"--max_write_ops={_UNTHROTTLED}", "--max_read_ops=0"]
        load += ["--num_readers_random=0", "--num_readers_full=0", "--dup_chance=0"]
        with (
            Timeline(folder / "log" / "checkpoint") as timeline,
            _running("hammer", plan.folder, load, {"BENCH_LEAVES": str(entries)}) as hammer,
            Load({"log": log.pid or 0, "generator": hammer.pid or 0}) as used,
        ):
            _await_size(timeline, plan.warm + plan.records, (log, hammer))
    shutil.rmtree(folder)
    return Seen(timeline.rate(plan.warm, plan.warm + plan.records), used.a_record(timeline.size))


@contextlib.contextmanager
def _running(name: str, folder: Path, argv: Sequence[str], extra: dict[str, str]) -> Iterator[Child]:
    child = Child(name, folder)
    child.start(Command(argv, {**os.environ, **extra}))
    try:
        yield child
    finally:
        child.kill()


def _await(child: Child, url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if answers(url):
            return
        if child.wait(_LOOK_SECONDS):
            break
    raise BenchError(f"{child.name} does not answer; {child.log_file} ends:\n{child.last_lines()}")


def _await_size(timeline: Timeline, size: int, children: Sequence[Child]) -> None:
    last, moved = -1, time.monotonic()
    while timeline.size < size:
        for child in children:
            if child.wait(_LOOK_SECONDS):
                raise BenchError(f"{child.name} ended; {child.log_file} ends:\n{child.last_lines()}")
        if timeline.size > last:
            last, moved = timeline.size, time.monotonic()
        elif time.monotonic() - moved > _STUCK_SECONDS:
            raise BenchError(f"{children[0].name} stands still at {last} of {size} entries")
