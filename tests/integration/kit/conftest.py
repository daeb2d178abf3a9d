"""A toy service per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from candor_stack import LocalStack
from toy import Toy, toy


@pytest.fixture
async def idle(bare_stack: LocalStack, tmp_path: Path) -> AsyncIterator[Toy]:
    """A toy that is not started."""
    async with toy(bare_stack, tmp_path) as made:
        yield made


@pytest.fixture
async def running(idle: Toy) -> Toy:
    """A toy that is ready."""
    await idle.start()
    return idle
