"""Rights as a process of its own, with played holders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from .played import SERVICES, PlayedHolder, Rights, rights_alone, serving

REQUEST_PACKS = ("cn/gbt-35273-requests.yaml", "eu/gdpr-requests.yaml", "us/ccpa-requests.yaml")


@pytest.fixture(scope="session")
async def alone(stack_folder: Path, jar_cache: Path, backing_kind: str) -> AsyncIterator[Rights]:
    assert backing_kind
    folder = stack_folder / "rights-alone"
    packs = folder / "packs"
    packs.mkdir(parents=True)
    folder.chmod(0o755)
    for name in REQUEST_PACKS:
        source = Path(__file__).parents[3] / "packs" / name
        (packs / source.name).write_bytes(source.read_bytes())
    async with AsyncExitStack() as stack:
        holders = [await stack.enter_async_context(serving(PlayedHolder())) for _ in SERVICES]
        yield await stack.enter_async_context(rights_alone(folder, jar_cache, packs, holders))


@pytest.fixture
async def rights(alone: Rights) -> Rights:
    """Every test finds the holders as they were."""
    for holder in alone.holders.values():
        holder.away, holder.gate = False, None
        holder.reached.clear()
    return alone
