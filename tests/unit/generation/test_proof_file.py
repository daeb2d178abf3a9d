"""C2SP tlog-proof: one file that proves an entry with nothing but the key. The golden log of Tessera."""

from __future__ import annotations

from dataclasses import replace

import pytest
from candor_generation.domain import merkle, note, proof_file
from candor_generation.domain.merkle import ProofError
from candor_generation.domain.note import Checkpoint, NoteError
from candor_generation.domain.policy import Log, Policy, UntrustedError
from candor_generation.domain.proof_file import ProofFile, ProofFileError
from candor_generation.signing import holds, signer_of
from hypothesis import example, given
from hypothesis import strategies as st

# transparency-dev/tessera v1.0.4, testdata/log.
GOLDEN_KEY = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
GOLDEN_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
SIGNER = signer_of(GOLDEN_KEY)
TRUST = Policy((Log(note.parse_vkey(GOLDEN_VKEY)),))


def checkpoint(size: int) -> str:
    return SIGNER.sign(Checkpoint("example.com/log/testdata", size, merkle.tree_hash(LEAVES[:size])).text)


def proof(index: int, size: int) -> ProofFile:
    spans = merkle.inclusion_spans(index, size)
    hashes = tuple(merkle.tree_hash(LEAVES[start:end]) for start, end in spans)
    return ProofFile(index, hashes, checkpoint(size), ENTRIES[index])


@pytest.mark.clause("C2SP tlog-proof")
def test_tlog_proof_line_by_line() -> None:
    text = proof(2, 4).text
    assert text == (
        "c2sp.org/tlog-proof@v1\n"
        "extra dGhyZWU=\n"
        "index 2\n"
        f"{note.to_base64(LEAVES[3])}\n"
        f"{note.to_base64(merkle.node_hash(LEAVES[0], LEAVES[1]))}\n"
        "\n"
        "example.com/log/testdata\n"
        "4\n"
        f"{note.to_base64(merkle.tree_hash(LEAVES[:4]))}\n"
        "\n"
        f"{checkpoint(4).splitlines()[-1]}\n"
    )
    assert proof_file.parse_proof_file(text) == proof(2, 4)


@pytest.mark.clause("C2SP tlog-proof")
def test_tlog_proof_every_entry_of_every_size_of_the_golden_log() -> None:
    for size in range(1, 16):
        for index in range(size):
            read = proof_file.parse_proof_file(proof(index, size).text)
            trusted = proof_file.verify(read, TRUST, holds)
            assert trusted.checkpoint.size == size
            assert read.extra == ENTRIES[index]


@pytest.mark.clause("C2SP tlog-proof")
def test_tlog_proof_the_entry_is_authenticated_by_hashing_it() -> None:
    with pytest.raises(ProofError):
        proof_file.verify(replace(proof(2, 15), extra=b"thref"), TRUST, holds)
    with pytest.raises(ProofError):
        proof_file.verify(replace(proof(2, 15), index=3), TRUST, holds)
    with pytest.raises(ProofError):
        proof_file.verify(proof(2, 15), TRUST, holds, entry=b"four")
    with pytest.raises(ProofFileError, match="no entry"):
        proof_file.verify(replace(proof(2, 15), extra=None), TRUST, holds)
    assert proof_file.verify(replace(proof(2, 15), extra=None), TRUST, holds, entry=b"three")


@pytest.mark.clause("C2SP tlog-proof")
def test_tlog_proof_of_another_log_or_with_another_checkpoint() -> None:
    with pytest.raises(UntrustedError, match="no signature"):
        proof_file.verify(proof(2, 15), Policy(), holds)
    other = proof(2, 15).text.replace("\n15\n", "\n14\n")
    with pytest.raises(NoteError, match="does not hold"):
        proof_file.verify(proof_file.parse_proof_file(other), TRUST, holds)
    with pytest.raises(ProofError):
        proof_file.verify(replace(proof(2, 15), checkpoint=checkpoint(14)), TRUST, holds)


GOOD = proof(2, 15).text


@pytest.mark.clause("C2SP tlog-proof")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\n",
        GOOD.replace("@v1", "@v2"),
        f"\ufeff{GOOD}",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("index 2", "index 02"),
        GOOD.replace("index 2", "index -2"),
        GOOD.replace("index 2", "index 2 "),
        GOOD.replace("index 2", "index ٢"),
        GOOD.replace("index 2", "index 99999999999999999999"),
        GOOD.replace("index 2\n", ""),
        GOOD.replace("extra dGhyZWU=", "extra dGhyZWU"),
        GOOD.replace("extra dGhyZWU=", "extra dGhyZWV="),
        GOOD.replace("extra dGhyZWU=\n", "extra dGhyZWU=\nextra dGhyZWU=\n"),
        GOOD.replace("index 2\n", "index 2\nAAAA\n"),
        GOOD.replace("index 2\n", f"index 2\n{note.to_base64(bytes(33))}\n"),
        GOOD.replace("index 2\n", "index 2\n" + f"{note.to_base64(bytes(32))}\n" * 64),
        GOOD + " " * (1 << 20),
    ],
)
def test_tlog_proof_malformed(text: str) -> None:
    with pytest.raises(ProofFileError):
        proof_file.parse_proof_file(text)


@given(
    st.integers(0, 10**19 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(max_size=300),
    st.text(max_size=60),
)
def test_tlog_proof_written_and_read(index: int, hashes: list[bytes], extra: bytes | None, signed: str) -> None:
    made = ProofFile(index, tuple(hashes), signed, extra)
    assert proof_file.parse_proof_file(made.text) == made


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="c2sp.org/tlogpf@v1extraindx 0123=\n").map(lambda tail: f"{proof_file.HEADER}\n{tail}"),
    )
)
@example(f"{proof_file.HEADER}\nextra \nindex 0\n\n\ud800")
def test_whatever_is_read_as_a_proof_is_one_or_refused(text: str) -> None:
    try:
        found = proof_file.parse_proof_file(text)
    except ProofFileError:
        return
    assert found.text == text
    with pytest.raises((NoteError, UntrustedError)):
        proof_file.verify(found, TRUST, holds)


@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_a_change_anywhere_in_a_proof_is_found(at: int, letter: str) -> None:
    changed = GOOD[:at] + letter + GOOD[at + 1 :]
    if changed == GOOD:
        return
    with pytest.raises((ProofFileError, NoteError, UntrustedError, ProofError)):
        proof_file.verify(proof_file.parse_proof_file(changed), TRUST, holds)
