"""C2SP tlog-cosignature and tlog-witness: what is signed, what is sent, what an answer means."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from candor_generation.domain import cosignature, note, witnessing
from candor_generation.domain.note import COSIGNATURE, Note, NoteError, Signature, Vkey
from candor_generation.domain.policy import Witness
from candor_generation.domain.witnessing import Answer, Outcome, WitnessError
from candor_generation.signing import Signer, holds
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
WITNESS = Vkey("witness.example.com/w1", PUBLIC, COSIGNATURE)


def line(stamp: int = 1_679_315_147, text: str = TEXT) -> Signature:
    return cosignature.line_of(WITNESS, stamp, KEY.sign(cosignature.signed_message(text, stamp)))


@pytest.mark.clause("C2SP tlog-cosignature")
def test_tlog_cosignature_by_its_definition() -> None:
    message = (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    assert cosignature.signed_message(TEXT, 1_679_315_147) == message
    identifier = hashlib.sha256(b"witness.example.com/w1\n\x04" + PUBLIC).digest()[:4]
    blob = identifier + struct.pack(">Q", 1_679_315_147) + KEY.sign(message)
    assert len(blob) == 4 + 8 + 64
    assert line().line == f"— witness.example.com/w1 {base64.b64encode(blob).decode()}\n"
    found = cosignature.verify(Note(TEXT, (line(),)), WITNESS, holds)
    assert found is not None
    assert found.timestamp == 1_679_315_147


@pytest.mark.clause("C2SP tlog-cosignature")
def test_tlog_cosignature_keys_are_of_their_own_type() -> None:
    # A public witness's key, with the id that its operator publishes.
    text = "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"
    assert cosignature.parse_key(text).text == text
    with pytest.raises(NoteError, match="type 1"):
        note.parse_vkey(text)
    with pytest.raises(NoteError, match="type 4"):
        cosignature.parse_key(Signer("example.com/log", bytes(32)).vkey.text)
    # The same public key as a log's signs nothing here: its id is another.
    plain = Vkey(WITNESS.name, PUBLIC)
    assert plain.key_id != WITNESS.key_id
    with pytest.raises(NoteError, match="carries no signature"):
        note.verify(Note(TEXT, (line(),)), plain, holds)


@pytest.mark.clause("C2SP tlog-cosignature")
def test_tlog_cosignature_the_latest_counts_and_others_are_ignored() -> None:
    stranger = Signature("witness.example.com/w1", b"abcd", b"anything")
    signed = Note(TEXT, (stranger, line(5), line(9), line(7)))
    found = cosignature.verify(signed, WITNESS, holds)
    assert found is not None
    assert found.timestamp == 9
    assert cosignature.verify(Note(TEXT, (stranger,)), WITNESS, holds) is None


@pytest.mark.clause("C2SP tlog-cosignature")
@pytest.mark.parametrize(
    "wrong",
    [
        line(text=TEXT.replace("3\n", "4\n", 1)),
        Signature(WITNESS.name, WITNESS.key_id, (6).to_bytes(8, "big") + line(5).blob[8:]),
        Signature(WITNESS.name, WITNESS.key_id, KEY.sign(TEXT.encode())),
        Signature(WITNESS.name, WITNESS.key_id, line(5).blob + b"\0"),
        line(2**63),
    ],
    ids=["other text", "other time", "plain signature", "too long", "time beyond 2^63 - 1"],
)
def test_tlog_cosignature_one_that_does_not_hold_spoils_the_note(wrong: Signature) -> None:
    with pytest.raises(NoteError):
        cosignature.verify(Note(TEXT, (line(), wrong)), WITNESS, holds)


@pytest.mark.clause("C2SP tlog-witness")
def test_tlog_witness_request_of_the_specification() -> None:
    hashes = ["PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk="]
    body = witnessing.request(20_852_014, [note.from_base64(item) for item in hashes], f"{TEXT}\n— a AAAAAAA=\n")
    assert body.decode() == f"old 20852014\n{hashes[0]}\n{hashes[1]}\n\n{TEXT}\n— a AAAAAAA=\n"
    assert witnessing.request(0, [], TEXT).decode() == f"old 0\n\n{TEXT}"


SIGNED = Note(TEXT, ())
ASKED = Witness("w", WITNESS)
SIZE = "text/x.tlog.size"


def read(status: int, content: bytes = b"", content_type: str = "", old: int = 3, size: int = 9) -> object:
    return witnessing.read_answer(Answer(status, content_type, content), SIGNED, old, size, ASKED, holds)


@pytest.mark.clause("C2SP tlog-witness")
def test_tlog_witness_answers_that_lead_on() -> None:
    assert read(409, b"7\n", SIZE) == 7
    assert read(409, b"0\n", f"{SIZE}; charset=utf-8") == 0
    assert read(409, b"9\n", SIZE) == 9
    assert isinstance(read(200, line().line.encode()), cosignature.Cosignature)


@pytest.mark.clause("C2SP tlog-witness")
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((409, b"3\n", SIZE), Outcome.MALFORMED),
        ((409, b"7\n", "text/plain"), Outcome.MALFORMED),
        ((409, b"7", SIZE), Outcome.MALFORMED),
        ((409, b"07\n", SIZE), Outcome.MALFORMED),
        ((409, b"10\n", SIZE), Outcome.AHEAD),
        ((409, b"9\n", SIZE, 9), Outcome.FORKED),
        ((409, b"", "", 9), Outcome.FORKED),
        ((422,), Outcome.FORKED),
        ((422, b"", "", 9), Outcome.FORKED),
        ((422, b"", "", 0), Outcome.REFUSED),
        ((400,), Outcome.REFUSED),
        ((403,), Outcome.REFUSED),
        ((404,), Outcome.REFUSED),
        ((302,), Outcome.REFUSED),
        ((500,), Outcome.REFUSED),
        ((200, b""), Outcome.MALFORMED),
        ((200, b"\n"), Outcome.MALFORMED),
        ((200, line().line.encode()[:-1]), Outcome.MALFORMED),
        ((200, Signer("a", bytes(32)).sign("x\n").partition("\n\n")[2].encode()), Outcome.FORGED),
    ],
)
def test_tlog_witness_answers_that_do_not(answer: tuple[object, ...], outcome: Outcome) -> None:
    with pytest.raises(WitnessError) as refused:
        read(*answer)  # type: ignore[arg-type]
    assert refused.value.outcome is outcome


@given(
    st.sampled_from([200, 409, 422, 404]),
    st.binary(max_size=200),
    st.sampled_from([SIZE, "", "text/html"]),
    st.integers(0, 9),
)
@example(409, b"\xd9\xa3\n", SIZE, 3)
def test_whatever_a_witness_answers_is_read_or_refused(status: int, content: bytes, kind: str, old: int) -> None:
    try:
        found = read(status, content, kind, old)
    except WitnessError:
        return
    assert isinstance(found, int)
    assert found != old
    assert 0 <= found <= 9


@given(st.one_of(st.text(), st.text(alphabet="\n —+abAB=/ \x00\x7f\ud800é01")))
@example("\ud800\n\n— a AAAAAAA=\n")
@example("a\n\n— \ud800 AAAAAAA=\n")
def test_whatever_is_read_as_a_note_is_one_or_refused(text: str) -> None:
    for parse in (note.parse_note, note.parse_checkpoint, note.parse_vkey, note.parse_private, cosignature.parse_key):
        try:
            found = parse(text)
        except NoteError:
            continue
        if isinstance(found, Note):
            assert found.signed == text
            cosignature.verify(found, WITNESS, holds)
        if isinstance(found, note.Checkpoint):
            assert found.text.removesuffix("\n") == text.removesuffix("\n")


@given(st.binary(min_size=1, max_size=80), st.integers(0, 1 << 20))
def test_a_bit_anywhere_in_a_cosigned_checkpoint_spoils_it(noise: bytes, at: int) -> None:
    signed = Note(TEXT, (line(),)).signed.encode()
    place = at % len(signed)
    changed = signed[:place] + bytes([signed[place] ^ (noise[0] | 1)]) + signed[place + 1 :]
    try:
        parsed = note.parse_note(changed.decode())
        found = cosignature.verify(parsed, WITNESS, holds)
    except (NoteError, UnicodeDecodeError):
        return
    assert found is None
