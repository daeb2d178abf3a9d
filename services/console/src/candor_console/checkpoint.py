"""The generation log's latest checkpoint, read as any outsider reads it: over HTTP, by C2SP tlog-tiles."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
from candor_kit.errors import Unavailable

MOST_BYTES = 64 * 1024
ROOT_BYTES = 32  # SHA-256
TIMEOUT_SECONDS = 4.0
_KIND = "generation"


class CheckpointError(ValueError):
    """The log's answer is no checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head (C2SP tlog-checkpoint) as text, with its first three lines read.

    `root` is the RFC 6962 tree head, 32 bytes; `published_at` is when the log says it changed, if it says so.
    """

    text: str
    origin: str
    size: int
    root: bytes
    published_at: datetime | None


def parse(text: str, published_at: datetime | None = None) -> Checkpoint:
    """Read the origin, size and root. The signature is for `candor verify` to check. Raises CheckpointError."""
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as error:
        raise CheckpointError("the first three lines are not origin, size and root") from error
    if not origin or size < 0 or len(root) != ROOT_BYTES:
        raise CheckpointError("origin, size or root is not in its form")
    return Checkpoint(text, origin, size, root, published_at)


class CheckpointReader:
    """Reads the generation log of the present period; the list of logs at the URL prefix says which that is."""

    def __init__(self, client: httpx.AsyncClient, log_url: str) -> None:
        self._client = client
        self._log_url = log_url

    async def latest(self) -> Checkpoint | None:
        """The latest checkpoint, or None while the log has published none.

        Raises Unavailable("generation") when the log does not answer, CheckpointError when it answers something else.
        """
        path = await self._present()
        if path is None:
            return None
        answer = await self._get(f"{path}/checkpoint")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return parse(_text(answer), _modified(answer.headers.get("last-modified", "")))

    async def vkey(self) -> str:
        """The key that the log says it signs with (signed-note vkey). Raises Unavailable or CheckpointError."""
        path = await self._present()
        if path is None:
            raise CheckpointError("there is no log of the present period")
        return _text(await self._get(f"{path}/vkey")).strip()

    async def _present(self) -> str | None:
        """The path, below the prefix, of the generation log that takes what is recorded now."""
        try:
            listed = json.loads(_text(await self._get("")))["logs"]
            found = [f"/{log['kind']}/{log['period']}" for log in listed if log["kind"] == _KIND and log["is_present"]]
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError("the list of logs is not in its form") from error
        return found[0] if found else None

    async def _get(self, path: str) -> httpx.Response:
        try:
            return await self._client.get(f"{self._log_url}{path}", timeout=TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise Unavailable("generation") from error


def _text(answer: httpx.Response) -> str:
    if answer.status_code != httpx.codes.OK:
        raise Unavailable("generation")
    if len(answer.content) > MOST_BYTES:
        raise CheckpointError("longer than any checkpoint")
    return answer.content.decode("utf-8", "replace")


def _modified(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except ValueError:
        return None
