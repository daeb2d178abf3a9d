"""RFC 6962 and RFC 9162: hashing, proofs and their verification."""

from __future__ import annotations

import hashlib

import pytest
from candor_generation.domain import merkle
from candor_generation.domain.merkle import ProofError
from hypothesis import given
from hypothesis import strategies as st

# Vectors of transparency-dev/merkle, testonly/constants.go.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(index).encode()) for index in range(size)]


def recursive(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return merkle.node_hash(recursive(leaves[:k]), recursive(leaves[k:]))


def inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    return [recursive(leaves[start:end]) for start, end in merkle.inclusion_spans(index, len(leaves))]


def consistency(old_size: int, leaves: list[bytes]) -> list[bytes]:
    return [recursive(leaves[start:end]) for start, end in merkle.consistency_spans(old_size, len(leaves))]


@pytest.mark.clause("RFC 6962 2.1")
@pytest.mark.parametrize("size", range(9))
def test_rfc_6962_2_1_roots_of_the_published_vectors(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in LEAVES[:size]]
    assert merkle.tree_hash(leaves).hex() == ROOTS[size]


@pytest.mark.clause("RFC 6962 2.1")
@given(st.integers(0, 200))
def test_rfc_6962_2_1_joining_level_by_level_is_the_recursive_definition(size: int) -> None:
    assert merkle.tree_hash(hashes(size)) == recursive(hashes(size))


@pytest.mark.clause("RFC 6962 2.1.1", "RFC 9162 2.1.3.2")
def test_rfc_6962_2_1_1_example_paths_of_seven_leaves() -> None:
    # RFC 6962 2.1.3: a, b, c, d are leaves 0 and 1, 2 and 3; j is leaf 6; h = [0, 2), k = [0, 4), i = [4, 6).
    assert merkle.inclusion_spans(0, 7) == [(1, 2), (2, 4), (4, 7)]
    assert merkle.inclusion_spans(3, 7) == [(2, 3), (0, 2), (4, 7)]
    assert merkle.inclusion_spans(4, 7) == [(5, 6), (6, 7), (0, 4)]
    assert merkle.inclusion_spans(6, 7) == [(4, 6), (0, 4)]


@pytest.mark.clause("RFC 6962 2.1.2")
def test_rfc_6962_2_1_2_example_proofs_of_seven_leaves() -> None:
    assert merkle.consistency_spans(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]
    assert merkle.consistency_spans(4, 7) == [(4, 7)]
    assert merkle.consistency_spans(6, 7) == [(4, 6), (6, 7), (0, 4)]


@given(st.data())
def test_rfc_9162_2_1_3_2_every_inclusion_proof_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 150))
    index = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    merkle.verify_inclusion(index, size, leaves[index], inclusion(index, leaves), recursive(leaves))


@given(st.data())
def test_rfc_9162_2_1_3_2_a_changed_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 100))
    index = data.draw(st.integers(0, size - 1))
    leaves = hashes(size)
    proof, root = inclusion(index, leaves), recursive(leaves)
    other = hashlib.sha256(b"other").digest()
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (index, size, other, proof, root),
        (index, size, leaves[index], proof, other),
        (index, size, leaves[index], [*proof[:at], other, *proof[at + 1 :]], root),
        (index, size, leaves[index], proof[:-1], root),
        (index, size, leaves[index], [*proof, other], root),
        ((index + 1) % size, size, leaves[index], proof, root),
        (size, size, leaves[index], proof, root),
        (-1, size, leaves[index], proof, root),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            merkle.verify_inclusion(*arguments)


@pytest.mark.clause("RFC 9162 2.1.4.2")
@given(st.data())
def test_rfc_9162_2_1_4_2_every_consistency_proof_verifies(data: st.DataObject) -> None:
    new_size = data.draw(st.integers(1, 150))
    old_size = data.draw(st.integers(1, new_size))
    leaves = hashes(new_size)
    merkle.verify_consistency(
        old_size, new_size, recursive(leaves[:old_size]), recursive(leaves), consistency(old_size, leaves)
    )


@pytest.mark.clause("RFC 9162 2.1.4.2")
@given(st.data())
def test_rfc_9162_2_1_4_2_a_rewritten_history_is_refused(data: st.DataObject) -> None:
    new_size = data.draw(st.integers(2, 100))
    old_size = data.draw(st.integers(1, new_size - 1))
    leaves = hashes(new_size)
    forged = list(leaves)
    forged[data.draw(st.integers(0, old_size - 1))] = hashlib.sha256(b"forged").digest()
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            old_size, new_size, recursive(leaves[:old_size]), recursive(forged), consistency(old_size, forged)
        )


@pytest.mark.clause("RFC 9162 2.1.4.2")
@given(st.data())
def test_rfc_9162_2_1_4_2_a_changed_consistency_proof_is_refused(data: st.DataObject) -> None:
    new_size = data.draw(st.integers(2, 100))
    old_size = data.draw(st.integers(1, new_size - 1))
    leaves = hashes(new_size)
    old, new, proof = recursive(leaves[:old_size]), recursive(leaves), consistency(old_size, leaves)
    other = hashlib.sha256(b"other").digest()
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (old_size, new_size, other, new, proof),
        (old_size, new_size, old, other, proof),
        (old_size, new_size, old, new, [*proof[:at], other, *proof[at + 1 :]]),
        (old_size, new_size, old, new, proof[:-1]),
        (old_size, new_size, old, new, [*proof, other]),
        (new_size, old_size, new, old, proof),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            merkle.verify_consistency(*arguments)


@pytest.mark.clause("RFC 9162 2.1.4.2")
def test_rfc_9162_2_1_4_2_nothing_is_proven_from_the_empty_tree() -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(0, 3, merkle.EMPTY_ROOT, recursive(hashes(3)), [])


@pytest.mark.clause("RFC 9162 2.1.4.2")
def test_rfc_9162_2_1_4_2_two_roots_for_one_size_are_refused() -> None:
    root = recursive(hashes(3))
    merkle.verify_consistency(3, 3, root, root, [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(3, 3, root, recursive(hashes(4)), [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(3, 3, root, root, [root])


@given(st.data())
def test_a_span_is_hashed_out_of_perfect_subtrees(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 150))
    leaves = hashes(size)
    spans = [
        *merkle.inclusion_spans(data.draw(st.integers(0, size - 1)), size),
        *merkle.consistency_spans(data.draw(st.integers(0, size)), size),
    ]

    def subtree(height: int, number: int) -> bytes:
        part = leaves[number << height : (number + 1) << height]
        assert len(part) == 1 << height
        return recursive(part)

    for start, end in spans:
        assert merkle.span_hash((start, end), subtree) == recursive(leaves[start:end])


def test_spans_outside_the_tree_are_refused() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_spans(index, size)
    for old_size, new_size in ((4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="prefix"):
            merkle.consistency_spans(old_size, new_size)
    with pytest.raises(ValueError, match="empty span"):
        merkle.span_hash((2, 2), lambda _height, _number: b"")
