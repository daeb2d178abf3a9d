"""The log over HTTP (C2SP tlog-tiles)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from candor_generation.domain import merkle, note, tiles
from candor_generation.domain.tiles import Tile
from candor_generation.signing import holds

from .backend import Backend

pytestmark = pytest.mark.clause("C2SP tlog-tiles")


async def checkpoint(backend: Backend) -> note.Checkpoint:
    status, headers, body = await backend.fetch("checkpoint")
    assert status == 200
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    age = datetime.now(UTC) - parsedate_to_datetime(headers["last-modified"])
    assert timedelta(seconds=-2) < age < timedelta(hours=1)
    signed = note.parse_note(body.decode())
    note.verify(signed, note.parse_vkey(await backend.vkey()), holds)
    return note.parse_checkpoint(signed.text)


async def tile(backend: Backend, wanted: Tile) -> bytes:
    status, headers, body = await backend.fetch(wanted.path)
    assert status == 200, wanted.path
    assert headers["content-type"] == "application/octet-stream"
    assert "immutable" in headers["cache-control"]
    return body


async def test_tiles_and_bundles_are_byte_right_and_full_ones_appear_when_full(backend: Backend) -> None:
    size = (await checkpoint(backend)).size
    missing = tiles.WIDTH - size % tiles.WIDTH
    number = size // tiles.WIDTH
    assert (await backend.fetch(Tile(0, number).path))[0] == 404
    assert (await backend.fetch(Tile(None, number).path))[0] == 404
    partial = size % tiles.WIDTH
    before = await tile(backend, Tile(0, number, partial)) if partial else b""

    await backend.recorded(*[await backend.record() for _ in range(missing + 3)])
    latest = await checkpoint(backend)
    assert latest.size >= size + missing + 3
    assert (await tile(backend, Tile(0, number))).startswith(before)
    if partial:
        assert await tile(backend, Tile(0, number, partial)) == before

    leaves: list[bytes] = []
    for index in range(0, latest.size, tiles.WIDTH):
        bundle = Tile(None, index // tiles.WIDTH, min(tiles.WIDTH, latest.size - index))
        entries = tiles.unbundle(await tile(backend, bundle))
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        assert await tile(backend, Tile(0, bundle.number, bundle.width)) == b"".join(hashes)
        leaves += hashes
    assert len(leaves) == latest.size
    assert merkle.tree_hash(leaves) == latest.root
    above = Tile(1, 0, tiles.width_at(1, 0, latest.size))
    roots = [merkle.tree_hash(leaves[at : at + 256]) for at in range(0, latest.size - 255, 256)]
    assert await tile(backend, above) == b"".join(roots[: above.width])


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/x999/999",
        "tile/0/0",
        "tile/00/000",
        "tile/0/000.p/256",
        "tile/entries/../0/000",
        "..%2flog.key",
        "x",
        "",
    ],
)
async def test_what_is_no_tile_is_not_found(backend: Backend, path: str) -> None:
    status, headers, _ = await backend.fetch(path)
    assert status == 404
    if path:
        assert headers["content-type"] == "application/problem+json"


async def test_every_published_size_keeps_its_partial_tiles(backend: Backend) -> None:
    for _ in range(3):
        await backend.recorded(await backend.record())
    trees = await backend.deployment.rows("generation", "SELECT size, root FROM tree ORDER BY size DESC LIMIT 5")
    latest = await checkpoint(backend)
    for tree in trees:
        frontier = await _frontier(backend, tree["size"])
        assert frontier.root() == tree["root"]
    assert latest.size >= trees[0]["size"]


async def _frontier(backend: Backend, size: int) -> tiles.Frontier:
    bodies: dict[Tile, bytes] = {}
    while True:
        try:
            return tiles.load(size, bodies.__getitem__)
        except KeyError as missing:
            wanted: Tile = missing.args[0]
            bodies[wanted] = await tile(backend, wanted)
