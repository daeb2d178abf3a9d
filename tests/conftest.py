"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from backing import backing
from candor_stack import LocalStack
from candor_stack.home import cache_folder
from deployment import Deployment

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def stack_folder() -> Iterator[Path]:
    """A folder that every account may enter: PostgreSQL never runs as root."""
    with tempfile.TemporaryDirectory(prefix="candor-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def jar_cache() -> Path:
    """The jars fetched for this checkout, shared by every stack of the run."""
    return cache_folder(ROOT / ".candor")


@pytest.fixture(scope="session")
def backing_kind() -> Iterator[str]:
    """Choose the Kafka and the PostgreSQL under test; see `backing`."""
    with backing() as kind:
        yield kind


@pytest.fixture(scope="session")
async def deployment(backing_kind: str, stack_folder: Path, jar_cache: Path) -> AsyncIterator[Deployment]:
    """The whole system: five services and the console as processes on a real Kafka and a real PostgreSQL."""
    assert backing_kind
    async with Deployment(stack_folder / "deployment", jar_cache, ROOT / "packs") as running:
        yield running


@pytest.fixture(scope="session")
def bare_stack(stack_folder: Path, jar_cache: Path) -> Iterator[LocalStack]:
    """A Kafka and a PostgreSQL of our own, whatever the environment names: these are killed and started again."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
            environment.delenv(name, raising=False)
        stack = LocalStack(stack_folder / "bare", cache=jar_cache)
    with stack:
        yield stack


@pytest.fixture(scope="session")
def test_data() -> Path | None:
    """The folder of real data that CANDOR_TEST_DATA names, or None: then the tests use the sample."""
    named = os.environ.get("CANDOR_TEST_DATA")
    if not named:
        return None
    folder = Path(named)
    assert folder.is_dir(), f"CANDOR_TEST_DATA names {folder}, which is no folder"
    return folder
