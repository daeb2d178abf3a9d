"""What somebody outside does with a log: serves a copy of it, changes a byte, has Tessera check it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_HOLDS = re.compile(r"Successfully fsck'd log with size ([0-9]+) and root ([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class Found:
    """What fsck said of a log: its size and root where it holds, and the last line."""

    size: int | None
    root: str | None
    last: str


async def check(program: Path, vkey: Path, url: str) -> Found:
    """Let Tessera's fsck go through a log. It exits with 0 whatever it finds, so its words are read."""
    arguments = ("-storage_url", f"{url}/", "-public_key", str(vkey), "-ui=false", "-N=4")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    lines = output.decode(errors="replace").strip().splitlines()
    holds = _HOLDS.search("\n".join(lines))
    if holds is None or any("fsck failed" in line for line in lines):
        return Found(None, None, lines[-1] if lines else "")
    return Found(int(holds[1]), holds[2], lines[-1])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as it is, with nothing of ours in between; give the URL."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def flipped(path: Path, place: int) -> Iterator[None]:
    """A file with one bit of one byte changed, for as long as the block lasts."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[place % len(whole)] ^= 1
    path.write_bytes(bytes(changed))
    try:
        yield
    finally:
        path.write_bytes(whole)
