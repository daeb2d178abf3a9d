"""Programs and files that others made for the same protocols, from the Go module proxy: torchwood's and Tessera's."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from candor_generation.domain import merkle, note
from candor_generation.domain.note import Vkey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

TORCHWOOD = "v0.9.0"
TESSERA = "v1.0.4"
VERSITYGW = "v1.8.0"
# As go.sum has it: the hash of the module's files, which `go` checks against the checksum database too.
_TESSERA_SUM = "h1:IXjGowubcLR0T3zUQrysSMKgtTh9KGKQ0iajUiubyP4="
_SOURCE = Path(__file__).with_name("peers")
_IDENTITIES, _IDENTITIES_ANSWER, _SIGN, _SIGN_ANSWER = 11, 12, 13, 14


class NoGoError(RuntimeError):
    """There is no Go, or a peer could not be built; the message says what is missing."""


def litewitness(cache: Path) -> Path:
    """torchwood's witness server."""
    target = cache / f"torchwood-{TORCHWOOD}" / "litewitness"
    if not target.exists():
        _go(["install", f"filippo.io/torchwood/cmd/litewitness@{TORCHWOOD}"], target.parent, cache)
    return target


def proof_reader(cache: Path) -> Path:
    """A program that verifies a tlog-proof as torchwood does: `peers POLICY ENTRY PROOF`."""
    sources = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))).hexdigest()[:16]
    target = cache / f"peers-{sources}" / "peers"
    if not target.exists():
        _go(["build", "-o", str(target), "."], target.parent, _SOURCE)
    return target


def fsck(cache: Path) -> Path:
    """Tessera's checker of tlog-tiles logs. It exits with 0 even when it fails: its words tell."""
    target = cache / f"tessera-{TESSERA}" / "fsck"
    if not target.exists():
        _go(["install", f"github.com/transparency-dev/tessera/cmd/fsck@{TESSERA}"], target.parent, cache)
    return target


def versitygw(cache: Path) -> Path:
    """Versity's S3 gateway, a server of the S3 protocol that honours conditions on writes."""
    target = cache / f"versitygw-{VERSITYGW}" / "versitygw"
    if not target.exists():
        # Unoptimised, it is built in two thirds of the time, and fast enough.
        quickly = ["-gcflags=all=-N -l", "-ldflags=-s -w"]
        _go(["install", *quickly, f"github.com/versity/versitygw/cmd/versitygw@{VERSITYGW}"], target.parent, cache)
    return target


def tessera_log(cache: Path) -> dict[str, bytes]:
    """The golden log of Tessera's own tests, by path, out of the module's archive, which has the hash pinned here."""
    module = f"github.com/transparency-dev/tessera@{TESSERA}"
    told = json.loads(_go(["mod", "download", "-json", module], cache, cache))
    with zipfile.ZipFile(told["Zip"]) as packed:
        found = module_sum({name: packed.read(name) for name in packed.namelist()})
        if found != _TESSERA_SUM:
            raise NoGoError(f"the module proxy gave tessera {TESSERA} as {found}, which is not {_TESSERA_SUM}")
        start = f"{module}/testdata/log/"
        return {name.removeprefix(start): packed.read(name) for name in packed.namelist() if name.startswith(start)}


def module_sum(files: Mapping[str, bytes]) -> str:
    """The hash that go.sum has of a module (golang.org/x/mod/sumdb/dirhash, Hash1)."""
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return f"h1:{base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()}"


def _go(arguments: Sequence[str], bin_folder: Path, work: Path) -> bytes:
    go = shutil.which("go") or "/usr/local/go/bin/go"
    work.mkdir(parents=True, exist_ok=True)
    bin_folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOBIN": str(bin_folder), "GOFLAGS": "-buildvcs=false"}
    try:
        done = subprocess.run(
            [go, *arguments], cwd=work, env=environment, capture_output=True, timeout=900, check=False
        )
    except OSError as error:
        raise NoGoError("these tests need Go 1.24 or newer: install it from go.dev/dl or your system") from error
    if done.returncode:
        raise NoGoError(f"go {' '.join(arguments)}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


@contextlib.asynccontextmanager
async def running_litewitness(program: Path, folder: Path, name: str, log: Vkey) -> AsyncIterator[tuple[str, Vkey]]:
    """A litewitness that knows one log; gives its URL and its key."""
    key = Ed25519PrivateKey.generate()
    vkey = Vkey(name, key.public_key().public_bytes_raw(), note.COSIGNATURE)
    address = f"127.0.0.1:{_free_port()}"
    async with _agent(folder / "agent.sock", key):
        process = await asyncio.create_subprocess_exec(
            program,
            *("-db", str(folder / "witness.db"), "-name", name, "-listen", address),
            *("-ssh-agent", str(folder / "agent.sock"), "-key", hashlib.sha256(vkey.public_key).hexdigest()),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _listens(address)
            _introduce(folder / "witness.db", log)
            yield f"http://{address}", vkey
        finally:
            process.terminate()
            await process.wait()


def _introduce(database: Path, log: Vkey) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        empty = note.to_base64(merkle.EMPTY_ROOT)
        connection.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (log.name, empty))
        connection.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (log.name, log.text))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def _listens(address: str) -> None:
    host, port = address.split(":")
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except ConnectionError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


@contextlib.asynccontextmanager
async def _agent(path: Path, key: Ed25519PrivateKey) -> AsyncIterator[None]:
    """An ssh-agent with one key, as far as a witness asks it (draft-ietf-sshm-ssh-agent)."""
    blob = _string(b"ssh-ed25519") + _string(key.public_key().public_bytes_raw())

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                message = await reader.readexactly(length)
                writer.write(_string(_agent_answer(message, key, blob)))
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(talk, path)
    try:
        yield
    finally:
        server.close()


def _agent_answer(message: bytes, key: Ed25519PrivateKey, blob: bytes) -> bytes:
    if message[0] == _IDENTITIES:
        return bytes([_IDENTITIES_ANSWER]) + struct.pack(">I", 1) + _string(blob) + _string(b"witness")
    if message[0] != _SIGN:
        return b"\x05"
    (skipped,) = struct.unpack_from(">I", message, 1)
    (length,) = struct.unpack_from(">I", message, 5 + skipped)
    data = message[9 + skipped : 9 + skipped + length]
    return bytes([_SIGN_ANSWER]) + _string(_string(b"ssh-ed25519") + _string(key.sign(data)))


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content
