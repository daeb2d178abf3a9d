"""A jar is used only when it is precisely the locked one, however the cache came to hold something else."""

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from candor_stack import StackError, jars
from candor_stack.lock import LockedJar

RIGHT = b"the right bytes"
JAR = LockedJar("org.example", "thing", "1.0", hashlib.sha256(RIGHT).hexdigest(), len(RIGHT))


class Repository:
    """Stands for a Maven repository: serves `answers` one after the other, each bytes or an exception."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)

    def artifact(self, local: Path, jar: LockedJar) -> "Repository":
        self.cached_path = local / jar.filename
        return self

    def resolve(self) -> Path:
        assert not self.cached_path.exists(), "an earlier half would have been taken for the jar"
        self.cached_path.parent.mkdir(parents=True, exist_ok=True)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            self.cached_path.write_bytes(RIGHT[:3])
            raise answer
        self.cached_path.write_bytes(answer)
        return self.cached_path


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Repository]:
    def serve(*answers: bytes | Exception) -> Repository:
        repository = Repository(*answers)
        monkeypatch.setattr(jars, "_artifact", repository.artifact)
        return repository

    return serve


def fetch(cache: Path) -> Path:
    [path] = jars.class_path(cache, say=lambda _: None, jars=[JAR])
    return path


def test_a_missing_jar_is_fetched(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    serving(RIGHT)
    assert fetch(tmp_path).read_bytes() == RIGHT


def test_a_right_jar_is_not_fetched_again(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    serving(RIGHT)
    fetch(tmp_path)
    serving()  # would fail on any request
    assert fetch(tmp_path).read_bytes() == RIGHT


@pytest.mark.parametrize("wrong", [RIGHT[:5], b"", b"other bytes....", RIGHT + b"more"])
def test_a_wrong_jar_is_replaced(tmp_path: Path, serving: Callable[..., Repository], wrong: bytes) -> None:
    place = jars.jar_folder(tmp_path) / JAR.filename
    place.parent.mkdir(parents=True)
    place.write_bytes(wrong)
    serving(RIGHT)
    assert fetch(tmp_path).read_bytes() == RIGHT


def test_an_interrupted_fetch_is_done_again(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    serving(OSError("connection reset"), RIGHT)
    assert fetch(tmp_path).read_bytes() == RIGHT


def test_a_repository_that_serves_another_file_is_refused(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    serving(b"evil", b"evil", b"evil")
    with pytest.raises(StackError, match="checksum"):
        fetch(tmp_path)
    assert not (jars.jar_folder(tmp_path) / JAR.filename).exists()


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    serving(*[OSError("no route to host")] * 3)
    with pytest.raises(StackError, match=r"no route to host.*Check the network"):
        fetch(tmp_path)


def test_progress_is_shown(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    said: list[str] = []
    serving(RIGHT)
    jars.class_path(tmp_path, say=said.append, jars=[JAR])
    assert "1 jars" in said[0]
    assert JAR.filename in said[1]


def test_a_killed_holder_of_the_cache_blocks_nobody(tmp_path: Path, serving: Callable[..., Repository]) -> None:
    folder = jars.jar_folder(tmp_path)
    folder.mkdir(parents=True)
    program = (
        "import fcntl, signal, sys\n"
        "handle = open(sys.argv[1], 'w'); fcntl.flock(handle, fcntl.LOCK_EX)\n"
        "print('held', flush=True); signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, folder / ".lock"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
    serving(RIGHT)
    assert fetch(tmp_path).read_bytes() == RIGHT
