"""`candor keys`: see and change the keys of one service's database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import psycopg
import typer
from psycopg.rows import dict_row
from pydantic import ValidationError

from candor_kit.database import Connection
from candor_kit.errors import ConfigError, Unavailable
from candor_kit.keys.master import Masters, masters_of
from candor_kit.keys.ring import KeyRing
from candor_kit.keys.rotation import Rotation, Version, versions
from candor_kit.settings import KeySettings

T = TypeVar("T")
_OPTIONS = "-c lock_timeout=10s -c timezone=UTC"
_STEP = 20_000

app = typer.Typer(
    no_args_is_help=True,
    help="See and change the keys of a service's database.\n\n"
    "Run it with the environment of that service: CANDOR_DATABASE_URL and its CANDOR_KEK… variables. Services go on"
    " meanwhile, and no payload is written anew. A run that was cut short is finished by running it again.",
)


@app.command()
def status() -> None:
    """Show the versions of the key ring, which master key wraps each, and how many keys each wraps."""

    async def work(connection: Connection, masters: Masters) -> None:
        found = await versions(connection)
        configured = {master.id for master in masters}
        for version in found:
            typer.echo(_line(version, configured))
        if not found:
            typer.echo("no key ring yet; the service makes it at its first start")

    _run(work)


@app.command()
def rotate() -> None:
    """Add a version to the key ring, wrap every key by it, retire the older ones; or finish doing so."""

    async def work(connection: Connection, masters: Masters) -> None:
        rotation = Rotation(KeyRing(masters), connection)
        total = sum(version.keys for version in await versions(connection))
        count = await rotation.rotate(_progress(total))
        typer.echo(f"done: version {rotation.current} wraps every key, {count:,} of them anew")

    _run(work)


@app.command()
def rewrap() -> None:
    """Wrap the key ring by the configured master key instead of the previous one, or by its newest state in Vault."""

    async def work(connection: Connection, masters: Masters) -> None:
        count = await Rotation(KeyRing(masters), connection).rewrap()
        typer.echo(f"done: {masters.current.id} wraps the {count} version(s) of the key ring")
        if masters.previous is not None:
            typer.echo("CANDOR_KEK_PREVIOUS… can be taken away once every replica has the new master key")

    _run(work)


def _progress(total: int) -> Callable[[int], None]:
    said = 0

    def say(done: int) -> None:
        nonlocal said
        if done - said >= _STEP:
            said = done
            typer.echo(f"{done:,} of {total:,} keys wrapped anew")

    return say


def _line(version: Version, configured: set[str]) -> str:
    made = version.created_at.isoformat(timespec="seconds")
    if version.retired_at is not None:
        return f"version {version.version}: made {made}, retired {version.retired_at.isoformat(timespec='seconds')}"
    wanted = "" if version.master in configured else " (not configured)"
    return f"version {version.version}: made {made}, wraps {version.keys:,} keys, master key {version.master}{wanted}"


def _run(work: Callable[[Connection, Masters], Awaitable[T]]) -> T:
    try:
        settings = KeySettings()
        return asyncio.run(_on_database(work, settings))
    except ValidationError as error:
        _fail("; ".join(f"CANDOR_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()))
    except ConfigError as error:
        _fail(str(error))
    except Unavailable as error:
        _fail(f"{error}; try again, what was done stays done")
    except psycopg.OperationalError as error:
        _fail(f"the database does not answer ({type(error).__name__}); try again, what was done stays done")
    except psycopg.errors.UndefinedTable:
        _fail("this database has no key ring; is it a service's, and has the service started once?")


async def _on_database(work: Callable[[Connection, Masters], Awaitable[T]], settings: KeySettings) -> T:
    masters = masters_of(settings)
    async with await psycopg.AsyncConnection.connect(
        settings.database_url.get_secret_value(), row_factory=dict_row, autocommit=True, options=_OPTIONS
    ) as connection:
        return await work(connection, masters)


def _fail(words: str) -> NoReturn:
    typer.echo(words, err=True)
    raise typer.Exit(2)
