"""The log entry: canonical, and silent about persons."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from candor_generation.domain import evidence, leaf, merkle, note
from candor_generation.domain.evidence import EvidenceError
from candor_generation.domain.generation import Decision, Meta, Modality, Payload
from candor_generation.domain.leaf import LeafError
from candor_generation.domain.merkle import ProofError
from candor_generation.signing import Signer, holds
from hypothesis import given
from hypothesis import strategies as st

KEY = bytes(range(32))
META = Meta(
    "01933b2e-7f00-7000-8000-000000000001",
    datetime(2026, 11, 22, 8, 0, 0, 250000, tzinfo=UTC),
    "example",
    "example-7b",
    "chat",
    "zh-CN",
    Modality.TEXT,
)
PAYLOAD = Payload("user-1", "你好", "你好，有什么可以帮您？")


def made(payload: Payload = PAYLOAD, key: bytes = KEY) -> leaf.Leaf:
    commitments = leaf.commit(leaf.commitment_key(key), payload)
    return leaf.make(META, "1", Decision.ALLOW, hashlib.sha256(b"").digest(), commitments)


ENTRY = leaf.encode(made())


def test_an_entry_is_these_bytes() -> None:
    commitments = made().commitments
    assert ENTRY.decode() == (
        f'{{"commitments":{{"output":"{commitments.output.hex()}","prompt":"{commitments.prompt.hex()}",'
        f'"subject":"{commitments.subject.hex()}"}},"decision":"allow","id":"01933b2e-7f00-7000-8000-000000000001",'
        '"kind":"generation","label":"1","library":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",'
        '"modality":"text","model":"example-7b","time":"2026-11-22T08:00:00.250000Z","v":1}'
    )


@given(
    st.text(), st.text(), st.from_regex(r"[A-Za-z0-9_.:-]{1,128}", fullmatch=True), st.binary(min_size=32, max_size=32)
)
def test_an_entry_is_read_back_and_fits(prompt: str, output: str, subject: str, key: bytes) -> None:
    written = made(Payload(subject, prompt, output), key)
    entry = leaf.encode(written)
    assert leaf.decode(entry) == written
    assert len(entry) < 1000


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_gdpr_17_an_entry_holds_nothing_personal_and_no_plain_hash_of_it() -> None:
    for value in (PAYLOAD.subject, PAYLOAD.prompt, PAYLOAD.output):
        assert value.encode() not in ENTRY
        for name in ("sha256", "sha1", "md5", "sha512"):
            assert hashlib.new(name, value.encode()).hexdigest().encode() not in ENTRY


@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_gdpr_17_without_the_key_equal_payloads_look_unlike() -> None:
    one, two = made(key=KEY).commitments, made(key=bytes(32)).commitments
    assert one.subject != two.subject
    assert one.prompt != two.prompt
    assert one.output != two.output


def test_equal_fields_of_one_record_look_unlike() -> None:
    same = made(Payload("same", "same", "same")).commitments
    assert len({same.subject, same.prompt, same.output}) == 3


@pytest.mark.clause("RFC 5869 2.3")
def test_rfc_5869_2_3_the_commitment_key_is_one_expand_step() -> None:
    expected = hmac.new(KEY, b"candor generation commitment 1" + b"\x01", hashlib.sha256).digest()
    assert leaf.commitment_key(KEY) == expected


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        ENTRY + b" ",
        ENTRY.replace(b'"v":1', b'"v":2'),
        ENTRY.replace(b'"v":1', b'"v":1,"x":2'),
        ENTRY.replace(b'"allow"', b'"ALLOW"'),
        ENTRY.replace(b'"text"', b'"smell"'),
        ENTRY.replace(b"commitments", b"commitment"),
        ENTRY.replace(b'"prompt"', b'"question"'),
        ENTRY.replace(b"8:00:00.250000Z", b"8:00:00Z"),
    ],
)
def test_what_is_not_canonical_is_refused(entry: bytes) -> None:
    with pytest.raises(LeafError):
        leaf.decode(entry)


@pytest.mark.clause("C2SP tlog-tiles")
def test_an_entry_that_no_bundle_can_carry_is_refused() -> None:
    with pytest.raises(LeafError, match="too long"):
        leaf.encode(replace(made(), model="m" * 65_536))


SIGNER = Signer("candor.local/log/generation", bytes(32))
OTHERS = [b"before", b"after"]


def evidence_of(entry: bytes = ENTRY) -> evidence.Evidence:
    hashes = [merkle.leaf_hash(item) for item in (OTHERS[0], entry, OTHERS[1])]
    checkpoint = note.Checkpoint(SIGNER.vkey.name, 3, merkle.tree_hash(hashes))
    return evidence.Evidence(
        SIGNER.vkey.name,
        1,
        entry,
        (hashes[0], hashes[2]),
        SIGNER.sign(checkpoint.text),
        evidence.Opening(leaf.commitment_key(KEY), PAYLOAD),
    )


@pytest.mark.clause("RFC 9162 2.1.3.2", "C2SP tlog-checkpoint")
def test_evidence_that_fits_together_holds() -> None:
    item = evidence_of()
    checkpoint = evidence.check_checkpoint(item.checkpoint, item.origin, SIGNER.vkey, holds)
    evidence.check_inclusion(item, checkpoint)
    assert item.opening is not None
    evidence.check_opening(item.entry, item.opening)


@pytest.mark.clause("C2SP tlog-checkpoint")
def test_a_checkpoint_of_another_log_or_key_is_refused() -> None:
    item = evidence_of()
    with pytest.raises(EvidenceError, match="of the log"):
        evidence.check_checkpoint(item.checkpoint, "candor.local/log/other", SIGNER.vkey, holds)
    with pytest.raises(note.NoteError):
        evidence.check_checkpoint(item.checkpoint, item.origin, Signer(item.origin, b"\x01" * 32).vkey, holds)


@pytest.mark.clause("RFC 9162 2.1.3.2")
def test_evidence_with_another_entry_is_refused() -> None:
    item = evidence_of()
    checkpoint = evidence.check_checkpoint(item.checkpoint, item.origin, SIGNER.vkey, holds)
    with pytest.raises(ProofError):
        evidence.check_inclusion(replace(item, entry=ENTRY.replace(b"7b", b"8b")), checkpoint)


@pytest.mark.clause("GDPR 17(1)")
@pytest.mark.parametrize("field", ["subject", "prompt", "output"])
def test_an_opening_that_tells_another_story_is_refused(field: str) -> None:
    opening = evidence.Opening(leaf.commitment_key(KEY), replace(PAYLOAD, **{field: "another"}))
    with pytest.raises(EvidenceError, match=f"another {field}"):
        evidence.check_opening(ENTRY, opening)
