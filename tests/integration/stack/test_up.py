"""`candor up` brings everything up, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from candor_stack import Runner, RunnerOptions, StackError, find

PATIENCE = 90  # seconds after which a `candor` that neither speaks nor ends is killed, and its test fails


class Candor:
    """One running `candor` process; what it prints is read line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []

    def until(self, start: str) -> str:
        """The first line that starts so; fails with all that was said when it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith(start):
                return line.removeprefix(start).strip()
        pytest.fail(f"no line starts with {start!r} in:\n{''.join(self.said)}")

    def end(self) -> tuple[int, str]:
        """Wait for its end; exit status and the rest of what it said."""
        rest, _ = self.process.communicate()
        return self.process.returncode, rest

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


Start = Callable[..., Candor]


@pytest.fixture
def candor(tmp_path: Path, cache: Path) -> Iterator[Start]:
    """Starts `candor ARGUMENTS` with a folder of the test's own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, extra: Mapping[str, str] | None = None) -> Candor:
        clean = {k: v for k, v in os.environ.items() if k not in {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}}
        env = {**clean, "CANDOR_HOME": str(tmp_path / "home"), "CANDOR_CACHE": str(cache), **(extra or {})}
        process = subprocess.Popen(
            [sys.executable, "-m", "candor_cli", *arguments],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started.append(process)
        return Candor(process)

    with _bounded(started):
        yield start


@contextmanager
def _bounded(started: "list[subprocess.Popen[str]]") -> Iterator[None]:
    """Kill what hangs, so that a failing test fails instead of waiting for ever."""

    def end_all() -> None:
        for process in started:
            process.kill()

    timer = threading.Timer(PATIENCE, end_all)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for process in started:
            process.kill()
            with process:  # closes what is open, and waits
                pass


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all have ended within half a minute."""
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not alive


def test_a_killed_stack_leaves_nothing_and_starts_again(candor: Start) -> None:
    first = candor("up", "--backing-only")
    kafka, database = first.until("export KAFKA_BOOTSTRAP_SERVERS="), first.until("export DATABASE_URL=")
    left = first.children()
    assert {"java", "postgres"} <= {process.name() for process in left}
    first.process.kill()
    assert gone(left)

    second = candor("up", "--backing-only")
    assert second.until("export KAFKA_BOOTSTRAP_SERVERS=") == kafka
    assert second.until("export DATABASE_URL=") == database
    left = second.children()
    next(process for process in left if process.name() == "postgres" and process.ppid() == second.process.pid).kill()
    status, said = second.end()
    assert status == 1
    assert "postgres ended with status -9" in said
    assert gone(left)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_in_order(
    candor: Start, stand_ins: Mapping[str, str], on_the_shared_stack: Mapping[str, str], number: signal.Signals
) -> None:
    running = candor("up", extra={**stand_ins, **on_the_shared_stack})
    running.until("Ctrl-C stops")
    left = running.children()
    assert len(left) == 6
    running.process.send_signal(number)
    status, said = running.end()
    assert status == 0, said
    assert gone(left)


def test_a_crashed_service_stops_the_rest_and_is_named(
    candor: Start, stand_ins: Mapping[str, str], on_the_shared_stack: Mapping[str, str], tmp_path: Path
) -> None:
    running = candor("up", extra={**stand_ins, **on_the_shared_stack})
    running.until("Ctrl-C stops")
    left = running.children()
    address = find(tmp_path / "home").services["rights"].http
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{address}/crash", trust_env=False)
    status, said = running.end()
    assert status == 1
    assert "rights ended with status 3" in said
    assert "last words" in said
    assert gone(left)
    with pytest.raises(StackError, match="candor up"):
        find(tmp_path / "home")


def test_a_service_that_cannot_start_is_named_with_its_log(
    candor: Start, stand_ins: Mapping[str, str], on_the_shared_stack: Mapping[str, str]
) -> None:
    broken = Path(stand_ins["PYTHONPATH"]) / "candor_consent" / "main.py"
    broken.write_text("raise SystemExit('no such setting')")
    status, said = candor("up", "--quiet", extra={**stand_ins, **on_the_shared_stack}).end()
    assert status == 1
    assert "consent ended with status 1" in said
    assert "no such setting" in said


def test_the_runner_ends_and_starts_single_services(
    stand_ins: Mapping[str, str],
    on_the_shared_stack: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**stand_ins, **on_the_shared_stack}.items():
        monkeypatch.setenv(name, value)
    with Runner(tmp_path / "home", options=RunnerOptions(services=("consent", "rights"))) as runner:
        url = f"http://{runner.description.services['consent'].http}/readyz"
        assert httpx.get(url, trust_env=False).status_code == 200
        runner.kill_service("consent")
        with pytest.raises(httpx.TransportError):
            httpx.get(url, trust_env=False)
        runner.start_service("consent", extra={"CANDOR_KAFKA_BOOTSTRAP_SERVERS": "elsewhere:1"})
        assert httpx.get(url, trust_env=False).status_code == 200
        assert "listening elsewhere:1" in runner.read_log("consent")
        runner.restart_service("consent")
        runner.request_stop()
        assert runner.wait() is None  # what was asked to end is no crash
