"""The log as files: tile paths and contents.

Source: C2SP tlog-tiles
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from candor_generation.domain import merkle

WIDTH = 256
HEIGHT = 8
MAX_ENTRY = 65_535
MAX_LEVEL = 63

# Seven groups of three digits are beyond what a log can hold.
_LONGEST_PATH = 48
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True)
class Tile:
    """A tile of hashes, or with `level` None a bundle of entries.

    Attributes:
        level: 0..63; the hashes at level L stand for 256^L leaves each. None: an entry bundle.
        number: counts from 0 within its level.
        width: how many hashes or entries it holds, 1..256; 256 is a full tile.
    """

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where the tile is served, below the log's prefix.

        Source: C2SP tlog-tiles
        """
        level = "entries" if self.level is None else str(self.level)
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse_path(path: str) -> Tile | None:
    """The tile that a path names, or None where it is no tile path in its one canonical form.

    Source: C2SP tlog-tiles
    """
    found = _PATH.fullmatch(path) if len(path) <= _LONGEST_PATH else None
    if found is None:
        return None
    level = None if found["level"] == "entries" else int(found["level"])
    number = int(found["number"].replace("/", "").replace("x", ""))
    tile = Tile(level, number, int(found["width"] or WIDTH))
    canonical = tile.path == path and (level is None or level <= MAX_LEVEL)
    return tile if canonical else None


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes tile `number` of `level` has in a tree of `size` leaves, 0..256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


