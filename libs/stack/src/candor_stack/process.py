"""One child process: started on a leash, logged to a file, remembered on disk, ended for certain."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from candor_stack.account import OWN, Account
from candor_stack.errors import StackError

_LEASH = Path(__file__).with_name("leash.py")
_LOG_LIMIT = 20_000_000  # bytes; a longer log is set aside once when the child starts
_TAIL = 64_000  # bytes of a log that are looked at for its last lines
_KILL_PATIENCE = 10.0  # seconds; SIGKILL takes effect at once unless the process is stuck in the kernel

# The kernel's parent-death signal fires when the *thread* that started the child ends, so every child is started by
# this one thread, which ends with the process.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="candor-start")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `argv` (absolute program first), the whole environment, and how it is to end.

    `stop_signal` asks it to end in an orderly way; `death_signal` is what the kernel sends when this process dies.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    account: Account = OWN


class Child:
    """A named child of this process, with `<folder>/logs/<name>.log` and `<folder>/run/<name>.json`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log_file = folder / "logs" / f"{name}.log"
        self._record = folder / "run" / f"{name}.json"
        self._popen: subprocess.Popen[bytes] | None = None
        self._exited = threading.Event()
        self._stop_signal = signal.SIGTERM
        self._asked_to_end = False

    @property
    def pid(self) -> int | None:
        """The process id, None before the first start."""
        return self._popen.pid if self._popen else None

    @property
    def alive(self) -> bool:
        """Whether the process runs right now."""
        return self._popen is not None and not self._exited.is_set()

    @property
    def returncode(self) -> int | None:
        """Exit status (negative: the signal that ended it), None while it runs or before the first start."""
        return self._popen.returncode if self._popen and self._exited.is_set() else None

    def start(self, command: Command, on_exit: Callable[["Child"], None] | None = None) -> None:
        """Start the command; `on_exit` is called, from another thread, if it ends without `stop` or `kill`.

        Raises StackError when it already runs.
        """
        if self.alive:
            raise StackError(f"{self.name} already runs as process {self.pid}; stop it first.")
        end_orphan(self._record)
        self._prepare_files()
        self._exited = threading.Event()
        self._asked_to_end = False
        self._stop_signal = command.stop_signal
        self._popen = _STARTER.submit(self._spawn, command).result()
        self._remember(self._popen.pid)
        watcher = threading.Thread(target=self._watch, args=(on_exit,), name=f"watch-{self.name}", daemon=True)
        watcher.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for the process to end; whether it has."""
        return self._popen is None or self._exited.wait(timeout)

    def stop(self, patience: float = 20.0) -> None:
        """Ask the process to end, and kill it when it has not after `patience` seconds."""
        if not self.alive:
            return
        self._asked_to_end = True
        self._signal(self._stop_signal)
        if not self.wait(patience):
            self.kill()
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL the process and all it started, and wait until they are gone."""
        if self._popen is None or not self.alive:
            return
        self._asked_to_end = True
        family = _descendants(self._popen.pid)
        self._signal(signal.SIGKILL)
        _end(family)
        if not self.wait(_KILL_PATIENCE):
            raise StackError(f"{self.name} (process {self.pid}) does not end even on SIGKILL; look at `ps`.")
        self._record.unlink(missing_ok=True)

    def last_lines(self, count: int = 20) -> str:
        """The last `count` lines of the log."""
        try:
            with self.log_file.open("rb") as file:
                file.seek(max(0, self.log_file.stat().st_size - _TAIL))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-count:])

    def _watch(self, on_exit: Callable[["Child"], None] | None) -> None:
        if self._popen is None:
            return
        self._popen.wait()
        self._exited.set()
        if on_exit is not None and not self._asked_to_end:
            on_exit(self)

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._popen.pid, number)

    def _prepare_files(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._record.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))

    def _spawn(self, command: Command) -> subprocess.Popen[bytes]:
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                leashed(command),
                env=dict(command.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C goes to us alone, so that we can stop in order
            )

    def _remember(self, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(pid).create_time()
            self._record.write_text(json.dumps({"pid": pid, "started": started}), encoding="utf-8")


def leashed(command: Command) -> list[str]:
    """The argv that runs a command on the leash (see leash.py)."""
    account = command.account
    words = (os.getpid(), int(command.death_signal), account.uid, account.gid, int(account.right_of_way))
    return [sys.executable, "-I", "-S", str(_LEASH), *map(str, words), *command.argv]


def run_to_end(command: Command, timeout: float = 120.0) -> None:
    """Run a command that ends by itself. Raises StackError with its output when it fails or takes too long."""
    try:
        result = subprocess.run(
            leashed(command),
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{command.argv[0]} did not end within {timeout:.0f} s.") from error
    if result.returncode != 0:
        output = result.stdout.decode(errors="replace").strip()
        raise StackError(f"{' '.join(command.argv)}\nended with status {result.returncode}:\n{output}")


def end_orphan(record: Path) -> None:
    """End the process an earlier run left behind, if the record still names it, and forget the record.

    The start time tells it from a stranger that got the same process id since.
    """
    try:
        known = json.loads(record.read_text(encoding="utf-8"))
        process = psutil.Process(known["pid"])
        if abs(process.create_time() - known["started"]) < 1:
            _end([process, *_descendants(process.pid)])
    except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        pass
    record.unlink(missing_ok=True)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end_strays(is_ours: Callable[[psutil.Process], bool]) -> None:
    """End every process for which `is_ours` answers true; one that may not be looked at is not ours."""
    strays = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if is_ours(process):
                strays.append(process)
    _end(strays)


def _end(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(processes, timeout=_KILL_PATIENCE)
    stuck = [str(process.pid) for process in alive if not _is_zombie(process)]
    if stuck:
        raise StackError(f"Processes of an earlier run do not end: {', '.join(stuck)}. End them by hand, start again.")


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
