"""The reserved code of a label: it leads to the log, and only the log's own label keys can make it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from candor_generation import labelkey
from candor_generation.domain import labelcode, note
from candor_generation.domain.labelcode import LabelCode, LabelCodeError
from candor_generation.labelkey import LabelKey
from candor_generation.signing import LogKey, Signer
from hypothesis import given
from hypothesis import strategies as st

ORIGIN = "log.example.com/generation"
ID = "01933b2e-7f00-7000-8000-000000000001"
OTHER_ID = "01933b2e-7f00-7000-8000-000000000002"


@pytest.fixture
def log_key(tmp_path: Path) -> LogKey:
    return LogKey(tmp_path / "log.key", ORIGIN)


@pytest.fixture
def key(tmp_path: Path, log_key: LogKey) -> LabelKey:
    return LabelKey(tmp_path / "label.key", tmp_path / "label-certificates", log_key)


def certificate(key: LabelKey) -> str:
    text = key.certificate(key.signer.vkey.key_id.hex())
    assert text is not None
    return text


def as_code(parts: tuple[str, str]) -> str:
    return f"v1.{parts[0]}.0a0b0c0d.{parts[1]}"


@pytest.mark.clause("GB 45438-2025 Annex E")
def test_gb_45438_annex_e_the_code_keeps_to_the_characters_allowed(key: LabelKey) -> None:
    code = key.sign(ID)
    assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}", code)
    assert labelcode.parse(code).text == code


def test_the_same_content_gets_the_same_code(key: LabelKey) -> None:
    assert key.sign(ID) == key.sign(ID) != key.sign(OTHER_ID)


@pytest.mark.clause("GB 45438-2025 Annex F")
def test_a_label_is_checked_with_the_logs_key_alone(key: LabelKey, log_key: LogKey) -> None:
    found = labelkey.verify(key.sign(ID), ID, [certificate(key)], log_key.signer.vkey)
    assert found.origin == ORIGIN


def test_the_label_key_is_not_the_logs_key(key: LabelKey, log_key: LogKey) -> None:
    assert key.signer.vkey.public_key != log_key.signer.vkey.public_key


@pytest.mark.clause("GB 45438-2025 Annex F")
def test_a_code_moved_to_other_content_does_not_hold(key: LabelKey) -> None:
    with pytest.raises(LabelCodeError, match="does not hold"):
        key.check(key.sign(ID), OTHER_ID)


def test_a_certificate_of_somebody_else_is_worth_nothing(key: LabelKey, log_key: LogKey) -> None:
    forged = Signer(labelcode.key_name(ORIGIN), b"f" * 32)
    impostor = Signer(ORIGIN, b"i" * 32)
    text = impostor.sign(labelcode.certificate_text(ORIGIN, forged.vkey))
    with pytest.raises(LabelCodeError, match="certificate"):
        labelkey.verify(key.sign(ID), ID, [text], log_key.signer.vkey)


def test_without_the_certificate_nothing_is_believed(key: LabelKey, log_key: LogKey) -> None:
    with pytest.raises(LabelCodeError, match="no certificate"):
        labelkey.verify(key.sign(ID), ID, [], log_key.signer.vkey)


def test_a_checkpoint_is_no_certificate(key: LabelKey, log_key: LogKey) -> None:
    checkpoint = log_key.signer.sign(note.Checkpoint(ORIGIN, 1, bytes(32)).text)
    with pytest.raises(LabelCodeError, match="certificate"):
        labelkey.verify(key.sign(ID), ID, [checkpoint], log_key.signer.vkey)


def test_a_label_of_another_log_is_foreign(key: LabelKey) -> None:
    foreign = LabelCode("elsewhere.example", b"abcd", bytes(64)).text
    assert key.is_foreign(foreign)
    assert key.is_foreign("anything")
    assert not key.is_foreign(key.sign(ID))
    with pytest.raises(LabelCodeError, match="another log"):
        key.check(foreign, ID)


def test_labels_of_a_former_key_hold_after_a_new_one_is_made(tmp_path: Path, key: LabelKey, log_key: LogKey) -> None:
    old = key.sign(ID)
    (tmp_path / "label.key").unlink()
    renewed = LabelKey(tmp_path / "label.key", tmp_path / "label-certificates", log_key)
    assert renewed.sign(ID) != old
    assert renewed.check(old, ID).origin == renewed.check(renewed.sign(ID), ID).origin == ORIGIN


def test_the_key_is_made_once_and_read_again(tmp_path: Path, key: LabelKey, log_key: LogKey) -> None:
    again = LabelKey(tmp_path / "label.key", tmp_path / "label-certificates", log_key)
    assert again.sign(ID) == key.sign(ID)
    assert (tmp_path / "label.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key_id", ["", "../../../etc", "0" * 8, "ABCDEF01", "abcdef0", "/abcdef0"])
def test_only_certificates_are_served(key: LabelKey, key_id: str) -> None:
    assert key.signer
    assert key.certificate(key_id) is None


@given(
    st.one_of(
        st.text(), st.tuples(st.text("Aa0-_é", max_size=9), st.text("Az9", min_size=86, max_size=86)).map(as_code)
    )
)
def test_fuzz_codes_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(LabelCodeError):
        assert labelcode.parse(text).text == text


@given(st.text())
def test_fuzz_certificates_are_read_or_refused(text: str) -> None:
    with pytest.raises(note.NoteError):
        labelcode.parse_certificate(f"candor label key\n{text}\n")
