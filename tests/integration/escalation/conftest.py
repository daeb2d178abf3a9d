"""The escalation service with an on-call chain of stand-in channels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from deployment import Deployment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .desk import Desk

ANSWER_SECONDS = 3
PROFILE = {
    "jurisdictions": ["CN", "EU"],
    "operator_class": "other",
    "handler_name": "示例公司",
    "provider_name": "示例公司",
    "controller_name": "Example Ltd",
    "nis2_class": "none",
    "dora_entity": False,
    "cra_manufacturer": False,
    "dsa_role": "none",
    "gpai_systemic": False,
    "gpai_code_signatory": False,
    "ai_role": "none",
}


@dataclass
class Channels:
    """Stand-ins for the channels of three people: what was posted to each, and what each answers."""

    address: str
    posted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: Request) -> Response:
        name = request.path_params["name"]
        async with self.changed:
            self.posted.setdefault(name, []).append(await request.json())
            self.keys.append(request.headers["Idempotency-Key"])
            self.changed.notify_all()
        status, body = self.answers.get(name, (200, json.dumps({"id": f"{name}-1"})))
        return Response(body, status)

    def about(self, incident_id: str, name: str) -> list[dict[str, Any]]:
        return [page for page in self.posted.get(name, []) if page["incident_id"] == incident_id]

    async def wait(self, incident_id: str, name: str, count: int = 1, seconds: float = 20) -> list[dict[str, Any]]:
        """The pages about an incident to a person, once there are that many."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: len(self.about(incident_id, name)) >= count)
        return self.about(incident_id, name)


@pytest.fixture(scope="session")
async def channels() -> AsyncIterator[Channels]:
    channels = Channels("")
    app = Starlette(routes=[Route("/{name}", channels.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    channels.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    ticking = asyncio.create_task(server.main_loop())
    yield channels
    server.should_exit = True
    await ticking
    await server.shutdown()


@pytest.fixture(scope="session")
def oncall_environment(channels: Channels, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    chain: Path = tmp_path_factory.mktemp("oncall") / "oncall.yaml"
    contacts = [
        {"name": name, "webhook": f"{channels.address}/{name}", "ack_timeout_seconds": ANSWER_SECONDS}
        for name in ("duty-officer", "team-lead", "director")
    ]
    chain.write_text(json.dumps({"contacts": contacts}), "utf-8")  # JSON is YAML
    return {
        "CANDOR_ONCALL_FILE": str(chain),
        "CANDOR_PROFILE": json.dumps(PROFILE),
        "CANDOR_OVERDUE_GRACE_SECONDS": "1",
        "CANDOR_PACKS_POLL_SECONDS": "0.3",
    }


@pytest.fixture(scope="session")
async def desk(deployment: Deployment, oncall_environment: dict[str, str]) -> AsyncIterator[Desk]:
    """Calls the escalation service as the people around an incident do."""
    deployment.runner.restart_service("escalation", oncall_environment)
    yield Desk(deployment)
    deployment.runner.restart_service("escalation")
