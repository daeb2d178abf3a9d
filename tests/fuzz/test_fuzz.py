"""What was once found is never let through again, and a short search in every parser finds nothing new.

Twenty seconds are given to each family of parsers; `make fuzz` gives ten minutes to each parser.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from .run import fuzz
from .target import CORPUS
from .targets import FAMILIES, TARGETS

_SECONDS = 20
_KEPT = [(path.parent.name, path.name) for path in sorted(CORPUS.glob("*/*"))]


@pytest.mark.parametrize("name", TARGETS)
def test_what_others_made_is_taken(name: str) -> None:
    target = TARGETS[name]
    for seed in target.seeds():
        target.check(seed)
        assert target.reshape is None or target.reshape(seed) == seed


@pytest.mark.parametrize(("name", "kept"), _KEPT)
def test_what_was_once_let_through_is_refused_or_understood(name: str, kept: str) -> None:
    TARGETS[name].check((CORPUS / name / kept).read_bytes())


async def test_twenty_seconds_in_every_family_find_nothing(tmp_path: Path) -> None:
    turns = asyncio.Semaphore(os.cpu_count() or 1)

    async def search(family: str) -> None:
        names = [target.name for target in TARGETS.values() if target.family == family]
        async with turns:
            ran = await asyncio.to_thread(fuzz, names, _SECONDS, tmp_path, seed=1)
        assert not ran.found, f"{ran.line}\n{ran.output[-3000:]}"
        assert ran.runs > len(names), ran.output[-3000:]

    async with asyncio.TaskGroup() as group:
        for family in FAMILIES:
            group.create_task(search(family))
