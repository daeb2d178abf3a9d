"""A YAML file as plain data: what may stand in it, and what is refused before it costs anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from candor_packs.document import PackError, read


def data(folder: Path, text: str) -> object:
    file = folder / "x.yaml"
    file.write_text(text, "utf-8")
    return read(file).data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("17:30", "17:30"),
        ("2026-01-31", "2026-01-31"),
        ('"12"', "12"),
        ("~", None),
        ("", None),
        ("null", None),
        ('""', ""),
    ],
)
def test_a_plain_value_is_what_yaml_1_2_says_and_a_date_stays_text(tmp_path: Path, written: str, value: object) -> None:
    found = data(tmp_path, f"a: {written}\n")

    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2\n", 2, "stands here twice"),
        ("a: 1\nb: &x [1]\nc: *x\n", 3, "alias"),
        ("a: &a [*a]\n", 1, "alias"),
        ("a: " + "[" * 400_000, 1, "nested too deeply"),
        ("a: " + "[" * 2_000 + "]" * 2_000, 1, "nested too deeply"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "is no plain"),
        ("a: 0123\n", 1, "is no text, number"),
        ("a: !!binary aGk=\n", 1, "is no text"),
        ("a:\n\tb: 1\n", 2, "no valid YAML"),
        ("a: [1\n", 2, "no valid YAML"),
        ("a: \0\n", 1, "no valid YAML"),
    ],
)
def test_what_is_refused_says_where(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(PackError) as refused:
        data(tmp_path, text)

    assert refused.value.line == line
    assert message in refused.value.message


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="larger than"):
        data(tmp_path, "a" * 1_000_001)
    (tmp_path / "y.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(PackError, match="cannot be read"):
        read(tmp_path / "y.yaml")
