"""C2SP tlog-tiles: paths, contents, growth."""

from __future__ import annotations

import pytest
from candor_generation.domain import merkle, tiles
from candor_generation.domain.tiles import Frontier, Tile
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.clause("C2SP tlog-tiles")

Files = dict[str, bytes]


def entries(start: int, end: int) -> list[bytes]:
    return [b"entry %d" % index for index in range(start, end)]


def root_of(size: int) -> bytes:
    return merkle.tree_hash([merkle.leaf_hash(entry) for entry in entries(0, size)])


def publish(files: Files, frontier: Frontier, until: int) -> Frontier:
    """Grow to a size as a log does and keep what it writes; nothing is ever written anew with other content."""
    grown, full = tiles.grow(frontier, entries(frontier.size, until))
    for tile, content in [*full, *grown.partials()]:
        assert files.setdefault(tile.path, content) == content
    return grown


def reader(files: Files, size: int) -> tiles.TileReader:
    return tiles.TileReader(size, lambda tile: files[tile.path])


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 5), "tile/0/005"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(1, 0, 1), "tile/1/000.p/1"),
        (Tile(63, 1000, 255), "tile/63/x001/000.p/255"),
        (Tile(None, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tiles.parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/0",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/-1/000",
        "tile/entries/../000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "checkpoint",
        "",
    ],
)
def test_what_is_no_tile_path_in_its_canonical_form(path: str) -> None:
    assert tiles.parse_path(path) is None


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 2**40), st.integers(1, 256))
def test_paths_are_read_back(level: int | None, number: int, width: int) -> None:
    tile = Tile(level, number, width)
    assert tiles.parse_path(tile.path) == tile


def test_size_256_has_a_full_tile_and_a_partial_above() -> None:
    files: Files = {}
    publish(files, Frontier(), 256)
    assert sorted(files) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    assert len(files["tile/0/000"]) == 8192


def test_size_70000_has_the_tiles_of_the_specification() -> None:
    files: Files = {}
    publish(files, Frontier(), 70_000)
    assert [tiles.width_at(0, number, 70_000) for number in (0, 272, 273, 274)] == [256, 256, 112, 0]
    partial = sorted(path for path in files if ".p/" in path)
    assert partial == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]
    full = [path for path in files if ".p/" not in path]
    assert len([path for path in full if path.startswith("tile/0/")]) == 273
    assert len([path for path in full if path.startswith("tile/entries/")]) == 273
    assert [path for path in full if path.startswith("tile/1/")] == ["tile/1/000"]


def test_a_full_path_is_not_there_before_the_tile_is_full() -> None:
    files: Files = {}
    frontier = publish(files, Frontier(), 255)
    assert "tile/0/000" not in files
    assert "tile/entries/000" not in files
    publish(files, frontier, 256)
    assert "tile/0/000" in files
    assert "tile/entries/000" in files


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=5), st.data())
def test_however_it_grew_root_and_proofs_are_those_of_the_tree(steps: list[int], data: st.DataObject) -> None:
    files: Files = {}
    frontier = Frontier()
    sizes = [0]
    for step in steps:
        frontier = publish(files, frontier, frontier.size + step)
        sizes.append(frontier.size)
        assert frontier.root() == root_of(frontier.size)
        assert tiles.load(frontier.size, lambda tile: files[tile.path]) == frontier
    for size in sizes:
        assert reader(files, frontier.size).root(size) == root_of(size)
    size = frontier.size
    index = data.draw(st.integers(0, size - 1))
    leaf = merkle.leaf_hash(entries(index, index + 1)[0])
    proof = reader(files, size).proof(merkle.inclusion_spans(index, size))
    merkle.verify_inclusion(index, size, leaf, proof, frontier.root())
    old = data.draw(st.sampled_from(sizes[1:]))
    proof = reader(files, size).proof(merkle.consistency_spans(old, size))
    merkle.verify_consistency(old, size, root_of(old), frontier.root(), proof)


def test_the_partial_tiles_of_each_published_size_are_kept() -> None:
    files: Files = {}
    frontier = Frontier()
    for size in (3, 7, 260):
        frontier = publish(files, frontier, size)
    for size in (3, 7, 260):
        assert reader(files, size).root(size) == root_of(size)
        assert tiles.load(size, lambda tile: files[tile.path]).root() == root_of(size)


def test_the_frontier_at_a_tile_border_needs_no_partial_at_level_0() -> None:
    files: Files = {}
    frontier = publish(files, Frontier(), 65_536)
    assert sorted(path for path in files if ".p/" in path) == ["tile/2/000.p/1"]
    assert tiles.load(65_536, lambda tile: files[tile.path]) == frontier
    assert frontier.root() == merkle.tree_hash([merkle.leaf_hash(entry) for entry in entries(0, 65_536)])


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_are_read_back(items: list[bytes]) -> None:
    assert tiles.unbundle(tiles.bundle(items)) == items


def test_bundles_have_lengths_of_two_bytes() -> None:
    assert tiles.bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    assert len(tiles.bundle([bytes(65_535)])) == 65_537
    with pytest.raises(ValueError, match="does not fit"):
        tiles.bundle([bytes(65_536)])


@pytest.mark.parametrize("content", [b"\x00", b"\x00\x02a", b"\x00\x00\x00"])
def test_a_bundle_that_ends_within_an_entry_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="ends within"):
        tiles.unbundle(content)


def test_a_tile_of_another_length_than_its_path_says_is_refused() -> None:
    with pytest.raises(ValueError, match="instead of"):
        tiles.hashes_of(Tile(0, 0, 2), bytes(32))


def test_a_partial_tile_is_the_beginning_of_the_full_one() -> None:
    files: Files = {}
    publish(files, publish(files, Frontier(), 100), 256)
    assert tiles.cut(Tile(0, 0, 100), files["tile/0/000"]) == files["tile/0/000.p/100"]
    assert tiles.cut(Tile(None, 0, 100), files["tile/entries/000"]) == files["tile/entries/000.p/100"]
