"""Kafka's jars in the cache: fetched by Maven coordinates, verified against the lock, fetched again when wrong."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import typer

from candor_stack.errors import StackError
from candor_stack.lock import LockedJar, read_lock, sha256_of

_ATTEMPTS = 3
_TIMEOUT = 60  # seconds without an answer from the repository
_AT_ONCE = 6
_REPOSITORY = "CANDOR_MAVEN_REPOSITORY"  # where a company mirrors Maven Central

Say = Callable[[str], None]


def say_on_stderr(text: str) -> None:
    """Progress for a person: standard error, so that standard output stays for results."""
    typer.echo(text, err=True)


def jar_folder(cache: Path) -> Path:
    """Where the jars of the lock lie in a cache."""
    return cache / "kafka"


def class_path(cache: Path, say: Say = say_on_stderr, jars: Sequence[LockedJar] | None = None) -> list[Path]:
    """Every jar of the lock, present and verified; missing and wrong ones are fetched first.

    `jars` defaults to the checked-in lock. Raises StackError when a jar cannot be had, or comes with another checksum.
    """
    wanted = read_lock() if jars is None else jars
    folder = jar_folder(cache)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / ".lock"):
        wrong = [jar for jar in wanted if not _verified(folder / jar.filename, jar)]
        if wrong:
            _fetch_all(folder, wrong, say)
    return [folder / jar.filename for jar in wanted]


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time. The kernel lets go when the holder dies, so a killed one blocks nobody."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _verified(file: Path, jar: LockedJar) -> bool:
    """Whether the file is precisely the locked jar; a wrong one is deleted."""
    try:
        right = file.stat().st_size == jar.size and sha256_of(file) == jar.sha256
    except FileNotFoundError:
        return False
    if not right:
        file.unlink()
    return right


def _fetch_all(folder: Path, jars: Sequence[LockedJar], say: Say) -> None:
    total = sum(jar.size for jar in jars)
    say(f"Fetching Apache Kafka: {len(jars)} jars, {total / 1e6:.0f} MB, once.")
    done = 0
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")
    try:
        for number, jar in enumerate(pool.map(lambda jar: _fetch(folder, jar), jars), start=1):
            done += jar.size
            say(f"  {number:3}/{len(jars)}  {done / 1e6:5.1f} MB  {jar.filename}")
    finally:
        pool.shutdown(cancel_futures=True)  # on Ctrl-C only the few that are under way are waited for


def _fetch(folder: Path, jar: LockedJar) -> LockedJar:
    """Fetch one jar into the folder, under its name only once it is whole and verified."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(Exception):  # whatever the resolver raises, the last attempt reports it
            return _fetch_once(folder, jar)
    try:
        return _fetch_once(folder, jar)
    except StackError:
        raise
    except Exception as error:
        raise StackError(
            f"Could not fetch {jar.filename} from the Maven repository: {error}. Check the network (a proxy is taken "
            f"from HTTPS_PROXY; {_REPOSITORY} names a mirror) and start again; what is already there is kept."
        ) from error


def _fetch_once(folder: Path, jar: LockedJar) -> LockedJar:
    artifact = _artifact(folder / ".maven", jar)
    # What an interrupted fetch left would be taken for the jar: jgo looks only at whether the file exists.
    if artifact.cached_path is not None:
        artifact.cached_path.unlink(missing_ok=True)
    fetched: Path = artifact.resolve()
    found = sha256_of(fetched)
    if found != jar.sha256:
        fetched.unlink()
        raise StackError(
            f"{jar.filename} came with checksum {found}, the lock says {jar.sha256}. Start again; if it stays, the "
            "repository serves another file: do not use it."
        )
    fetched.replace(folder / jar.filename)
    return jar


def _artifact(repository: Path, jar: LockedJar) -> Any:  # noqa: ANN401 - jgo carries no types
    """The jar alone, without what it depends on: the lock already names every file."""
    from jgo.maven import MavenContext

    mirror = os.environ.get(_REPOSITORY)
    context = MavenContext(repo_cache=repository, timeout=_TIMEOUT, remote_repos={"mirror": mirror} if mirror else None)
    return context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
