"""`candor demo`: start everything, feed real traffic, and see through public interfaces that every promise is kept."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from candor_stack import Runner, RunnerOptions, StackError, find, home
from candor_stack.home import cache_folder

from candor_cli.demo.pager import PhoneOfOnCall
from candor_cli.demo.story import Story, StoryError
from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import InputError, read_generations, read_rumours
from candor_cli.session import Session

# What the policy packs ask of the company; the demo's works in two jurisdictions.
PROFILE = {
    "jurisdictions": ["CN", "EU"],
    "operator_class": "other",
    "controller_name": "Demo AI Ltd",
    "nis2_class": "none",
    "dora_entity": False,
    "cra_manufacturer": False,
    "dsa_role": "none",
    "gpai_systemic": False,
    "gpai_code_signatory": False,
    "ai_role": "none",
}


def demo(
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help="Generations: JSON lines of id, model, locale, prompt, output; .gz is fine. Default: a sample.",
        ),
    ] = None,
    rumours: Annotated[
        Path | None,
        typer.Option(
            "--rumours",
            help="Posts: JSON lines of id, rumor, text, posted_at, spread; .gz is fine. Default: a sample.",
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")] = False,
    target: Annotated[str, typer.Option(help="Where to run: 'local' starts everything here.")] = "local",
) -> None:
    """See all of it work: generations, a person's rights, a rumour, an incident, and the proof of all of them.

    Starts Kafka, PostgreSQL, the five services and the console in a fresh folder, feeds traffic, and watches what comes
    out through public interfaces only. The exit code is 0 only if every step was observed.
    """
    if target != "local":
        typer.echo(f"There is no target {target!r}; 'local' is the one there is.", err=True)
        raise typer.Exit(2)
    try:
        generations = read_generations(input_file)
        posts = read_rumours(rumours)
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    telling = Telling()
    try:
        raise typer.Exit(asyncio.run(_run(telling, Story.about(generations, posts), keep=keep)))
    except StackError as error:
        telling.failed(str(error))
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        telling.failed("stopped; everything was shut down")
        raise typer.Exit(130) from None


async def _run(telling: Telling, story: Story, *, keep: bool) -> int:
    _stop_on_sigterm()
    folder = await asyncio.to_thread(_fresh_folder)
    os.environ.setdefault("CANDOR_PROFILE", json.dumps(PROFILE))
    phone = await PhoneOfOnCall.start(folder)
    runner = Runner(folder, cache=cache_folder(home()), options=RunnerOptions())
    try:
        telling.chapter("Starting Kafka, PostgreSQL, five services and the console")
        await _start(runner)
        telling.ok(f"all ready; logs are in {runner.folder / 'logs'}")
        async with Session(runner.description) as session:
            code = await _tell(story, session, phone, telling, folder)
        telling.summary(session.description.console_url, users=folder / "services" / "console" / "users.txt")
        if keep:
            telling.note(f"left running until Ctrl-C; for other commands: export CANDOR_HOME={folder}")
            await _until_stopped(runner)
        return code
    finally:
        runner.request_stop()
        await asyncio.to_thread(runner.stop)
        await phone.stop()


async def _until_stopped(runner: Runner) -> None:
    """Wait for Ctrl-C or SIGTERM, which is how this ends in order; or for the crash of a part, and say which."""
    try:
        crash = await asyncio.to_thread(runner.wait)
    except asyncio.CancelledError:
        return
    if crash is not None:
        raise StackError(str(crash))


async def _start(runner: Runner) -> None:
    """Start; where that is cancelled, let it come to its end first, so that stopping finds all it started."""
    starting = asyncio.ensure_future(asyncio.to_thread(runner.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        raise


async def _tell(story: Story, session: Session, phone: PhoneOfOnCall, telling: Telling, folder: Path) -> int:
    try:
        await story.tell(session, phone, telling, folder)
    except (StoryError, TimeoutError) as error:
        telling.failed(f"not observed: {error}")
        return 1
    return 0


def _fresh_folder() -> Path:
    """An empty folder beside the stack's own; what the last demo left (its logs, for one) goes.

    Raises:
        StackError: another demo is running.
    """
    folder = home() / "demo"
    try:
        find(folder)
    except StackError:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder
    msg = f"A demo is running in {folder} already; stop it first (Ctrl-C in its terminal)."
    raise StackError(msg)


def _stop_on_sigterm() -> None:
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
