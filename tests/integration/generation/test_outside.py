"""The log before a checker that is not ours: Tessera's fsck, over HTTP, before and after persons are erased."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from candor.rights.v1 import model_pb2 as rights_pb2
from candor_generation.domain import note
from go_peers import fsck

from . import outside
from .backend import Backend, until

_FLIPPED = 12  # files, besides one of each kind
_RECORDS, _PERSONS, _ERASED = 2_600, 200, 4
# The writer goes on meanwhile: what it is just putting in place is no part of the log.
_UNFINISHED = shutil.ignore_patterns(".*")
_PARTIAL = re.compile(r"tile/(?:0|entries)/(?P<number>[x0-9/]+)\.p/(?P<width>[0-9]+)")

pytestmark = pytest.mark.clause("C2SP tlog-tiles")


@pytest.fixture
async def program(jar_cache: Path) -> Path:
    return await asyncio.to_thread(fsck, jar_cache / "go")


async def record_many(backend: Backend) -> list[str]:
    """Record for many persons; return those."""
    persons = [f"{backend.subject}-{number}" for number in range(_PERSONS)]
    commands = [
        backend.generation(subject=persons[number % _PERSONS], output=f"{backend.word} {number}")
        for number in range(_RECORDS)
    ]
    for start in range(0, _RECORDS, 400):
        part = commands[start : start + 400]
        await backend.deployment.emit_many("generation", list(part))
        await backend.recorded(*[command.command_id for command in part])
    return persons


def log_folder(backend: Backend) -> Path:
    return Path(backend.deployment.runner.folder, "services", "generation", *backend.log_url.split("/")[3:])


async def trees(backend: Backend) -> dict[int, str]:
    """Every checkpoint that the log signed, by size."""
    origin = (await backend.vkey()).partition("+")[0]
    rows = await backend.deployment.rows(
        "generation", "SELECT size, checkpoint FROM tree JOIN log USING (log_id) WHERE origin = %s", origin
    )
    return {row["size"]: row["checkpoint"] for row in rows}


async def erase(backend: Backend, persons: list[str]) -> None:
    for person in persons:
        answer = await backend.deployment.ask("generation", person, rights_pb2.RIGHT_DELETION)
        assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    rows = await backend.deployment.rows(
        "generation", "SELECT count(*) AS left FROM record WHERE subject = ANY(%s)", persons
    )
    assert rows == [{"left": 0}]


async def published(backend: Backend) -> note.Checkpoint:
    return note.parse_checkpoint(note.parse_note((await backend.fetch("checkpoint"))[2].decode()).text)


@pytest.mark.clause("C2SP tlog-tiles", "GDPR 17(1)")
async def test_tessera_finds_nothing_before_and_the_same_root_after_persons_are_erased(
    backend: Backend, program: Path, tmp_path: Path
) -> None:
    vkey = tmp_path / "vkey"
    vkey.write_text(f"{await backend.vkey()}\n", encoding="ascii")
    persons = await record_many(backend)
    before = await outside.check(program, vkey, backend.log_url)
    assert before.root is not None, before.last
    assert before.size is not None
    assert before.size >= _RECORDS
    old = (await backend.fetch("checkpoint"))[2]

    await erase(backend, persons[:_ERASED])

    async def grown() -> bool:
        return (await published(backend)).size > (before.size or 0)

    await until(grown)  # an erasure is a leaf too
    after = await outside.check(program, vkey, backend.log_url)
    assert after.root is not None, after.last
    # The tree of before is still what the tiles of now give: same size, same root.
    copy = tmp_path / "log"
    shutil.copytree(log_folder(backend), copy, ignore=_UNFINISHED)
    (copy / "checkpoint").write_bytes(old)
    with outside.served(copy) as url:
        again = await outside.check(program, vkey, url)
    assert (again.size, again.root) == (before.size, before.root), again.last
    kept = tmp_path / "old"
    kept.write_bytes(old)
    evidence = await backend.evidence((await newest(backend))["generation_id"])
    ran = await backend.verify(
        backend.lay(evidence),
        "--vkey",
        vkey.read_text().strip(),
        "--checkpoint",
        str(kept),
        "--log-url",
        url_of(backend),
    )
    assert ran.code == 0, ran.output


def url_of(backend: Backend) -> str:
    return backend.log_url


async def newest(backend: Backend) -> dict[str, Any]:
    (row,) = await backend.deployment.rows(
        "generation", "SELECT generation_id::text FROM record WHERE subject LIKE %s LIMIT 1", f"{backend.subject}-%"
    )
    return row


async def test_one_bit_in_a_file_of_any_kind_is_found(backend: Backend, program: Path, tmp_path: Path) -> None:
    vkey, copy = tmp_path / "vkey", tmp_path / "log"
    vkey.write_text(f"{await backend.vkey()}\n", encoding="ascii")
    if (await published(backend)).size < _RECORDS:
        await record_many(backend)
    shutil.copytree(log_folder(backend), copy, ignore=_UNFINISHED)
    signed = await trees(backend)
    rng = random.Random(await backend.vkey())  # noqa: S311 - which bytes are changed
    files = sorted(file for file in copy.rglob("*") if file.is_file())
    kinds: dict[str, Path] = {}
    for path in files:
        kinds.setdefault(kind_of(str(path.relative_to(copy))), path)
    # One of each kind, and of a log that other tests have made long as many more as there is time for.
    chosen = sorted({*kinds.values(), *rng.sample(files, min(_FLIPPED, len(files)))})
    with outside.served(copy) as url:
        for path in chosen:
            name = str(path.relative_to(copy))
            for checkpoint in checkpoints_over(name, signed):
                (copy / "checkpoint").write_text(checkpoint, encoding="utf-8")
                whole = await outside.check(program, vkey, url)
                assert whole.root is not None, (name, whole.last)
                with outside.flipped(path, rng.randrange(1 << 20)):
                    broken = await outside.check(program, vkey, url)
                assert broken.root is None, name
        assert set(kinds) == {
            "checkpoint", "full tile", "partial tile", "full bundle", "partial bundle", "partial tile above"
        }  # fmt: skip
        # Our own verifier, which an auditor may have instead.
        (copy / "checkpoint").write_text(signed[max(signed)], encoding="utf-8")
        for kind, path in kinds.items():
            if ".p/" in str(path):
                path = max(path.parent.iterdir(), key=lambda file: int(file.name))  # noqa: PLW2901 - that of the size
            with outside.flipped(path, rng.randrange(1 << 20)):
                ran = await backend.verify("--log-url", url, "--vkey", vkey.read_text().strip())
            assert ran.code == 1, (kind, ran.output)
        ran = await backend.verify("--log-url", url, "--vkey", vkey.read_text().strip())
        assert ran.code == 0, ran.output


def kind_of(name: str) -> str:
    if name == "checkpoint":
        return name
    what = "bundle" if "entries" in name else "tile" if name.startswith("tile/0/") else "tile above"
    return f"{'partial' if '.p/' in name else 'full'} {what}"


def checkpoints_over(name: str, signed: dict[int, str]) -> list[str]:
    """The checkpoint whose tree a file is read for: that of its own size for a partial one, else the latest."""
    partial = _PARTIAL.fullmatch(name)
    if partial is None:
        above = re.fullmatch(r"tile/1/000\.p/([0-9]+)", name)
        widths = [size for size in signed if above is None or size // 256 == int(above[1])]
    else:
        number = int(partial["number"].replace("x", "").replace("/", ""))
        widths = [size for size in signed if size == number * 256 + int(partial["width"])]
    return [signed[max(widths)]] if widths else []
