"""A witness as C2SP tlog-witness describes it, served over HTTP, with its state in a file; and servers that are none.

Source: C2SP tlog-witness; C2SP tlog-cosignature
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from candor_generation import durable, signing
from candor_generation.domain import cosignature, merkle, note
from candor_generation.domain.note import COSIGNATURE, Checkpoint, Vkey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OLD = re.compile(r"old (0|[1-9][0-9]*)")
_MAX_BODY = 64 * 1024
_PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes = b""
    content_type: str = _PLAIN
    headers: Mapping[str, str] = field(default_factory=dict)


class _Answered(Exception):
    def __init__(self, status: int, content: bytes = b"", content_type: str = _PLAIN) -> None:
        super().__init__(status)
        self.reply = Reply(status, content, content_type)


class Witness:
    """Cosigns what continues what it cosigned before.

    `second_root` is what it answers to another root of a size it has cosigned: the protocol's versions differ.
    """

    def __init__(
        self, name: str, seed: bytes, logs: Sequence[Vkey], state: Path, *, second_root: int = 422, clock: int = 0
    ) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = Vkey(name, self._key.public_key().public_bytes_raw(), COSIGNATURE)
        self._logs = list(logs)
        self._state = state
        self._second_root = second_root
        self._clock = clock
        self.asked: list[int] = []

    def latest(self, origin: str) -> Checkpoint | None:
        if not self._state.exists():
            return None
        signed = json.loads(self._state.read_text(encoding="utf-8")).get(origin)
        return note.parse_checkpoint(note.parse_note(signed).text) if signed else None

    def add_checkpoint(self, body: bytes) -> Reply:
        try:
            return Reply(200, self._cosign(body))
        except _Answered as answered:
            return answered.reply

    def _cosign(self, body: bytes) -> bytes:
        old, proof, signed = self._parse(body)
        checkpoint = self._check_log(signed)
        self.asked.append(old)
        if old > checkpoint.size:
            raise _Answered(400)
        latest = self.latest(checkpoint.origin) or Checkpoint(checkpoint.origin, 0, merkle.EMPTY_ROOT)
        if old != latest.size:
            raise _Answered(409, f"{latest.size}\n".encode(), "text/x.tlog.size")
        self._check_grown(latest, checkpoint, proof)
        line = self.line(signed.text)
        self._persist(checkpoint.origin, f"{signed.signed}{line}")
        return line.encode()

    def line(self, text: str) -> str:
        """The cosignature line on a checkpoint's text, whatever it says."""
        stamp = self._clock or int(time.time())
        signature = self._key.sign(cosignature.signed_message(text, stamp))
        return cosignature.line_of(self.vkey, stamp, signature).line

    def _parse(self, body: bytes) -> tuple[int, list[bytes], note.Note]:
        try:
            head, blank, signed = body.decode().partition("\n\n")
            first, *hashes = head.split("\n")
            old = _OLD.fullmatch(first)
            proof = [note.from_base64(line) for line in hashes]
            parsed = note.parse_note(signed)
        except ValueError as error:
            raise _Answered(400) from error
        if old is None or not blank or len(proof) > 63:
            raise _Answered(400)
        return int(old[1]), proof, parsed

    def _check_log(self, signed: note.Note) -> Checkpoint:
        try:
            checkpoint = note.parse_checkpoint(signed.text)
        except note.NoteError as error:
            raise _Answered(400) from error
        keys = [key for key in self._logs if key.name == checkpoint.origin]
        if not keys:
            raise _Answered(404)
        for key in keys:
            with contextlib.suppress(note.NoteError):
                note.verify(signed, key, signing.holds)
                return checkpoint
        raise _Answered(403)

    def _check_grown(self, latest: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
        if latest.size == checkpoint.size and latest.root != checkpoint.root:
            if self._second_root == 409:
                raise _Answered(409, f"{latest.size}\n".encode(), "text/x.tlog.size")
            raise _Answered(self._second_root)
        if latest.size == 0:
            if proof:
                raise _Answered(422)
            return
        try:
            merkle.verify_consistency(latest.size, checkpoint.size, latest.root, checkpoint.root, proof)
        except merkle.ProofError as error:
            raise _Answered(422) from error

    def _persist(self, origin: str, signed: str) -> None:
        known = json.loads(self._state.read_text(encoding="utf-8")) if self._state.exists() else {}
        durable.write(self._state, json.dumps({**known, origin: signed}).encode())

    async def handle(self, method: str, path: str, body: bytes) -> Reply:
        # Checking the size and keeping the checkpoint are one step: nothing is awaited between them.
        if method == "POST" and path == "/add-checkpoint":
            return self.add_checkpoint(body)
        known = json.loads(self._state.read_text(encoding="utf-8")) if self._state.exists() else {}
        for origin, signed in known.items():
            if method == "GET" and path == f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint":
                return Reply(200, signed.encode())
        return Reply(404)


Handle = Callable[[str, str, bytes], Awaitable[Reply]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def served(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve HTTP on a port of its own; give the URL."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await _exchange(handle, reader, writer)

    async with listening(connection, tls) as url:
        yield url


@contextlib.asynccontextmanager
async def listening(connection: Raw, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Let a function talk to whoever connects; give the URL. Connections end with the block."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await connection(reader, writer)
        except (asyncio.CancelledError, ConnectionError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _exchange(handle: Handle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split(" ", 2)
    length = re.search(r"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    body = await reader.readexactly(min(int(length[1]) if length else 0, _MAX_BODY))
    reply = await handle(method, path, body)
    headers = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.content)), **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} -\r\n{lines}\r\n".encode("latin-1") + reply.content)
    await writer.drain()
