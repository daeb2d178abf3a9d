"""The logs in a real S3 server's bucket: the same promises as in a folder, and a server that goes away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from candor_generation.domain.tiles import Tile
from candor_generation.files import LogStore, StoreAwayError
from candor_generation.files.bucket import BucketStore, open_store
from candor_kit.stop import Stop
from deployment import Deployment
from log_store_cases import LogStoreCases, checkpoint
from s3 import BUCKET, S3Server

from .backend import Backend
from .writers import InBucket, writers


class TestBucket(LogStoreCases):
    @pytest.fixture
    def store(self, s3_server: S3Server) -> LogStore:
        return BucketStore(s3_server.bucket(uuid4().hex))


def test_a_bucket_is_laid_out_as_the_log_is_served(s3_server: S3Server) -> None:
    files = BucketStore(s3_server.bucket("laid-out")).of("generation", "2026h2")
    files.write([(Tile(0, 1234067, 3), b"abc")])
    files.publish(checkpoint(3))
    served = s3_server.objects / "laid-out/generation/2026h2"
    assert (served / "tile/0/x001/x234/067.p/3").read_bytes() == b"abc"
    assert (served / "checkpoint").read_text(encoding="utf-8") == checkpoint(3)


@pytest.mark.parametrize(
    "wrong",
    [{"AWS_SECRET_ACCESS_KEY": "another"}, {"AWS_ACCESS_KEY_ID": "nobody"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}],
)
def test_a_store_that_does_not_let_us_in_is_waited_for(s3_server: S3Server, wrong: dict[str, str]) -> None:
    store = open_store(f"s3://{BUCKET}/mine", s3_server.environment | wrong)
    with pytest.raises(StoreAwayError):
        store.check()
    with pytest.raises(StoreAwayError):
        store.of("generation", "2026h2").write([(Tile(0, 0), b"abc")])


def test_a_bucket_that_is_not_there_is_waited_for(s3_server: S3Server) -> None:
    with pytest.raises(StoreAwayError, match="NoSuchBucket"):
        open_store("s3://another-bucket", s3_server.environment).check()


async def test_the_writer_waits_for_a_server_that_is_away_and_goes_on(
    s3_server: S3Server, deployment: Deployment, tmp_path: Path
) -> None:
    name = f"log_{uuid4().hex[:12]}"
    place = InBucket(s3_server.bucket(name), s3_server.objects / name)
    url = deployment.runner.stack.create_database(name)
    async with writers(url, tmp_path, place) as log:
        await log.accept(3)
        assert await log.work_until_done(log.sequencer())
        stop = Stop()
        working = asyncio.create_task(log.sequencer().run(stop))
        try:
            s3_server.stop()
            await log.accept(9)
            with pytest.raises(StoreAwayError):
                await asyncio.to_thread(log.files.checkpoint)
            await asyncio.wait([working], timeout=3)
            assert not working.done()
        finally:
            s3_server.start()
        async with asyncio.timeout(60):
            while not await log.is_done():  # noqa: ASYNC110 - rows have no event to await
                await asyncio.sleep(0.02)
        stop.set()
        await working
        await log.check()
        assert log.published().size == 12


@pytest.mark.clause("C2SP tlog-tiles")
async def test_a_log_that_moves_into_a_bucket_is_served_whole_from_there_and_moves_back(
    s3_server: S3Server, backend: Backend
) -> None:
    runner, prefix = backend.deployment.runner, uuid4().hex
    before = await backend.record()
    await backend.recorded(before)
    log_path = backend.log_url.partition("/log/")[2]
    extra = {**s3_server.environment, "CANDOR_LOG_STORE": f"s3://{BUCKET}/{prefix}"}
    await asyncio.to_thread(runner.restart_service, "generation", extra)
    try:
        meanwhile = await backend.record()
        await backend.recorded(meanwhile)
        vkey = await backend.vkey()
        for command_id in (before, meanwhile):
            evidence = backend.lay(await backend.evidence(command_id))
            ran = await backend.verify(evidence, "--vkey", vkey, "--log-url", backend.log_url)
            assert ran.code == 0, ran.output
        status, headers, served = await backend.fetch("checkpoint")
        assert (status, "last-modified" in headers) == (200, True)
        assert (s3_server.objects / prefix / log_path / "checkpoint").read_bytes() == served
        s3_server.stop()
        try:
            assert (await backend.fetch("checkpoint"))[0] == 503
            assert (await backend.fetch("tile/0/000.p/1"))[0] == 503
        finally:
            s3_server.start()
        assert (await backend.fetch("checkpoint"))[0] == 200
    finally:
        await asyncio.to_thread(runner.restart_service, "generation")
    after = await backend.record()
    await backend.recorded(after)
    ran = await backend.verify("--log-url", backend.log_url, "--vkey", vkey)
    assert ran.code == 0, ran.output
