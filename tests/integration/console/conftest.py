"""A real Chromium on the console of the deployment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from deployment import Deployment
from playwright.async_api import Browser, async_playwright

from .chain import PROFILE, chain
from .chromium import FLAGS, executable
from .desk import Desk


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser process for all tests; each page gets a context of its own."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        yield running
        await running.close()


# What other tests have left running: the page that on-call opens is to show what these tests start.
_QUIET = (
    "UPDATE milestone SET state = 'cancelled' WHERE state = 'pending' RETURNING clock_id",
    "UPDATE clock SET state = 'not_reported', stopped_at = now() WHERE state = 'running' RETURNING clock_id",
)


@pytest.fixture(scope="package", autouse=True)
async def one_law(deployment: Deployment) -> AsyncIterator[None]:
    """The escalation service of a company to which one law applies, however often it is started here."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CANDOR_PROFILE", json.dumps(PROFILE))
        await asyncio.to_thread(deployment.runner.restart_service, "escalation")
        yield
    await asyncio.to_thread(deployment.runner.restart_service, "escalation")


@pytest.fixture
async def desk(deployment: Deployment, browser: Browser) -> AsyncIterator[Desk]:
    """The console in the browser; what the browser complains about fails the test."""
    desk = Desk(deployment, browser)
    yield desk
    for context in browser.contexts:
        await context.close()
    assert desk.complaints == []


@pytest.fixture(scope="module")
def posted() -> list[dict[str, Any]]:
    """The pages that went out, as the receiver of the webhook got them."""
    return []


@pytest.fixture(scope="module")
async def paged(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, posted: list[dict[str, Any]]
) -> AsyncIterator[dict[str, str]]:
    """The escalation service pages somebody; its environment."""
    async with chain(tmp_path_factory.mktemp("oncall"), posted) as environment:
        for query in _QUIET:
            await deployment.rows("escalation", query)
        await asyncio.to_thread(deployment.runner.restart_service, "escalation", environment)
        yield environment
        await asyncio.to_thread(deployment.runner.restart_service, "escalation")
