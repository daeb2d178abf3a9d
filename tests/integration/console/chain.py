"""An on-call chain of two people in turns whose channel takes every page: a stand-in for a webhook's receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SCHEDULE = "first-line"
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
async def chain(folder: Path, posted: list[dict[str, Any]]) -> AsyncIterator[dict[str, str]]:
    """The environment in which the escalation service pages these people; what is posted to them is kept."""

    async def take(request: Request) -> Response:
        posted.append(await request.json())
        return JSONResponse({"id": "1"})

    app = Starlette(routes=[Route("/page", take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/page"
    file = folder / "oncall.yaml"
    contacts = [
        {"name": name, "webhook": address, "ack_timeout_seconds": 3600} for name in ("duty-officer", "colleague")
    ]
    turns = {"people": ["duty-officer"], "zone": "UTC", "from": "2026-01-05", "at": "09:00", "every_days": 7}
    schedules = [{"name": SCHEDULE, "rotations": [turns]}]
    oncall = {"contacts": contacts, "schedules": schedules, "chain": [{"schedule": SCHEDULE}]}
    file.write_text(json.dumps(oncall), "utf-8")  # JSON is YAML
    ticking = asyncio.create_task(server.main_loop())
    yield {"CANDOR_ONCALL_FILE": str(file), "CANDOR_PROFILE": json.dumps(PROFILE)}
    server.should_exit = True
    await ticking
    await server.shutdown()
