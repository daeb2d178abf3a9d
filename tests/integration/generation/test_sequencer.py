"""The log's writer dies at every single step, loses its lock, finds its files gone: the log stays one history."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from candor_generation.files import LogBrokenError
from candor_kit.stop import Stop
from deployment import Deployment

from .writers import Died, Life, Writers, writers

_STEPS = 60


@pytest.fixture
async def log(deployment: Deployment, tmp_path: Path) -> AsyncIterator[Writers]:
    """A log of this test's own on the deployment's PostgreSQL."""
    url = deployment.runner.stack.create_database(f"log_{uuid4().hex[:12]}")
    async with writers(url, tmp_path) as made:
        yield made


async def test_dying_at_any_step_leaves_what_the_next_start_needs(log: Writers) -> None:
    died = 0
    await log.work_until_done(log.sequencer())
    for steps in range(_STEPS):
        await log.accept(7)
        life = Life(steps)
        survived = await log.work_until_done(log.sequencer(life), life=life)
        died += not survived
        await log.check()
        if survived:
            break
    assert 30 < died < _STEPS
    assert await log.work_until_done(log.sequencer())
    await log.check()
    assert await log.rows("SELECT 1 AS one FROM addition WHERE first_index IS NULL") == []


async def test_the_very_first_start_may_die_too(log: Writers) -> None:
    await log.accept(3)
    for steps in range(8):
        with pytest.raises(Died):
            await log.sequencer(Life(steps)).run(Stop())
    assert await log.work_until_done(log.sequencer())
    await log.check()


async def test_rivals_write_one_history_and_the_next_goes_on_when_the_lock_is_lost(log: Writers) -> None:
    async def disturb() -> None:
        for _ in range(4):
            await asyncio.gather(*(log.accept(10) for _ in range(3)))
            await log.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

    disturbing = asyncio.create_task(disturb())
    await log.accept(1)
    assert await log.work_until_done(log.sequencer(), log.sequencer(), log.sequencer(), seconds=60)
    await disturbing
    assert await log.work_until_done(log.sequencer(), log.sequencer())
    await log.check()
    (row,) = await log.rows("SELECT epoch FROM sequencer")
    assert row["epoch"] >= 3


async def test_files_that_are_gone_are_laid_again_from_the_rows(log: Writers) -> None:
    for _ in range(3):
        await log.accept(4)
        assert await log.work_until_done(log.sequencer())
    kept = {path: path.read_bytes() for path in log.log_folder.rglob("*") if path.is_file()}
    shutil.rmtree(log.folder / "log")
    await log.accept(1)
    assert await log.work_until_done(log.sequencer())
    await log.check()
    assert all(path.read_bytes() == content for path, content in kept.items() if path.name != "checkpoint")


async def test_a_published_checkpoint_that_the_database_does_not_know_stops_the_log(log: Writers) -> None:
    await log.accept(3)
    assert await log.work_until_done(log.sequencer())
    # As after restoring the database from a backup that is older than the log's files.
    await log.rows("DELETE FROM tree WHERE size > 0 RETURNING size")
    with pytest.raises(LogBrokenError, match="older backup"):
        await log.sequencer().run(Stop())


async def test_a_tile_that_was_changed_stops_the_log(log: Writers) -> None:
    await log.accept(3)
    assert await log.work_until_done(log.sequencer())
    tile = log.log_folder / "tile" / "0" / "000.p" / "3"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    with pytest.raises(LogBrokenError, match="root"):
        await log.sequencer().run(Stop())
