"""The phone of on-call: a webhook that takes pages and opens the acknowledge link, as a person would."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from candor_kit.http import QuietServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_ACK_SECONDS = 60


class PhoneOfOnCall:
    """Takes pages on a free loopback port. The first contact never answers, the second does."""

    def __init__(self) -> None:
        self.pages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    @classmethod
    async def start(cls, folder: Path) -> PhoneOfOnCall:
        """Start listening, and write the on-call chain that names it for the escalation service."""
        phone = cls()
        app = Starlette(routes=[Route("/{contact}", phone.take, methods=["POST"])])
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
        phone._server = QuietServer(config)
        phone._task = asyncio.create_task(phone._server.serve())
        while not phone._server.started:
            await asyncio.wait([phone._task], timeout=0.02)
        phone.port = phone._server.servers[0].sockets[0].getsockname()[1]
        chain = folder / "oncall.yaml"
        chain.write_text(phone.chain(), encoding="utf-8")
        os.environ["CANDOR_ONCALL_FILE"] = str(chain)
        return phone

    def chain(self) -> str:
        """Return the on-call chain: who is paged in which order, and how long each has."""
        base = f"http://127.0.0.1:{self.port}"
        chain = (("chen", 2), ("mueller", _ACK_SECONDS))
        lines = [
            f"  - {{name: {name}, webhook: '{base}/{name}', ack_timeout_seconds: {seconds}}}" for name, seconds in chain
        ]
        return "\n".join(["contacts:", *lines, ""])

    async def take(self, request: Request) -> Response:
        """Take a page."""
        page = await request.json()
        page["contact"] = request.path_params["contact"]
        await self.pages.put(page)
        return JSONResponse({"id": f"phone-{self.pages.qsize()}"})

    async def acknowledge(self, link: str) -> int:
        """Open the link and confirm; return the status of the answer."""
        async with httpx.AsyncClient(timeout=10) as browser:
            shown = await browser.get(link)
            shown.raise_for_status()
            return (await browser.post(link)).status_code

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
