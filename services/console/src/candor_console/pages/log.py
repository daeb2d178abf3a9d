"""The generation log's latest checkpoint, and how to verify it without trusting this page."""

import asyncio
from dataclasses import dataclass

from candor_kit.errors import Unavailable
from starlette.responses import Response

from candor_console.checkpoint import Checkpoint, CheckpointError
from candor_console.visit import Visit


@dataclass(frozen=True, slots=True)
class Reading:
    """The checkpoint, or why it is not there."""

    latest: Checkpoint | None = None
    away: str = ""
    problem: str = ""


async def read(visit: Visit) -> Reading:
    """Read the checkpoint."""
    try:
        return Reading(await visit.console.checkpoints.latest())
    except Unavailable as error:
        return Reading(away=error.part)
    except CheckpointError:
        return Reading(problem=visit.text("log.unreadable"))


async def show(visit: Visit) -> Response:
    """The checkpoint word for word, the key to check it with, and the commands."""
    reading, vkey = await asyncio.gather(read(visit), _vkey(visit))
    return visit.render("log.html", checkpoint=reading, vkey=vkey, commands=_commands(_url(visit, reading), vkey))


async def _vkey(visit: Visit) -> str:
    try:
        return await visit.console.checkpoints.vkey()
    except (Unavailable, CheckpointError):  # the page says so beside the checkpoint
        return ""


def _url(visit: Visit, reading: Reading) -> str:
    """Where outsiders read the log of the checkpoint: its origin ends with the same kind and period."""
    if reading.latest is None:
        return visit.console.log_url
    return "/".join((visit.console.log_url, *reading.latest.origin.split("/")[-2:]))


def _commands(log_url: str, vkey: str) -> str:
    key = f" --vkey '{vkey}'" if vkey else ""
    return f"candor verify --log-url {log_url}{key}\ncandor verify EVIDENCE.json --log-url {log_url}{key}"
