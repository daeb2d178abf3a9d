"""Merkle tree hashing and proofs, with the names of RFC 6962 and RFC 9162.

Hashes are 32 bytes (SHA-256). A tree of `n` leaves is written D[n]; `D[a:b]` are the leaves from `a` up to but not with
`b`; MTH is the Merkle tree hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Span = tuple[int, int]
"""Leaves `D[start:end]`, end not included."""


class ProofError(ValueError):
    """A proof does not show what it claims to show; the message says at which step."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry).

    Source: RFC 6962 2.1
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right).

    Source: RFC 6962 2.1
    """
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two smaller than `size`, which is at least 2.

    Source: RFC 6962 2.1
    """
    return 1 << ((size - 1).bit_length() - 1)


def tree_hash(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH over leaves that are hashed already.

    Pairs are joined level by level; a last one without a partner rises as it is, which is the same tree.

    Source: RFC 6962 2.1
    """
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        pairs = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def inclusion_spans(index: int, size: int) -> list[Span]:
    """PATH(index, D[size]) as the spans whose hashes it is made of, the leaf's sibling first.

    Source: RFC 6962 2.1.1
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old_size: int, new_size: int) -> list[Span]:
    """PROOF(old_size, D[new_size]) as the spans whose hashes it is made of.

    Nothing is needed to show that the empty tree, or the tree itself, is a prefix.

    Source: RFC 6962 2.1.2
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} cannot be a prefix of one of {new_size}")
    if old_size in (0, new_size):
        return []
    spans: list[Span] = []
    start, end, whole = 0, new_size, True
    while old_size != end:
        middle = start + split_point(end - start)
        if old_size <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, whole = middle, False
    if not whole:
        spans.append((start, end))
    return spans[::-1]


def span_hash(span: Span, subtree: Callable[[int, int], bytes]) -> bytes:
    """MTH(D[start:end]) out of perfect subtrees.

    Args:
        span: as PATH and PROOF cut it; `start` is a multiple of the largest subtree in it.
        subtree: `(height, number)` to MTH(D[number * 2^height : (number + 1) * 2^height]).

    Source: RFC 6962 2.1
    """
    start, end = span
    if start >= end:
        raise ValueError("an empty span has no place in a tree")
    peaks: list[bytes] = []
    while start < end:
        height = (end - start).bit_length() - 1
        peaks.append(subtree(height, start >> height))
        start += 1 << height
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` stands at `index` in the tree of `size` leaves and this `root`.

    The steps are numbered as in the RFC.

    Raises:
        ProofError: it does not; the caller MUST NOT use the leaf.

    Source: RFC 9162 2.1.3.2
    """
    # 1. The index lies in the tree.
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not in a tree of {size}")
    # 2. to 4. Start at the leaf and climb with each hash of the proof.
    current = leaf
    for sibling, is_left in _climb(index, size - 1, proof):
        current = node_hash(sibling, current) if is_left else node_hash(current, sibling)
    # 5. The climb ended at the root.
    if current != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves.

    The empty tree is refused here, since nothing can be proven from it; a witness, which starts from it, has another
    entry point. The steps are numbered as in the RFC.

    Raises:
        ProofError: it is not, so the log has two histories; the caller MUST report it.

    Source: RFC 9162 2.1.4.2
    """
    if not 0 < old_size <= new_size:
        raise ProofError(f"a tree of {old_size} cannot be shown to be a prefix of one of {new_size}")
    if old_size == new_size:
        _verify_same(old_root, new_root, proof)
        return
    # 1. An empty proof shows nothing.
    if not proof:
        raise ProofError("the consistency proof is too short")
    # 2. A perfect old tree is the first node of the proof itself.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    # 3. and 4. Start at the lowest subtree that both trees share.
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    # 5. and 6. Climb both trees.
    old = new = path[0]
    for sibling, is_left in _climb(fn, sn, path[1:]):
        old = node_hash(sibling, old) if is_left else old
        new = node_hash(sibling, new) if is_left else node_hash(new, sibling)
    # 7. Both climbs ended at their roots.
    if old != old_root:
        raise ProofError("the consistency proof leads to another old root")
    if new != new_root:
        raise ProofError("the consistency proof leads to another new root")


def _climb(fn: int, sn: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a proof with whether it is a left sibling, as RFC 9162 2.1.3.2 and 2.1.4.2 both climb.

    Raises:
        ProofError: the proof is longer or shorter than the way up.
    """
    for sibling in proof:
        if sn == 0:
            raise ProofError("the proof is too long")
        is_left = bool(fn & 1) or fn == sn
        yield sibling, is_left
        if is_left:
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofError("the proof is too short")


def _verify_same(old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError("a tree is consistent with itself without a proof")
    if old_root != new_root:
        raise ProofError("two roots for one size")
