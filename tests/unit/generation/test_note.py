"""C2SP signed-note and tlog-checkpoint; the golden log of Tessera."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from candor_generation import signing
from candor_generation.domain import note, tiles
from candor_generation.domain.note import NoteError

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNED = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

# transparency-dev/tessera v1.0.4, testdata/log: its key, its entries, and the SHA-256 of each of its files.
GOLDEN_KEY = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
GOLDEN_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
GOLDEN_ENTRIES = (
    b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
)  # fmt: skip
GOLDEN_CHECKPOINTS = [
    "2a88b2fa27d24b7e57d5dcf73ddcad2075198f97879b45eab3aa8520b89944a9",
    "50026db3bdb6b509d7ce2915bc05f3908857acd48621f0a7cac3f65eb117ed9b",
    "4f2622ccd83c224e6d6d5ee2f99319e4224d7f5de3078bf10fdea9c77864833d",
    "88996b7cfd57cebe7c9c34ce35b7d5bd6b7af0d76f7febe687216ab15644d32c",
    "09eeacdca308e7c415e4e9ac26521938d44eaf03b4a8bc4486679cea852b390f",
    "5dccd69f5e3c761bad6225dbde1603bd21bddbb23f4447eba3ec82c8d9002f8a",
    "3da77775077943d2a9bf17712c1df62587f9ad502a5bcd15b5c6abca164d1e20",
    "6787611cbc401f8bfa4075723028d238290a7bf83a604f55827b34e0c067e7c3",
    "abdebb1c8e1c562d5902f106e741e80e430af4bb7fdaf120d9fe4a3419d6adb8",
    "23e1b039edd148ac31cb53b7fbc5bf8678bf9d85010d4f74173743773958b6c1",
    "b7d1118f304887d9c5eee7d9faac64da15a7564f0d14e0d67126c131b5a63f13",
    "335f7c9273127918020204e371682f900da703faa305059e3a6ab2b8e5294ea1",
    "d5c41a56c1a42885ed25fc4b27bdeed95e187ceb5c85a3e552dcdc85ad4c5f85",
    "2d21becfbf9cb3edba3bc6112cbcdab551667aef4d18466def881988a89f8e5f",
    "b5fc2f2e9f6f3a72ab491042cbecd06b4e0a831933ebae386e3f42f37b764d99",
    "aebf6c3251e27b6a4e265cbbcb3036887ba860071e1df9669cd36179ac82eaed",
]
GOLDEN_TILES = "6147d997134c4e075c775d78f068c9f0f34bde798afab9b0629bf9d4d052c883"
GOLDEN_BUNDLES = "7fed63ecf907418a98f8b444962460fa32b8db032e83f18d185be8fb1e498370"


@pytest.mark.clause("C2SP signed-note")
def test_signed_note_known_answer() -> None:
    parsed = note.parse_note(SIGNED)
    vkey = note.parse_vkey(VKEY)
    note.verify(parsed, vkey, signing.holds)
    assert parsed.text == "This is an example message.\n"
    assert parsed.signed == SIGNED
    assert vkey.text == VKEY


@pytest.mark.clause("C2SP signed-note")
def test_signed_note_with_another_text_is_refused() -> None:
    parsed = note.parse_note(SIGNED.replace("example message", "other message"))
    with pytest.raises(NoteError, match="does not hold"):
        note.verify(parsed, note.parse_vkey(VKEY), signing.holds)


@pytest.mark.clause("C2SP signed-note")
def test_signed_note_unknown_signatures_are_ignored_and_a_missing_one_is_refused() -> None:
    golden = signing.signer_of(GOLDEN_KEY)
    parsed = note.parse_note(SIGNED)
    others = tuple(note.parse_note(golden.sign(parsed.text)).signatures * 16)
    note.verify(note.Note(parsed.text, others + parsed.signatures), note.parse_vkey(VKEY), signing.holds)
    with pytest.raises(NoteError, match="carries no signature"):
        note.verify(note.Note(parsed.text, others), note.parse_vkey(VKEY), signing.holds)


@pytest.mark.clause("C2SP signed-note")
def test_signed_note_one_bad_signature_of_a_known_key_spoils_it() -> None:
    parsed = note.parse_note(SIGNED)
    good = parsed.signatures[0]
    bad = note.Signature(good.name, good.key_id, bytes(64))
    with pytest.raises(NoteError, match="does not hold"):
        note.verify(note.Note(parsed.text, (good, bad)), note.parse_vkey(VKEY), signing.holds)


@pytest.mark.clause("C2SP signed-note")
@pytest.mark.parametrize(
    "signed",
    [
        "",
        "text\n",
        SIGNED.removesuffix("\n"),
        SIGNED.replace("\n\n", "\n"),
        SIGNED.replace("—", "-"),
        SIGNED.replace("message", "mess\tage"),
        SIGNED.replace("example.com/foo ", "example.com/foo  "),
        SIGNED.replace("IneyaQM=", "IneyaQN="),
        "text\n\n— name AAAA\n",
    ],
)
def test_signed_note_malformed(signed: str) -> None:
    with pytest.raises(NoteError):
        note.parse_note(signed)


@pytest.mark.clause("C2SP signed-note")
@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\nb", "a\x00b"])
def test_signed_note_key_names(name: str) -> None:
    with pytest.raises(NoteError):
        note.check_key_name(name)


@pytest.mark.clause("C2SP signed-note")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("+Aek", "+Bek"),
        VKEY[:-4],
    ],
)
def test_signed_note_malformed_verifier_keys(text: str) -> None:
    with pytest.raises(NoteError):
        note.parse_vkey(text)


@pytest.mark.clause("C2SP signed-note")
def test_a_malformed_signer_key_is_not_repeated_in_the_message() -> None:
    for text in (GOLDEN_KEY.replace("33d7b496", "33d7b497"), GOLDEN_KEY[:-4], GOLDEN_KEY.removeprefix("PRIVATE+")):
        with pytest.raises(NoteError) as refused:
            signing.signer_of(text)
        assert "AeymY" not in str(refused.value)


@pytest.mark.clause("C2SP tlog-checkpoint", "RFC 6962 2.1")
def test_golden_log_all_16_checkpoints_byte_for_byte() -> None:
    signer = signing.signer_of(GOLDEN_KEY)
    vkey = note.parse_vkey(GOLDEN_VKEY)
    assert signer.vkey == vkey
    assert note.private_text(vkey.name, vkey.public_key, note.parse_private(GOLDEN_KEY)[1]) == GOLDEN_KEY
    frontier = tiles.Frontier()
    for size, expected in enumerate(GOLDEN_CHECKPOINTS):
        if size:
            frontier, _ = tiles.grow(frontier, [GOLDEN_ENTRIES[size - 1]])
        checkpoint = note.Checkpoint("example.com/log/testdata", size, frontier.root())
        signed = signer.sign(checkpoint.text)
        assert hashlib.sha256(signed.encode()).hexdigest() == expected
        parsed = note.parse_note(signed)
        note.verify(parsed, vkey, signing.holds)
        assert note.parse_checkpoint(parsed.text) == checkpoint
    assert checkpoint.text.splitlines()[2] == "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="


@pytest.mark.clause("C2SP tlog-tiles")
def test_golden_log_all_tiles_and_bundles_byte_for_byte() -> None:
    frontier = tiles.Frontier()
    hashes, bundles = hashlib.sha256(), hashlib.sha256()
    for size, entry in enumerate(GOLDEN_ENTRIES, start=1):
        frontier, full = tiles.grow(frontier, [entry])
        assert not full
        written = {tile.path: content for tile, content in frontier.partials()}
        assert set(written) == {f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"}
        hashes.update(written[f"tile/0/000.p/{size}"])
        bundles.update(written[f"tile/entries/000.p/{size}"])
    assert hashes.hexdigest() == GOLDEN_TILES
    assert bundles.hexdigest() == GOLDEN_BUNDLES


@pytest.mark.clause("C2SP tlog-checkpoint")
def test_a_checkpoint_may_carry_extension_lines() -> None:
    checkpoint = note.Checkpoint("example.com/log", 0, bytes(32), ("extension",))
    assert note.parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.clause("C2SP tlog-checkpoint")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        "origin\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n",
        "origin\n1\nnot base64\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nx\n",
    ],
)
def test_malformed_checkpoints(text: str) -> None:
    with pytest.raises(NoteError):
        note.parse_checkpoint(text)


@pytest.mark.clause("RFC 4648 3.5")
@pytest.mark.parametrize("text", ["AB==", "AAB=", "AA", "AA=", "A===", "AAA=\n", "AA AA", "-_AA", "AAA=AAA="])
def test_rfc_4648_3_5_base64_has_one_form(text: str) -> None:
    with pytest.raises(NoteError, match="base64"):
        note.from_base64(text)


def test_the_log_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.key"
    made = signing.load_or_make(path, "candor.local/log/generation")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="ascii").startswith("PRIVATE+KEY+candor.local/log/generation+")
    assert signing.load_or_make(path, "candor.local/log/generation").vkey == made.vkey
    assert [file.name for file in path.parent.iterdir()] == ["log.key"]


def test_the_key_of_another_log_is_refused(tmp_path: Path) -> None:
    signing.load_or_make(tmp_path / "log.key", "candor.local/log/one")
    with pytest.raises(NoteError, match="not of"):
        signing.load_or_make(tmp_path / "log.key", "candor.local/log/two")