@dataclass(frozen=True)
class Frontier:
    """The right edge of a tree: all that is needed to let it grow.

    Attributes:
        size: leaves in the tree.
        levels: for each level the hashes of its tile that is not full yet, at most 255 each.
        entries: the entries of the bundle that is not full yet.
    """

    size: int = 0
    levels: tuple[tuple[bytes, ...], ...] = ((),)
    entries: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """The tree's root.

        Source: RFC 6962 2.1
        """
        if self.size == 0:
            return merkle.EMPTY_ROOT
        peaks: list[bytes] = []
        for hashes in reversed(self.levels):
            peaks.extend(_peaks(hashes))
        root = peaks.pop()
        while peaks:
            root = merkle.node_hash(peaks.pop(), root)
        return root

    def partials(self) -> list[tuple[Tile, bytes]]:
        """The partial tiles and bundle of just this size; a log MUST serve them for each size it published.

        Source: C2SP tlog-tiles
        """
        written: list[tuple[Tile, bytes]] = []
        for level, hashes in enumerate(self.levels):
            if hashes:
                number = self.size >> (HEIGHT * (level + 1))
                written.append((Tile(level, number, len(hashes)), b"".join(hashes)))
        if self.entries:
            written.append((Tile(None, self.size // WIDTH, len(self.entries)), bundle(self.entries)))
        return written


def grow(frontier: Frontier, entries: Iterable[bytes]) -> tuple[Frontier, list[tuple[Tile, bytes]]]:
    """Append entries.

    Returns:
        The new frontier, and the full tiles and bundles that came to be, lower levels before higher ones. A full tile
        is made here only, when its 256th hash is there; its content can never change.

    Source: C2SP tlog-tiles
    """
    full: list[tuple[Tile, bytes]] = []
    levels = [list(hashes) for hashes in frontier.levels]
    held = list(frontier.entries)
    size = frontier.size
    for entry in entries:
        held.append(entry)
        levels[0].append(merkle.leaf_hash(entry))
        size += 1
        if size % WIDTH == 0:
            full.append((Tile(None, size // WIDTH - 1), bundle(held)))
            held.clear()
            full.extend(_carry(levels, size))
    grown = replace(frontier, size=size, levels=tuple(map(tuple, levels)), entries=tuple(held))
    return grown, full


def _carry(levels: list[list[bytes]], size: int) -> list[tuple[Tile, bytes]]:
    """Close each tile that is full and hand its root to the level above."""
    full: list[tuple[Tile, bytes]] = []
    level = 0
    while len(levels[level]) == WIDTH:
        full.append((Tile(level, (size >> (HEIGHT * (level + 1))) - 1), b"".join(levels[level])))
        if level + 1 == len(levels):
            levels.append([])
        levels[level + 1].append(merkle.tree_hash(levels[level]))
        levels[level].clear()
        level += 1
    return full


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """The perfect subtrees that a run of hashes falls into, the largest first."""
    peaks: list[bytes] = []
    start = 0
    while start < len(hashes):
        count = 1 << ((len(hashes) - start).bit_length() - 1)
        peaks.append(merkle.tree_hash(hashes[start : start + count]))
        start += count
    return peaks


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after the other, each with its length in front as a big-endian uint16.

    Raises:
        ValueError: an entry is longer than 65,535 bytes.

    Source: C2SP tlog-tiles
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise ValueError(f"an entry of {len(entry)} bytes does not fit into a bundle")
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def unbundle(content: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        ValueError: the bundle ends within an entry.

    Source: C2SP tlog-tiles
    """
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 2], "big")
        entry = content[at + 2 : at + 2 + length]
        if at + 2 > len(content) or len(entry) != length:
            raise ValueError("the bundle ends within an entry")
        entries.append(entry)
        at += 2 + length
    return entries


def cut(tile: Tile, full: bytes) -> bytes:
    """A partial tile or bundle out of the full one.

    Source: C2SP tlog-tiles
    """
    if tile.level is None:
        return bundle(unbundle(full)[: tile.width])
    return full[: tile.width * merkle.HASH_SIZE]


def hashes_of(tile: Tile, content: bytes) -> list[bytes]:
    """The hashes of a tile.

    Raises:
        ValueError: the content is not `tile.width` hashes long.
    """
    if len(content) != tile.width * merkle.HASH_SIZE:
        raise ValueError(f"{tile.path} holds {len(content)} bytes instead of {tile.width * merkle.HASH_SIZE}")
    return [content[at : at + merkle.HASH_SIZE] for at in range(0, len(content), merkle.HASH_SIZE)]


class TileReader:
    """Subtrees of a log of `size` leaves, read from its tiles.

    Args:
        size: a size the log has published, since only its partial tiles are sure to exist.
        read: gives a tile's content; what it raises passes through.
    """

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read = read
        self._held: dict[Tile, list[bytes]] = {}

    def subtree(self, height: int, number: int) -> bytes:
        """MTH(D[number * 2^height : (number + 1) * 2^height]), which lies wholly within the tree."""
        level, inside = divmod(height, HEIGHT)
        first = number << inside
        hashes = self._hashes(level, first // WIDTH)
        at = first % WIDTH
        return merkle.tree_hash(hashes[at : at + (1 << inside)])

    def proof(self, spans: Iterable[merkle.Span]) -> list[bytes]:
        """The hashes of the spans that a proof is made of."""
        return [merkle.span_hash(span, self.subtree) for span in spans]

    def root(self, size: int) -> bytes:
        """The root of the log's first `size` leaves.

        Source: RFC 6962 2.1
        """
        return merkle.span_hash((0, size), self.subtree) if size else merkle.EMPTY_ROOT

    def _hashes(self, level: int, number: int) -> list[bytes]:
        tile = Tile(level, number, width_at(level, number, self._size))
        if tile not in self._held:
            self._held[tile] = hashes_of(tile, self._read(tile))
        return self._held[tile]


def load(size: int, read: Callable[[Tile], bytes]) -> Frontier:
    """The frontier of a log of `size` leaves, read from its partial tiles.

    Raises:
        ValueError: a tile has another length than its path says.
    """
    levels: list[tuple[bytes, ...]] = []
    level = 0
    while level == 0 or size >> (HEIGHT * level):
        number = size >> (HEIGHT * (level + 1))
        width = (size >> (HEIGHT * level)) % WIDTH
        tile = Tile(level, number, width)
        levels.append(tuple(hashes_of(tile, read(tile))) if width else ())
        level += 1
    width = size % WIDTH
    entries = tuple(unbundle(read(Tile(None, size // WIDTH, width)))) if width else ()
    if len(entries) != width:
        raise ValueError(f"the last bundle holds {len(entries)} entries instead of {width}")
    return Frontier(size, tuple(levels), entries)
