"""`candor dlq`: the records that were set aside, why, and putting them back once the reason is gone."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from candor_kit.deadletters import DeadLetter, DeadLetterReader
from candor_kit.errors import Unavailable
from candor_stack import StackError, find
from rich.console import Console
from rich.table import Table

SERVICES = ("consent", "rights", "generation", "refutation", "escalation")
_MOST = 1000
T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    help="See the records that were set aside, and put them back.\n\n"
    "A record that a service refuses goes to its dead-letter topic as it came, with the reason in its headers. Mend the"
    " cause, then replay: a command keeps its id, so nothing happens twice.",
)

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]
Bootstrap = Annotated[
    str,
    typer.Option(
        "--bootstrap-servers",
        envvar="KAFKA_BOOTSTRAP_SERVERS",
        help="host:port of Kafka; without it, the running local stack's.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@app.command("list")
def list_letters(
    service: Annotated[str | None, typer.Argument(help="Only this service's.")] = None,
    bootstrap_servers: Bootstrap = "",
    as_json: AsJson = False,
) -> None:
    """List what was set aside, the newest in front."""
    reader = _reader(service, bootstrap_servers)
    found = [(group.service, letter) for group in _run(reader.latest(_MOST)) for letter in group.letters]
    if as_json:
        for name, letter in found:
            typer.echo(_json(name, letter))
        return
    if not found:
        typer.echo("Nothing was set aside.")
        return
    table = Table("service", "partition", "offset", "at", "reason", "type", "message")
    for name, letter in found:
        at = letter.at.isoformat(timespec="seconds")
        table.add_row(name, str(letter.partition), str(letter.offset), at, letter.reason, letter.type, letter.message)
    Console().print(table)


@app.command()
def show(
    service: Service,
    partition: Annotated[int, typer.Argument(help="As `candor dlq list` says.")],
    offset: Annotated[int, typer.Argument(help="As `candor dlq list` says.")],
    bootstrap_servers: Bootstrap = "",
) -> None:
    """Show one dead letter: why and where from, without its value, which may hold a person's data."""
    groups = _run(_reader(service, bootstrap_servers).latest(_MOST))
    for letter in groups[0].letters:
        if (letter.partition, letter.offset) == (partition, offset):
            typer.echo(json.dumps(json.loads(_json(service, letter)), indent=2, ensure_ascii=False))
            return
    _fail(f"candor.{service}.dlq holds nothing at partition {partition}, offset {offset}; see `candor dlq list`.")


@app.command()
def replay(
    service: Service,
    reason: Annotated[str, typer.Option(help="Only those refused for this reason.")] = "",
    identifier: Annotated[str, typer.Option("--id", help="Only the record of this ce_id.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All of this service's.")] = False,
    bootstrap_servers: Bootstrap = "",
) -> None:
    """Put records back on the topic they came from. Say which: --reason, --id or --all."""
    if not (reason or identifier or everything):
        _fail("Say which: --reason REASON, --id CE_ID or --all.")

    def wanted(letter: DeadLetter) -> bool:
        return (not reason or letter.reason == reason) and (not identifier or letter.id == identifier)

    done = _run(_reader(service, bootstrap_servers).replay(_once(wanted)))
    typer.echo(f"{len(done)} put back")
    if not done:
        raise typer.Exit(1)


def _once(wanted: Callable[[DeadLetter], bool]) -> Callable[[DeadLetter], bool]:
    """A record that was refused several times lies there several times; it goes back once."""
    taken: set[tuple[str, str]] = set()

    def fits(letter: DeadLetter) -> bool:
        key = (letter.source, letter.id)
        if not wanted(letter) or (letter.id and key in taken):
            return False
        taken.add(key)
        return True

    return fits


def _reader(service: str | None, bootstrap_servers: str) -> DeadLetterReader:
    if service is not None and service not in SERVICES:
        _fail(f"There is no service {service}; there are: {', '.join(SERVICES)}.")
    try:
        servers = bootstrap_servers or find().kafka_bootstrap_servers
    except StackError as error:
        _fail(f"{error} Or name a broker with --bootstrap-servers.")
    return DeadLetterReader(servers, [service] if service else SERVICES)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except Unavailable as error:
        _fail(f"{error}; is it running, and is the address right?")


def _fail(words: str) -> NoReturn:
    typer.echo(words, err=True)
    sys.exit(2)


def _json(service: str, letter: DeadLetter) -> str:
    fields = {"service": service, **dataclasses.asdict(letter)}
    return json.dumps(fields, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
