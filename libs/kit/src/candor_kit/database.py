"""The service's own PostgreSQL: a pool, and forward-only migrations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from candor_kit import log
from candor_kit.errors import ConfigError
from candor_kit.stop import Stop

Connection = AsyncConnection[dict[str, Any]]
Pool = AsyncConnectionPool[Connection]

# What a database that is away raises; waited for, never counted as a failure of ours.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
# SQLSTATE classes that mean the server, not the statement: connection, insufficient resources, operator intervention.
_AWAY_STATES = ("08", "53", "57P")
# What PostgreSQL asks to be tried again: serialization failure, deadlock. A lock that did not come in time, too.
TRY_AGAIN = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)
_MIGRATION_LOCK = 0x43414E44
_OPTIONS = "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=120s -c timezone=UTC"
_LOG = log.get(__name__)


def is_away(error: Exception) -> bool:
    """Return whether an exception says that the database is away, rather than that a statement was wrong."""
    if not isinstance(error, AWAY):
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state.startswith(_AWAY_STATES)


def pool(url: str, size: int) -> Pool:
    """Make a pool that is not open yet. Connections give rows as dictionaries and are checked before they are lent."""
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=size,
        open=False,
        timeout=5,
        reconnect_timeout=10,
        check=AsyncConnectionPool.check_connection,
        connection_class=AsyncConnection[dict[str, Any]],
        kwargs={"row_factory": dict_row, "autocommit": True, "options": _OPTIONS, "connect_timeout": 5},
    )


async def wait_until_up(url: str, stop: Stop) -> bool:
    """Wait until the database answers, saying so while it does not. False when the service was stopped meanwhile."""
    delay = 0.2
    while True:
        try:
            async with await AsyncConnection.connect(url, connect_timeout=5) as connection:
                await connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            _LOG.warning("waiting for the database", retry_in=delay, sqlstate=error.sqlstate)
            if await stop.wait(delay):
                return False
            delay = min(delay * 2, 5.0)
        else:
            return True


@dataclass(frozen=True)
class _Migration:
    component: str
    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


async def migrate(url: str, packages: dict[str, str]) -> int:
    """Apply what is missing, one transaction a file, one migrator at a time.

    Args:
        url: libpq URI.
        packages: component -> package with a folder `migrations` of files `NNNN_name.sql`.

    Returns:
        How many files were applied.

    Raises:
        ConfigError: a file that was applied has changed since; forward-only means writing a new one.
    """
    wanted = [found for component, package in packages.items() for found in _found(component, package)]
    async with await AsyncConnection.connect(url, row_factory=dict_row, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS kit_migration (component text, number integer, name text NOT NULL,"
            " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, number))"
        )
        return sum([await _apply(connection, migration) for migration in wanted])


def _found(component: str, package: str) -> list[_Migration]:
    folder = resources.files(package) / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [_Migration(component, int(file.name[:4]), file.name, file.read_text(encoding="utf-8")) for file in files]


async def _apply(connection: Connection, migration: _Migration) -> bool:
    cursor = await connection.execute(
        "SELECT checksum FROM kit_migration WHERE component = %s AND number = %s",
        (migration.component, migration.number),
    )
    row = await cursor.fetchone()
    if row is None:
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '10s'")
            await connection.execute("SET LOCAL statement_timeout = '10min'")
            await connection.execute(sql.SQL(migration.text))  # our own file, not input
            await connection.execute(
                "INSERT INTO kit_migration (component, number, name, checksum) VALUES (%s, %s, %s, %s)",
                (migration.component, migration.number, migration.name, migration.checksum),
            )
        _LOG.info("migration applied", component=migration.component, migration=migration.name)
        return True
    if row["checksum"] != migration.checksum:
        msg = f"{migration.component}/{migration.name} was applied with another text; write a new migration instead"
        raise ConfigError(msg)
    return False
