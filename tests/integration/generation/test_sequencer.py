"""The log's writer dies at every single step, loses its lock, finds its files gone: the log stays one history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from candor_generation.domain import merkle
from candor_generation.domain.tiles import TileReader
from candor_generation.files import LogBrokenError
from candor_kit.stop import Stop
from deployment import Deployment
from s3 import S3Server

from .writers import Died, InBucket, InFolder, Life, PausedWriter, Writers, writers

_STEPS = 90


@pytest.fixture(params=["folder", "bucket"])
async def log(request: pytest.FixtureRequest, deployment: Deployment, tmp_path: Path) -> AsyncIterator[Writers]:
    """A log of this test's own on the deployment's PostgreSQL, its files in a folder and in a bucket."""
    name = f"log_{uuid4().hex[:12]}"
    url = deployment.runner.stack.create_database(name)
    if request.param == "folder":
        place: InFolder | InBucket = InFolder(tmp_path / "log")
    else:
        server: S3Server = request.getfixturevalue("s3_server")
        place = InBucket(server.bucket(name), server.objects / name)
    async with writers(url, tmp_path, place) as made:
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


async def test_a_paused_writer_that_wakes_up_after_its_lock_and_its_epoch_are_gone_publishes_nothing(
    log: Writers,
) -> None:
    await log.accept(3)
    assert await log.work_until_done(log.sequencer())
    paused, stop = PausedWriter(log.place.store(Life())), Stop()
    await log.accept(2)
    sleeper = asyncio.create_task(log.sequencer(store=paused).run(stop))
    assert await asyncio.to_thread(paused.paused.wait, 30)
    await log.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await log.accept(4)
    assert await log.work_until_done(log.sequencer())
    published = log.published()
    assert published.size == 9
    paused.go_on.set()
    assert await asyncio.to_thread(paused.refused.wait, 30)
    assert log.published() == published
    await log.accept(1)
    while not await log.is_done():  # noqa: ASYNC110 - rows have no event to await
        await asyncio.sleep(0.02)
    stop.set()
    await sleeper
    await log.check()


async def test_files_that_are_gone_are_laid_again_from_the_rows(log: Writers) -> None:
    for _ in range(3):
        await log.accept(4)
        assert await log.work_until_done(log.sequencer())
    kept = {path: path.read_bytes() for path in log.log_folder.rglob("*") if path.is_file()}
    log.files.drop()
    assert not [path for path in log.log_folder.rglob("*") if path.is_file()]
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


class Reluctant:
    """Witnesses that are away for the first few times they are asked; the policy holds checkpoints back for them."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def cosign(self, checkpoint: str, reader: TileReader) -> str | None:
        assert reader.root(0) == merkle.EMPTY_ROOT
        self.left -= 1
        return None if self.left >= 0 else checkpoint


async def test_a_checkpoint_that_was_held_back_is_published_once_its_witnesses_are_back(log: Writers) -> None:
    await log.accept(3)
    witnesses = Reluctant(3)
    # Nothing more is accepted meanwhile, so nothing but the held checkpoint itself can be asked about again.
    assert await log.work_until_done(log.sequencer(witnesses=witnesses))
    assert witnesses.left == -1
    assert log.published().size == 3
    await log.check()
