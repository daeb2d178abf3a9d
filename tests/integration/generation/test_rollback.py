"""Keys, files and databases that do not belong together: nothing is signed, what was published stays, and a person is
told what to do. And a disk that is full, which is only waited for.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest
from candor_generation.domain import note
from candor_generation.signing import Signer
from candor_stack.errors import StackError
from deployment import Deployment
from psycopg import sql

from .backend import Backend, until
from .full_disk import TOO_LARGE
from .writers import InFolder, Writers, writers

ROOT = Path(__file__).resolve().parents[3]
_SERVICE = "generation"


def log_files(backend: Backend) -> Path:
    return Path(backend.deployment.runner.folder, "services", _SERVICE, "log", "generation", backend.log_url[-6:])


async def said_on_refusing(deployment: Deployment, extra: dict[str, str]) -> tuple[int, str]:
    """Start the service with other settings and wait until it has ended; its exit code, and its last words."""
    try:
        await asyncio.to_thread(deployment.runner.start_service, _SERVICE, extra)
    except StackError:
        pass
    else:
        await asyncio.to_thread(deployment.runner.stop_service, _SERVICE)
        pytest.fail("it has started")
    child = deployment.runner._child(_SERVICE)
    assert child.wait(30)
    return child.returncode or 0, child.last_lines(5)


@asynccontextmanager
async def stopped(backend: Backend) -> AsyncIterator[str]:
    """The service is stopped, and afterwards started as it was; meanwhile the published checkpoint must not change."""
    runner = backend.deployment.runner
    await asyncio.to_thread(runner.stop_service, _SERVICE)
    published = (log_files(backend) / "checkpoint").read_text(encoding="utf-8")
    try:
        yield published
        assert (log_files(backend) / "checkpoint").read_text(encoding="utf-8") == published
    finally:
        await asyncio.to_thread(runner.start_service, _SERVICE)


async def still_works(backend: Backend) -> None:
    await backend.recorded(await backend.record())
    ran = await backend.verify("--log-url", backend.log_url, "--vkey", await backend.vkey())
    assert ran.code == 0, ran.output


@pytest.mark.clause("C2SP tlog-checkpoint")
async def test_a_database_that_was_rolled_back_is_refused_and_signs_nothing(backend: Backend) -> None:
    await backend.recorded(await backend.record())
    runner = backend.deployment.runner
    backup = f"backup_{uuid4().hex[:12]}"
    await asyncio.to_thread(runner.stop_service, _SERVICE)
    await copy_database(backend.deployment, backup)
    await asyncio.to_thread(runner.start_service, _SERVICE)
    await backend.recorded(await backend.record())
    url = backend.deployment.database_url(_SERVICE).replace("candor_generation", backup)
    async with stopped(backend):
        before = await signed(url)
        code, said = await said_on_refusing(backend.deployment, {"CANDOR_DATABASE_URL": url})
        assert await signed(url) == before
        assert code == 2
        assert "older backup? Restore one that knows it" in said
        # The newest rows alone are gone.
        async with without_newest_tree(backend.deployment.database_url(_SERVICE)):
            code, said = await said_on_refusing(backend.deployment, {})
        assert code == 2
        assert "older backup" in said
    await still_works(backend)


async def test_keys_and_files_of_another_log_are_refused_with_what_to_do(backend: Backend, tmp_path: Path) -> None:
    await backend.recorded(await backend.record())
    origin = note.parse_vkey(await backend.vkey()).name.removesuffix(f"/generation/{backend.log_url[-6:]}")
    key = tmp_path / "other.key"
    other = "candor.other/log"
    texts = {
        private_text(origin): "Put the key back that signed it (CANDOR_LOG_KEY_FILE",
        private_text(other): f"is the key of the log {other}, not of {origin}: a log's name stays for ever, so name it",
        "PRIVATE+KEY+no+key": "the logs' key or the label key: a key reads",
    }
    async with stopped(backend) as published:
        for text, told in texts.items():
            key.write_text(f"{text}\n", encoding="ascii")
            code, said = await said_on_refusing(backend.deployment, {"CANDOR_LOG_KEY_FILE": str(key)})
            assert code == 2
            assert told in said
            assert text not in said
        checkpoint = log_files(backend) / "checkpoint"
        name = f"{other}/generation/2026h2"
        checkpoint.write_text(Signer(name, bytes(32)).sign(note.Checkpoint(name, 3, bytes(32)).text), encoding="utf-8")
        foreign = checkpoint.read_bytes()
        code, said = await said_on_refusing(backend.deployment, {})
        assert code == 2
        assert "or name the files that belong to this key" in said
        assert checkpoint.read_bytes() == foreign
        checkpoint.write_text(published, encoding="utf-8")
    await still_works(backend)


def private_text(name: str) -> str:
    seed = bytes(range(32))
    return note.private_text(name, Signer(name, seed).vkey.public_key, seed)


async def signed(url: str) -> object:
    """How many trees were committed to, and the largest size of each log."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "SELECT log_id, count(*), max(size) FROM tree GROUP BY log_id ORDER BY log_id"
        )
        return await cursor.fetchall()


@asynccontextmanager
async def without_newest_tree(url: str) -> AsyncIterator[None]:
    """The generation log's newest tree is not in the database, for as long as the block lasts."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(
            "DELETE FROM tree USING log WHERE tree.log_id = log.log_id AND kind = 'generation' AND size ="
            " (SELECT max(size) FROM tree AS other WHERE other.log_id = tree.log_id)"
            " RETURNING tree.log_id, size, root, checkpoint, committed_at"
        )
        rows = await cursor.fetchall()
        try:
            yield
        finally:
            for row in rows:
                await connection.execute("INSERT INTO tree VALUES (%s, %s, %s, %s, %s)", row)


async def test_a_full_disk_is_waited_for_and_nothing_is_forked(deployment: Deployment, tmp_path: Path) -> None:
    """No file may grow beyond a limit that the kernel keeps, until there is room again."""
    url = deployment.runner.stack.create_database(f"full_{uuid4().hex[:12]}")
    async with writers(url, tmp_path, InFolder(tmp_path / "log")) as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.generation.full_disk", url, str(tmp_path)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            assert process.stdout is not None
            await log.accept(40)
            async with asyncio.timeout(60):
                while b"waiting for the logs' files" not in (line := await process.stdout.readline()):
                    assert line, "it has ended"
            stuck = log.published().size
            assert stuck < 40
            await log.check()
            assert no_rests(log)
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            await until(log.is_done, seconds=30)
        finally:
            process.kill()
            await process.communicate()
        await log.check()
        assert log.published().size == 40
        assert stuck < TOO_LARGE


def no_rests(log: Writers) -> bool:
    """Whether no half-written file was left behind."""
    return not [path for path in log.log_folder.rglob("*.tmp") if path.is_file()]


async def copy_database(deployment: Deployment, name: str) -> None:
    url = deployment.description.admin_database_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'candor_generation'"
        )
        await connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE candor_generation").format(sql.Identifier(name)))
