"""The whole of Candor on one machine: backing stack, five services and the console, as child processes."""

import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from candor_stack import services
from candor_stack.errors import StackError
from candor_stack.follow import Follower, Show
from candor_stack.home import ServiceAddress, StackDescription, home, workspace
from candor_stack.issuer import LocalIssuer
from candor_stack.local import LocalStack, StackOptions
from candor_stack.ports import Ports
from candor_stack.process import Child
from candor_stack.topics import SERVICES, candor_topics

_READY_PATIENCE = 120.0  # seconds; six Python processes importing on two busy cores
_PAUSE = 0.2  # seconds between two looks at a starting service
_RENEW_EVERY = 3600.0  # seconds; tokens live twelve times as long


@dataclass(frozen=True, slots=True)
class Crash:
    """A child that ended without being asked to."""

    name: str
    returncode: int | None
    last_lines: str
    log_file: Path

    def __str__(self) -> str:
        """What ended and what it said last."""
        return f"{self.name} ended with status {self.returncode}. {self.log_file} ends:\n{self.last_lines}"


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """What to run: the services by name, the backing stack's options, where log lines are shown, the packs folder."""

    services: Sequence[str] = services.ALL
    stack: StackOptions | None = None
    show: Show | None = None
    packs: Path | None = None


class Runner:
    """Starts everything, watches it, and stops everything.

    `with Runner(folder) as runner:` returns when every service is ready. Single services can then be stopped, killed
    and started again by name; each keeps its addresses.
    """

    def __init__(
        self, folder: Path | None = None, *, cache: Path | None = None, options: RunnerOptions | None = None
    ) -> None:
        self.folder = (folder or home()).absolute()
        self._options = options or RunnerOptions()
        self._ends: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        self.stack = LocalStack(self.folder, cache=cache, options=self._options.stack, on_exit=self._ends.put)
        self._children = {name: Child(name, self.folder) for name in self._options.services}
        self._followers: dict[str, Follower] = {}
        self._around: services.Surroundings | None = None
        self._description: StackDescription | None = None
        self._stopping = threading.Event()

    @property
    def description(self) -> StackDescription:
        """What runs where; raises StackError before the start."""
        if self._description is None:
            raise StackError("The runner has not been started yet.")
        return self._description

    def start(self) -> None:
        """Start all and return when all are ready. Raises StackError, with nothing left running, when one is not."""
        try:
            self.start_backing()
            self._prepare()
            for name in self._children:
                self._launch(name, None)
            self._await_ready(list(self._children))
        except BaseException:
            self.stop()
            raise

    def start_backing(self) -> None:
        """Start Kafka and PostgreSQL, create the databases and the topics, and write stack.json."""
        self.stack.start()
        urls = {name: self.stack.create_database(services.database_name(name)) for name in SERVICES}
        self.stack.ensure_topics(candor_topics())
        self._around = services.Surroundings(
            folder=self.folder,
            packs=self._options.packs or (workspace() or Path.cwd()) / "packs",
            bootstrap_servers=self.stack.kafka_bootstrap_servers,
            database_urls=urls,
            addresses=services.choose_addresses(Ports(self.folder / "ports.json")),
            jwks_file=LocalIssuer.open(self.folder).jwks_file,
        )
        self._description = self._describe(self._around)
        self._description.write()

    def stop(self) -> None:
        """Stop the services, then what they stand on. Safe to call again."""
        self._stopping.set()
        _stop_all(self._children.values())
        self.stack.stop()
        for follower in self._followers.values():
            follower.stop()
        self._followers.clear()
        if self._description is not None:
            self._description.forget()

    def wait(self) -> Crash | None:
        """Wait until a child ends without being asked to (the crash), or `request_stop` is called (None)."""
        child = self._ends.get()
        if child is None:
            return None
        return Crash(child.name, child.returncode, child.last_lines(), child.log_file)

    def request_stop(self) -> None:
        """Make `wait` return; may be called from a signal handler or another thread."""
        self._ends.put(None)

    def start_service(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Start a stopped or killed service on its addresses and wait until it is ready.

        `extra` overrides environment variables for this start.
        """
        self._launch(name, extra)
        self._await_ready([name])

    def stop_service(self, name: str) -> None:
        """Stop one service in order (SIGTERM)."""
        self._child(name).stop()

    def kill_service(self, name: str) -> None:
        """SIGKILL one service."""
        self._child(name).kill()

    def restart_service(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Stop one service in order and start it again."""
        self.stop_service(name)
        self.start_service(name, extra)

    def pid(self, name: str) -> int | None:
        """The process of a service; None while it is not running."""
        return self._child(name).pid

    def log_file(self, name: str) -> Path:
        """The log of a service, of the console, of `kafka` or of `postgres`."""
        return self.folder / "logs" / f"{name}.log"

    def read_log(self, name: str) -> str:
        """All that a log holds now."""
        return self.log_file(name).read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _child(self, name: str) -> Child:
        try:
            return self._children[name]
        except KeyError:
            raise StackError(f"No service {name}; there are: {', '.join(self._children)}.") from None

    def _prepare(self) -> None:
        """Keys, tokens and folders, and a thread that renews the tokens."""
        for name in services.ALL:
            services.prepare(name, self.folder)
        issuer = LocalIssuer.open(self.folder)
        services.renew_tokens(issuer, self.folder)
        threading.Thread(target=self._renew, args=(issuer,), name="renew-tokens", daemon=True).start()

    def _renew(self, issuer: LocalIssuer) -> None:
        while not self._stopping.wait(_RENEW_EVERY):
            services.renew_tokens(issuer, self.folder)

    def _launch(self, name: str, extra: Mapping[str, str] | None) -> None:
        child = self._child(name)
        if self._around is None:
            raise StackError("Start the runner before a single service.")
        self._follow(child)
        child.start(services.command(name, self._around, extra), self._ends.put)

    def _follow(self, child: Child) -> None:
        if self._options.show is None or child.name in self._followers:
            return
        self._followers[child.name] = Follower(child.name, child.log_file, self._options.show)
        self._followers[child.name].start()

    def _await_ready(self, names: Sequence[str]) -> None:
        """Ask /readyz of each until all have answered 200."""
        deadline = time.monotonic() + _READY_PATIENCE
        waiting = list(names)
        while waiting and time.monotonic() < deadline:
            waiting = [name for name in waiting if not self._ready(name)]
            if waiting:
                self._child(waiting[0]).wait(_PAUSE)
        if waiting:
            logs = "\n".join(f"--- {name}\n{self._child(name).last_lines(10)}" for name in waiting)
            raise StackError(f"Not ready after {_READY_PATIENCE:.0f} s: {', '.join(waiting)}. Their logs end:\n{logs}")

    def _ready(self, name: str) -> bool:
        child = self._child(name)
        if not child.alive:
            raise StackError(str(Crash(name, child.returncode, child.last_lines(), child.log_file)))
        url = f"http://{self.description.services[name].http}/readyz"
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _describe(self, around: services.Surroundings) -> StackDescription:
        running = {
            name: ServiceAddress(around.addresses[name].grpc, around.addresses[name].http, str(self.log_file(name)))
            for name in self._children
        }
        return StackDescription(
            folder=str(self.folder),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            kafka_bootstrap_servers=around.bootstrap_servers,
            admin_database_url=self.stack.admin_database_url,
            database_urls=dict(around.database_urls),
            services=running,
            console_url=f"http://{around.addresses[services.CONSOLE].http}",
        )


def _stop_all(children: Iterable[Child]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(Child.stop, children))
