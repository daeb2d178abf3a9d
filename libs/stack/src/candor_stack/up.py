"""`candor up`: all of Candor on this machine, until Ctrl-C."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from candor_stack import services
from candor_stack.errors import StackError
from candor_stack.follow import Show
from candor_stack.home import StackDescription
from candor_stack.local import DATABASE_VARIABLE, KAFKA_VARIABLE, StackOptions
from candor_stack.postgres import PostgresOptions
from candor_stack.runner import Runner, RunnerOptions

_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red")


def up(
    folder: Annotated[Path | None, typer.Option(help="For data and logs, instead of CANDOR_HOME or .candor.")] = None,
    backing_only: Annotated[
        bool, typer.Option("--backing-only", help="Start Kafka and PostgreSQL alone and print export lines for them.")
    ] = False,
    heap: Annotated[str, typer.Option(help="Kafka's memory (the JVM's -Xmx).")] = "384m",
    fsync: Annotated[bool, typer.Option(help="--no-fsync is faster and loses data if the machine crashes.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no logs (they are in files).")] = False,
) -> None:
    """Run all of Candor here: Kafka, PostgreSQL, five services and the console.

    Everything runs as ordinary processes of yours on free loopback ports, with data and logs under one folder. The
    first start fetches Kafka; later ones take seconds. Ctrl-C stops all of it in order, and the data stays.

    Set KAFKA_BOOTSTRAP_SERVERS or DATABASE_URL to use a broker or a server of your own instead.

    Then, in another terminal: `candor token --role backend` prints a token to call the services with.
    """
    stack = StackOptions(kafka_heap=heap, postgres=PostgresOptions(fsync=fsync))
    names = () if backing_only else services.ALL
    options = RunnerOptions(services=names, stack=stack, show=None if quiet else _shower())
    with _terminable():
        status = _run(folder, options, backing_only=backing_only)
    raise typer.Exit(status)


def _run(folder: Path | None, options: RunnerOptions, *, backing_only: bool) -> int:
    """Start, wait, stop; the exit status."""
    try:
        runner = Runner(folder, options=options)
        with runner:
            (_print_exports if backing_only else _print_table)(runner.description)
            crash = runner.wait()
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        return 0
    except StackError as error:
        typer.echo(str(error), err=True)
        return 1
    if crash is not None:
        typer.echo(f"\n{crash}\nThe rest has been stopped.", err=True)
        return 1
    return 0


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM and SIGHUP end us as Ctrl-C does: through every `finally`."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shower() -> Show:
    """Prints a log line under its service's name, one line at a time, coloured on a terminal."""
    lock = threading.Lock()
    colours = dict(zip(services.ALL, cycle(_COLOURS), strict=False))
    coloured = sys.stdout.isatty()

    def show(name: str, line: str) -> None:
        prefix = f"{name:<10} |"
        with lock:
            typer.echo(f"{typer.style(prefix, fg=colours[name]) if coloured else prefix} {line}")

    return show


def _print_exports(running: StackDescription) -> None:
    typer.echo(f"export {KAFKA_VARIABLE}={running.kafka_bootstrap_servers}")
    typer.echo(f"export {DATABASE_VARIABLE}={running.admin_database_url}")
    typer.echo("Kafka and PostgreSQL run until Ctrl-C.", err=True)


def _print_table(running: StackDescription) -> None:
    table = Table(title="Candor runs here", title_justify="left")
    for column in ("", "gRPC", "HTTP"):
        table.add_column(column, overflow="fold")
    for name, address in running.services.items():
        table.add_row(name, address.grpc or "-", f"http://{address.http}")
    console = Console()
    console.print(table)
    console.print(f"Console     {running.console_url}", style="bold", highlight=False)
    users = services.data_folder(services.CONSOLE, Path(running.folder)) / "users.txt"
    console.print(f"Sign in     names and passwords are in {users}", highlight=False)
    console.print(f"Kafka       {running.kafka_bootstrap_servers}", highlight=False)
    console.print(f"PostgreSQL  {_without_password(running)}  (URLs: {running.folder}/stack.json)", highlight=False)
    console.print(f"Logs        {running.folder}/logs", highlight=False)
    console.print("Token       candor token --role backend", highlight=False)
    console.print("Ctrl-C stops everything; the data stays.", highlight=False)


def _without_password(running: StackDescription) -> str:
    return running.admin_database_url.rsplit("@", 1)[-1]
