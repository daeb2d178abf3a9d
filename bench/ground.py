"""A broker, a database server and the generation service's processes, all on this machine and of the bench's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from candor_stack import LocalStack, PostgresOptions, services
from candor_stack.issuer import LocalIssuer
from candor_stack.local import StackOptions
from candor_stack.ports import LOOPBACK, Ports
from candor_stack.process import Child
from candor_stack.topics import candor_topics

from bench.figure import BenchError
from bench.intake import Feed, Source
from bench.plan import ROOT, Plan
from bench.watch import Timeline

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
"""What a database server that writes much is given beyond the defaults; every peer is measured on the same server."""
_SERVICE = "generation"
_LOOK_SECONDS = 0.2
_READY_SECONDS = 180.0
_STUCK_SECONDS = 180.0
_TAKEN = "SELECT sum(next_offset) FROM kit_position WHERE consumer = 'intake'"
_LEAVES = "SELECT sum(leaves) FROM addition JOIN log USING (log_id) WHERE kind = 'generation'"
_LOG = "SELECT period FROM log WHERE kind = 'generation' ORDER BY next_index DESC, starts_at LIMIT 1"


@dataclass(frozen=True)
class Far:
    """How far the generation log has come: leaves with an index, and facts told of them."""

    leaves: int
    told: int


class Ground:
    """Everything that ingest is measured on. `with` starts broker and database, and ends everything."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
            os.environ.pop(name, None)
        shutil.rmtree(plan.folder, ignore_errors=True)
        plan.folder.mkdir(parents=True)
        options = StackOptions(postgres=PostgresOptions(settings=SETTINGS))
        self.heap = options.kafka_heap
        self.stack = LocalStack(plan.folder, cache=plan.cache, options=options)
        self._ports = Ports(plan.folder / "ports.json")
        self._writer: Child | None = None
        self._feeds: list[Feed] = []
        self._takers: list[tuple[Child, str]] = []

    def __enter__(self) -> Self:
        self.stack.start()
        try:
            self.database_url = self.stack.create_database(services.database_name(_SERVICE))
            self.stack.ensure_topics(candor_topics())
            issuer = LocalIssuer.open(self._plan.folder)
            services.prepare(_SERVICE, self._plan.folder)
            services.renew_tokens(issuer, self._plan.folder)
            self._around = services.Surroundings(
                folder=self._plan.folder,
                packs=ROOT / "packs",
                bootstrap_servers=self.bootstrap_servers,
                database_urls={_SERVICE: self.database_url},
                addresses=services.choose_addresses(self._ports),
                jwks_file=issuer.jwks_file,
            )
        except BaseException:
            self.stack.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end_service()
        self._feeds.clear()
        self.stack.stop()
        if not self._plan.keep and error is None:
            shutil.rmtree(self._plan.folder, ignore_errors=True)

    @property
    def bootstrap_servers(self) -> str:
        """The broker."""
        return self.stack.kafka_bootstrap_servers

    def start_writer(self) -> None:
        """Start the process that writes the logs, and takes nothing from the intake topic."""
        if self._writer is None:
            self._writer = self._begin("writer", {"CANDOR_INTAKE": "false"})
            self._await_ready(self._writer, self.http)

    def start_takers(self) -> None:
        """Start the processes that take from the intake topic."""
        if self._takers:
            return
        names = [f"taker-{number}" for number in range(self._plan.takers)]
        ports = self._ports.choose(names)
        for name in names:
            address = f"{LOOPBACK}:{ports[name]}"
            listen = {"CANDOR_HTTP_LISTEN": address, "CANDOR_GRPC_LISTEN": f"{LOOPBACK}:0"}
            self._takers.append((self._begin(name, {"CANDOR_SEQUENCER": "false", **listen}), address))

    def takers_are_ready(self) -> None:
        """Wait until every process that takes is ready."""
        for child, address in self._takers:
            self._await_ready(child, address)

    def end_service(self) -> None:
        """End the service's processes in order."""
        for child in self._children:
            child.stop()
        self._takers, self._writer = [], None

    @property
    def http(self) -> str:
        """host:port where the logs are served."""
        return self._around.addresses[_SERVICE].http

    @property
    def https(self) -> list[str]:
        """host:port of every process of the service."""
        return [*(address for _, address in self._takers), *([self.http] if self._writer else [])]

    @property
    def service_pids(self) -> dict[str, int]:
        """The service's processes by name."""
        return {child.name: child.pid for child in self._children if child.pid is not None}

    @property
    def _children(self) -> list[Child]:
        return [*(child for child, _ in self._takers), *([self._writer] if self._writer else [])]

    @property
    def pids(self) -> dict[str, int]:
        """The service's, the broker's and the database server's processes by name."""
        servers = {"kafka": self.stack.kafka.child.pid, "postgres": self.stack.postgres.child.pid}
        return self.service_pids | {name: pid for name, pid in servers.items() if pid is not None}

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """A connection to the generation service's database."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            yield connection

    def period(self) -> str:
        """The period of the log that is measured."""
        with self.database() as connection:
            row = connection.execute(_LOG).fetchone()
        if row is None:
            raise BenchError("there is no generation log")
        return str(row[0])

    def log_folder(self) -> Path:
        """Where the files of the log that is measured are."""
        return services.data_folder(_SERVICE, self._plan.folder) / "log" / "generation" / self.period()

    def feed(self, source: Source, *, linger_ms: int) -> Feed:
        """A producer; what it sends is waited for by `wait_covered`."""
        feed = Feed(self.bootstrap_servers, source, linger_ms=linger_ms)
        self._feeds.append(feed)
        return feed

    def wait_covered(self, timeline: Timeline) -> None:
        """Wait until all that was ever sent is taken, and a published checkpoint covers it."""
        sent = sum(feed.sent for feed in self._feeds)
        self.wait(lambda: self.count(_TAKEN) >= sent, lambda: self.count(_TAKEN), f"{sent} records to be taken")
        leaves = self.count(_LEAVES)
        self.wait(lambda: timeline.size >= leaves, lambda: timeline.size, f"a checkpoint of size {leaves}")

    def far(self) -> Far:
        """How far the log has come."""
        with self.database() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(next_index), 0), coalesce(sum(told), 0) FROM log WHERE kind = 'generation'"
            ).fetchone()
        return Far(int(row[0]), int(row[1])) if row else Far(0, 0)

    def count(self, query: str, *parameters: object) -> int:
        """The number that a query of ours gives."""
        with self.database() as connection:
            row = connection.execute(query, parameters).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def wait(self, done: Callable[[], bool], progress: Callable[[], object], what: str) -> None:
        """Wait for something, as long as something moves and every process lives.

        Raises:
            BenchError: a process has ended, or nothing has moved for three minutes.
        """
        last, moved = progress(), time.monotonic()
        while not done():
            time.sleep(_LOOK_SECONDS)
            self._check_alive()
            seen = progress()
            if seen != last:
                last, moved = seen, time.monotonic()
            elif time.monotonic() - moved > _STUCK_SECONDS:
                raise BenchError(f"waiting for {what}: nothing has moved for {_STUCK_SECONDS:.0f} s at {seen}")

    def _check_alive(self) -> None:
        for child in self._children:
            if not child.alive:
                raise BenchError(f"{child.name} ended; {child.log_file} ends:\n{child.last_lines()}")

    def _begin(self, name: str, extra: dict[str, str]) -> Child:
        child = Child(name, self._plan.folder)
        child.start(services.command(_SERVICE, self._around, extra))
        return child

    @staticmethod
    def _await_ready(child: Child, http: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if child.wait(_LOOK_SECONDS):
                raise BenchError(f"{child.name} ended; {child.log_file} ends:\n{child.last_lines()}")
            if answers(f"http://{http}/readyz"):
                return
        raise BenchError(f"{child.name} is not ready after {_READY_SECONDS:.0f} s; see {child.log_file}")


def answers(url: str) -> bool:
    """Whether a server answers well."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a process of ours
            return True
    except (urllib.error.URLError, OSError):
        return False
