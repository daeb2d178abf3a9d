"""Content credentials (C2PA): a manifest that leads to the log entry, read back by the C2PA library's own reader."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import c2pa
import pytest
from candor_generation import credentials
from candor_generation import identity as identities
from candor_generation.carriers.base import Carrier, CarrierError
from candor_generation.carriers.mp3 import Mp3
from candor_generation.carriers.mp4 import Mp4
from candor_generation.carriers.vorbis import Flac
from candor_generation.carriers.wav import Wav
from candor_generation.credentials import Credentials, Maker, Pointer, Reading
from candor_generation.identity import Identity
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from media_samples import LABEL, film, labelled, sound, values, wav
from PIL import Image

NOW = datetime.now(tz=UTC) - timedelta(days=1)
POINTER = Pointer("log.example/gen", "01933b2e-7f00-7000-8000-000000000001")
MAKER = Maker("probe-model", "3")


@cache
def identity() -> Identity:
    return identities.self_made("Probe Ltd", NOW)


@cache
def content(media_type: str) -> bytes:
    kind = media_type.partition("/")[2]
    if media_type.startswith("image/"):
        file = io.BytesIO()
        Image.new("RGB", (32, 32), "red").save(file, kind.upper())
        return file.getvalue()
    made: dict[str, Callable[[], bytes]] = {
        "wav": wav,
        "mpeg": lambda: sound("mp3", "libmp3lame", 0.3),
        "flac": lambda: sound("flac", "flac", 0.3),
        "mp4": lambda: film("mp4", "faststart", 0.3),
        "quicktime": lambda: film("mov", "", 0.3),
    }
    return made[kind]()


def signed(media_type: str, data: bytes, who: Identity | None = None, parent: bytes | None = None) -> bytes:
    out = io.BytesIO()
    Credentials(who or identity(), version="0.1").sign(
        io.BytesIO(data),
        out,
        media_type,
        pointer=POINTER,
        maker=MAKER,
        when=NOW,
        parent=None if parent is None else io.BytesIO(parent),
    )
    return out.getvalue()


def read(media_type: str, data: bytes, anchors: bytes = b"") -> Reading:
    found = credentials.read(io.BytesIO(data), media_type, anchors=anchors)
    assert found is not None
    return found


def manifest(media_type: str, data: bytes) -> dict[str, object]:
    with c2pa.Reader(media_type, io.BytesIO(data)) as reader:
        store = json.loads(reader.json())
    active: dict[str, object] = store["manifests"][store["active_manifest"]]
    return active


MEDIA = [
    "image/png", "image/jpeg", "image/webp", "audio/wav", "audio/mpeg", "audio/flac", "video/mp4", "video/quicktime",
]  # fmt: skip


@pytest.mark.clause("AI Act 50(2)")
@pytest.mark.parametrize("media_type", MEDIA)
def test_ai_act_50_2_a_manifest_leads_to_the_log_entry_and_says_a_model_made_it(media_type: str) -> None:
    out = signed(media_type, content(media_type))
    assert read(media_type, out, identity().anchor) == Reading("Trusted", POINTER, "Probe Ltd", (), 0)
    active = manifest(media_type, out)
    assertions = {each["label"]: each["data"] for each in active["assertions"]}  # type: ignore[attr-defined]
    action = assertions["c2pa.actions.v2"]["actions"][0]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert action["softwareAgent"] == {"name": "probe-model", "version": "3"}
    assert assertions["dev.candor.genlog"] == {"log": POINTER.origin, "generation": POINTER.generation_id}


def test_to_who_does_not_know_the_authority_it_is_valid_but_not_trusted() -> None:
    found = read("audio/wav", signed("audio/wav", wav()))
    assert (found.state, found.failures) == ("Valid", ("signingCredential.untrusted",))
    other = identities.self_made("Other", NOW).anchor
    assert read("audio/wav", signed("audio/wav", wav()), other).state == "Valid"


@pytest.mark.parametrize("media_type", ["image/png", "audio/mpeg", "video/mp4"])
def test_a_manifest_that_is_there_becomes_the_parent(media_type: str) -> None:
    first = signed(media_type, content(media_type), identities.self_made("Producer", NOW))
    again = signed(media_type, first)
    assert read(media_type, again, identity().anchor) == Reading("Trusted", POINTER, "Probe Ltd", (), 1)
    with c2pa.Reader(media_type, io.BytesIO(again)) as reader:
        store = json.loads(reader.json())
    assert sorted(each["signature_info"]["issuer"] for each in store["manifests"].values()) == ["Probe Ltd", "Producer"]


@pytest.mark.parametrize(
    ("media_type", "carrier"),
    [
        ("audio/wav", Wav()),
        ("audio/mpeg", Mp3()),
        ("audio/flac", Flac()),
        ("video/mp4", Mp4()),
        ("video/quicktime", Mp4()),
    ],
)
def test_the_metadata_label_goes_in_before_and_both_hold(media_type: str, carrier: Carrier) -> None:
    out = signed(media_type, labelled(carrier, content(media_type)))
    assert values(carrier, out) == [LABEL.bare]
    assert read(media_type, out, identity().anchor).state == "Trusted"
    after = labelled(carrier, signed(media_type, content(media_type)))
    assert read(media_type, after).state == "Invalid"


@pytest.mark.parametrize("media_type", ["audio/wav", "audio/mpeg", "video/mp4"])
def test_a_label_that_breaks_a_manifest_leaves_the_original_as_parent(media_type: str) -> None:
    carriers: dict[str, Carrier] = {"audio/wav": Wav(), "audio/mpeg": Mp3(), "video/mp4": Mp4()}
    carrier = carriers[media_type]
    original = signed(media_type, content(media_type), identities.self_made("Producer", NOW))
    out = signed(media_type, labelled(carrier, original), parent=original)
    assert read(media_type, out, identity().anchor) == Reading("Trusted", POINTER, "Probe Ltd", (), 1)


def test_a_changed_byte_is_found() -> None:
    out = bytearray(signed("audio/wav", wav()))
    out[200] ^= 1
    assert read("audio/wav", bytes(out)).state == "Invalid"


def test_nothing_of_the_content_is_shown_in_the_manifest() -> None:
    assert "thumbnail" not in manifest("image/png", signed("image/png", content("image/png")))


def test_a_file_without_a_manifest_has_none() -> None:
    assert credentials.read(io.BytesIO(wav()), "audio/wav") is None


@pytest.mark.parametrize(
    ("media_type", "data", "reason"),
    [
        ("audio/ogg", b"OggS", "UNSUPPORTED_MEDIA"),
        ("text/plain", b"text", "UNSUPPORTED_MEDIA"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK", "UNSUPPORTED_MEDIA"),
        ("image/png", b"no picture", "FILE_MALFORMED"),
        ("video/mp4", b"\0\0\0\x10ftyp", "FILE_MALFORMED"),
        ("audio/wav", bytes(65 * 1024 * 1024), "FILE_TOO_LARGE"),
    ],
)
def test_what_cannot_be_signed_is_refused(media_type: str, data: bytes, reason: str) -> None:
    with pytest.raises(CarrierError, match=reason):
        signed(media_type, data)
    with pytest.raises(CarrierError):
        read(media_type, data[:1000] if reason != "FILE_TOO_LARGE" else data)


def test_the_identity_of_a_folder_is_made_once_and_kept_secret(tmp_path: Path) -> None:
    first = identities.load_or_make(tmp_path / "c2pa", "Probe Ltd", NOW)
    assert identities.load_or_make(tmp_path / "c2pa", "Somebody else", NOW) == first
    assert (tmp_path / "c2pa" / "c2pa-key.pem").stat().st_mode & 0o777 == 0o600
    assert repr(first.key) not in repr(first)
    leaf, root = x509.load_pem_x509_certificates(first.chain)
    leaf.verify_directly_issued_by(root)
    assert root.not_valid_after_utc == NOW.replace(microsecond=0) + timedelta(days=3650)


def test_a_key_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_bytes(identity().chain)
    for wrong in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        key.write_bytes(
            wrong.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        with pytest.raises(ValueError, match="key for content credentials"):
            identities.load(chain, key)
    key.write_bytes(b"no key")
    with pytest.raises(ValueError, match="PEM"):
        identities.load(chain, key)
