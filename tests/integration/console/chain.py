"""An on-call chain of one person whose channel takes every page: a stand-in for a webhook's receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# A company to which one law applies, so that a leak is a clock or two and not thirty.
PROFILE = {
    "jurisdictions": ["EU"],
    "controller_name": "Example Ltd",
    "nis2_class": "none",
    "dora_entity": False,
    "cra_manufacturer": False,
    "dsa_role": "none",
    "gpai_systemic": False,
    "gpai_code_signatory": False,
    "ai_role": "none",
}


@asynccontextmanager
async def chain(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The environment in which the escalation service pages this person."""

    async def take(request: Request) -> Response:
        await request.body()
        return JSONResponse({"id": "1"})

    app = Starlette(routes=[Route("/page", take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/page"
    file = folder / "oncall.yaml"
    contact = {"name": "duty-officer", "webhook": address, "ack_timeout_seconds": 3600}
    file.write_text(json.dumps({"contacts": [contact]}), "utf-8")  # JSON is YAML
    ticking = asyncio.create_task(server.main_loop())
    yield {"CANDOR_ONCALL_FILE": str(file), "CANDOR_PROFILE": json.dumps(PROFILE)}
    server.should_exit = True
    await ticking
    await server.shutdown()
