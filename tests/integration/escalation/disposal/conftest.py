"""The escalation service with a stand-in of the DSA Transparency Database, and backends that are soon overdue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from deployment import Deployment

from .disposal_desk import DisposalDesk
from .dsa_database import TOKEN, DsaDatabase
from .notice_desk import NoticeDesk

PLATFORM = {"jurisdictions": ["CN", "EU", "US"], "dsa_role": "platform", "covered_platform": True, "public_genai": True}


@pytest.fixture(scope="package")
async def dsa() -> AsyncIterator[DsaDatabase]:
    database = DsaDatabase()
    server = uvicorn.Server(uvicorn.Config(database.app(), port=0, log_config=None, lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    database.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    ticking = asyncio.create_task(server.main_loop())
    yield database
    server.should_exit = True
    await ticking
    await server.shutdown()


@pytest.fixture(scope="package")
def disposal_environment(
    oncall_environment: dict[str, str], dsa: DsaDatabase, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    token: Path = tmp_path_factory.mktemp("dsa") / "token"
    token.write_text(f"{TOKEN}\n", "utf-8")
    return {
        **oncall_environment,
        "CANDOR_PROFILE": json.dumps(json.loads(oncall_environment["CANDOR_PROFILE"]) | PLATFORM),
        "CANDOR_DISPOSAL_ASK_SECONDS": "1",
        "CANDOR_DISPOSAL_ANSWER_MINUTES": "0.05",
        "CANDOR_DSA_URL": dsa.address,
        "CANDOR_DSA_TOKEN_FILE": str(token),
        "CANDOR_DSA_TIMEOUT_SECONDS": "5",
    }


@pytest.fixture(scope="package")
async def escalation(
    deployment: Deployment, oncall_environment: dict[str, str], disposal_environment: dict[str, str]
) -> AsyncIterator[Deployment]:
    deployment.runner.restart_service("escalation", disposal_environment)
    yield deployment
    deployment.runner.restart_service("escalation", oncall_environment)


@pytest.fixture
def notices(escalation: Deployment) -> NoticeDesk:
    return NoticeDesk(escalation)


@pytest.fixture
def desk(escalation: Deployment) -> DisposalDesk:
    return DisposalDesk(escalation)
