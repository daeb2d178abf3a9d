"""Kafka and PostgreSQL of one folder, started together and ended for certain."""

import contextlib
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from candor_stack.errors import StackError
from candor_stack.home import cache_folder
from candor_stack.jars import Say, say_on_stderr
from candor_stack.kafka import KafkaBroker, kafka_answers
from candor_stack.ports import Ports
from candor_stack.postgres import PostgresOptions, PostgresServer, create_database, drop_database, postgres_answers
from candor_stack.process import Child, end_orphan
from candor_stack.topics import TopicSpec, ensure_topics

KAFKA_VARIABLE = "KAFKA_BOOTSTRAP_SERVERS"
DATABASE_VARIABLE = "DATABASE_URL"


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How the stack runs: the broker's heap (-Xmx), PostgreSQL's options, where progress is said."""

    kafka_heap: str = "384m"
    postgres: PostgresOptions = field(default_factory=PostgresOptions)
    say: Say = say_on_stderr


class LocalStack:
    """Kafka and PostgreSQL on free loopback ports, with their data under one folder.

    `with LocalStack(folder) as stack:` starts both and stops both. Where the environment names a broker
    (KAFKA_BOOTSTRAP_SERVERS) or a server (DATABASE_URL), that one is used and none of ours is started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path | None = None,
        options: StackOptions | None = None,
        on_exit: Callable[[Child], None] | None = None,
    ) -> None:
        """`on_exit` is called, from another thread, when Kafka or PostgreSQL ends without being asked to."""
        self.folder = folder.absolute()
        self._options = options or StackOptions()
        self._on_exit = on_exit
        self._lock: IO[str] | None = None
        ports = Ports(self.folder / "ports.json")
        self._external_kafka = os.environ.get(KAFKA_VARIABLE)
        self._external_database = os.environ.get(DATABASE_VARIABLE)
        self._kafka: KafkaBroker | None = None
        self._postgres: PostgresServer | None = None
        if not self._external_kafka:
            jars = (cache or cache_folder(self.folder)).absolute()
            self._kafka = KafkaBroker(self.folder, jars, ports, self._options.kafka_heap, self._options.say)
        if not self._external_database:
            self._postgres = PostgresServer(self.folder, ports, self._options.postgres)

    @property
    def kafka(self) -> KafkaBroker:
        """Our broker. Raises StackError when the environment names another one."""
        if self._kafka is None:
            raise StackError(f"Kafka is not ours: {KAFKA_VARIABLE} names {self._external_kafka}.")
        return self._kafka

    @property
    def postgres(self) -> PostgresServer:
        """Our server. Raises StackError when the environment names another one."""
        if self._postgres is None:
            raise StackError(f"PostgreSQL is not ours: {DATABASE_VARIABLE} names another one.")
        return self._postgres

    @property
    def kafka_bootstrap_servers(self) -> str:
        """One "host:port" or several, comma-separated, for any Kafka client."""
        return self._external_kafka or self.kafka.bootstrap_servers

    @property
    def admin_database_url(self) -> str:
        """The libpq URI of a database on the server (`postgres` on ours) whose user may create databases."""
        return self._external_database or self.postgres.admin_url

    def create_database(self, name: str) -> str:
        """Make a UTF-8 database exist and return its URL; idempotent."""
        return create_database(self.admin_database_url, name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end its connections; idempotent."""
        drop_database(self.admin_database_url, name)

    def ensure_topics(self, specs: list[TopicSpec]) -> None:
        """Make topics exist as specified; idempotent."""
        ensure_topics(self.kafka_bootstrap_servers, specs)

    def start(self) -> None:
        """Start what is ours, both at once; returns when all answer. A StackError leaves nothing running."""
        self._take_folder()
        try:
            if self._kafka is not None:
                self._kafka.fetch()
            self._start_ours()
            self._check_external()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what is ours, both at once. Safe to call again, and after a failed start."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda server: server.stop(), self._servers()))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _start_ours(self) -> None:
        with ThreadPoolExecutor(max_workers=2) as pool:
            starts = [pool.submit(server.start, self._on_exit) for server in self._servers()]
        for start in starts:
            start.result()

    def _servers(self) -> list[KafkaBroker | PostgresServer]:
        return [server for server in (self._postgres, self._kafka) if server is not None]

    def _check_external(self) -> None:
        if self._external_kafka and not kafka_answers(self._external_kafka):
            raise StackError(
                f"{KAFKA_VARIABLE} names {self._external_kafka}, which does not answer. "
                f"Start it, or unset {KAFKA_VARIABLE} to have one started here."
            )
        if self._external_database and not postgres_answers(self._external_database):
            raise StackError(
                f"{DATABASE_VARIABLE} names a server that does not answer. "
                f"Start it, or unset {DATABASE_VARIABLE} to have one started here."
            )

    def _take_folder(self) -> None:
        """Hold the folder, then end what a killed holder left running in it.

        The kernel lets go of the lock when its holder dies, so a killed one never blocks the next start.
        """
        run = self.folder / "run"
        run.mkdir(parents=True, exist_ok=True)
        lock = (run / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise StackError(
                f"{self.folder} is in use by process {holder}. Stop that one (Ctrl-C in its terminal), "
                "or set CANDOR_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        for record in run.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                end_orphan(record)
