"""`candor oncall`: check the on-call file, see who is on call, and try whether a page arrives."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import uuid4

import httpx
import psycopg
import typer
from candor_packs.document import PackError
from psycopg.rows import dict_row

from candor_escalation.channels import Channel, Wire
from candor_escalation.domain.notice import Notice
from candor_escalation.domain.paging import Delivery
from candor_escalation.domain.rotation import Override
from candor_escalation.oncall import load, look
from candor_escalation.oncall.warnings import warnings
from candor_escalation.store import overrides

app = typer.Typer(no_args_is_help=True, help="Check the on-call file, see who is on call, try whether a page arrives.")

T = TypeVar("T")
_FAILED = 1
_WRONG = 2
_File = Annotated[Path, typer.Option("--file", envvar="CANDOR_ONCALL_FILE", help="The on-call file.")]


@app.command()
def lint(
    file: Annotated[Path, typer.Argument(help="The on-call file.")],
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Do not look for what ${…} refers to.")
    ] = False,
) -> None:
    """Load the file; name line and field of the first mistake, and what may not be meant so.

    Exit code 0: nothing is wrong. 2: the message says what is.
    """
    roster = _read(look, file) if without_secrets else _read(load, file).roster
    for warning in warnings(roster, datetime.now(UTC)):
        typer.echo(f"{file}: warning: {warning}", err=True)
    counts = f"{len(roster.contacts)} contacts, {len(roster.schedules)} schedules, {len(roster.levels)} levels"
    typer.echo(f"{counts}, 0 wrong")


@app.command()
def who(
    file: _File,
    at: Annotated[str, typer.Option(help="An instant with its zone, such as 2026-12-24T18:00+08:00.")] = "",
    database_url: Annotated[
        str, typer.Option(envvar="CANDOR_DATABASE_URL", help="The escalation service's database, for overrides.")
    ] = "",
) -> None:
    """Say who is on call, level by level.

    Overrides are in the service's database; without it the file alone is asked, and the answer says so.
    """
    roster = _read(look, file)
    instant = _instant(at) if at else datetime.now(UTC)
    made = asyncio.run(_overrides(database_url, instant)) if database_url else []
    typer.echo(f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC{'' if database_url else ', overrides not asked'}")
    for number, level in enumerate(roster.on_call(made, instant), 1):
        contact = roster.contact(level.contact)
        by = f"override {level.override_id}" if level.override_id else level.schedule or "always"
        ways = ", ".join(contact.channels) if contact else "the next level is asked at once"
        typer.echo(f"{number}  {level.contact or 'nobody'}  ({by})  {ways}")


@app.command("test")
def send(
    contact: Annotated[str, typer.Argument(help="Whom to page.")],
    file: _File,
    kind: Annotated[str, typer.Option("--channel", help="Only the channels of this kind.")] = "",
    timeout: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds a channel may take.")] = 10.0,
) -> None:
    """Send a page that is marked as a test by every channel of a contact, and print what the providers answer.

    Exit code 0: every channel took it. 1: one did not. 2: wrong usage.
    """
    oncall = _read(load, file)
    ways = [way for way in oncall.channels.get(contact, ()) if kind in {"", way.kind}]
    if not ways:
        what = f"no channel of kind {kind}" if contact in oncall.channels else "no such contact"
        typer.echo(f"{file}: {contact}: {what}", err=True)
        raise typer.Exit(_WRONG)
    answers = asyncio.run(_send(contact, ways, timeout))
    for way, told in zip(ways, answers, strict=True):
        word = "not taken" if not told.delivered else "unconfirmed" if told.unconfirmed else "taken"
        typer.echo(f"{way.kind}: {word}: {told.answer}")
    if not all(told.delivered for told in answers):
        raise typer.Exit(_FAILED)


async def _send(contact: str, ways: list[Channel], timeout: float) -> list[Delivery]:  # noqa: ASYNC109 - of each channel
    async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
        wire = Wire(client, timeout)
        return [await way.send(notice_of_a_test(contact, datetime.now(UTC)), wire) for way in ways]


def notice_of_a_test(contact: str, now: datetime) -> Notice:
    """A page that is marked as a test, in every line that somebody may see alone."""
    page_id = str(uuid4())
    headline = "Candor: 【测试】无需处理 / TEST, nothing to do"
    lines = (
        "这是测试呼叫，没有发生任何事件。 / This is a test page; nothing has happened.",
        f"收件人 / To: {contact}",
        f"时间 / At: {now:%Y-%m-%d %H:%M} UTC",
    )
    return Notice(
        page_id=page_id,
        clock_id=f"test-{page_id}",
        contact=contact,
        headline=headline,
        lines=lines,
        ack_url="https://candor.invalid/test",
        due=now + timedelta(hours=1),
        latest=None,
        overdue=False,
        sent_at=now,
        details={"test": True, "page_id": page_id, "contact": contact, "text": headline},
        test=True,
    )


def _read(reader: Callable[[Path], T], file: Path) -> T:
    try:
        return reader(file)
    except PackError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_WRONG) from error


def _instant(text: str) -> datetime:
    at = None
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
    if at is None or at.tzinfo is None:
        typer.echo(f"{text!r} is no instant with a zone, such as 2026-12-24T18:00+08:00", err=True)
        raise typer.Exit(_WRONG)
    return at


async def _overrides(database_url: str, at: datetime) -> list[Override]:
    try:
        async with await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row) as connection:
            return await overrides.between(connection, at, at)
    except psycopg.Error as error:
        typer.echo(f"the database cannot be asked for overrides: {type(error).__name__}", err=True)
        raise typer.Exit(_FAILED) from error
