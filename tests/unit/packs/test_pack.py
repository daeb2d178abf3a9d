from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from candor_packs.cli import app
from candor_packs.pack import PackError, in_force, load
from typer.testing import CliRunner

from .builders import PACK, write


def refusal(folder: Path) -> PackError:
    with pytest.raises(PackError) as refused:
        load(folder)
    return refused.value


@pytest.mark.parametrize(
    ("right", "wrong", "line", "field", "message"),
    [
        ("due: {n: 72, unit: hours}", "due: {n: 72, unit: fortnights}", 21, "obligations[0].due.unit", "hours"),
        ("due: {n: 72, unit: hours}", "due: {n: 0, unit: hours}", 21, "obligations[0].due.n", "greater"),
        ("due: {n: 72, unit: hours}", "due: null", 16, "obligations[0]", "objective"),
        ("    anchor: aware\n", "", 16, "obligations[0].anchor", "missing"),
        ("status: draft", "status: final", 9, "status", "draft"),
        ("status: draft", "status: reviewed", 9, "status", "names who reviewed"),
        ("status: draft", "status: draft\nowner: me", 10, "owner", "no such field"),
        ("from: 2026-01-01", "from: 2026-13-01", 8, "in_force.from", "date"),
        ("to: null", "to: 2025-01-01", 8, "in_force", "ends before"),
        ("persons > 5", "persons >", 14, "trigger", "no valid CEL"),
        ("persons > 5", "people > 5", 14, "trigger", "people: not declared"),
        ("persons > 5", 'persons.matches("x")', 14, "trigger", "may not use matches"),
        ("zone: UTC", "zone: Mars", 11, "counting.zone", "no time zone"),
        ("zone: UTC", "zone: UTC, calendar: moon", 11, "counting.calendar", "no calendar"),
        ("template: form", "template: letter", 22, "obligations[0].template", "letter.zh.txt"),
        ("    template: form\n", "", 16, "obligations[0]", "template"),
        ("kind: incident", "kind: request", 1, "regime", "request pack"),
        ("trigger: kind", "trigger: kind\ntrigger: kind", 15, "trigger", "twice"),
        ("obligation: report, answer", "obligation: other, answer", 28, "vectors[0].expect[0].obligation", "other"),
        ("facts: {kind: leak", "facts: {Kind: leak", 25, "vectors[0].facts.Kind", "pattern"),
        ('00:00:00Z"}\n    expect', '00:00:00"}\n    expect', 26, "vectors[0].anchors", "zone"),
        ("status: draft", "status: [draft", 10, "", "YAML"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_line_field_and_reason(
    tmp_path: Path, right: str, wrong: str, line: int, field: str, message: str
) -> None:
    assert right in PACK
    error = refusal(write(tmp_path, PACK.replace(right, wrong, 1)))

    assert (error.file.name, error.line, error.field) == ("xx.yaml", line, field)
    assert message in error.message
    assert str(error).startswith(f"{error.file}:{line}: {field}")


def test_a_template_may_only_name_what_the_pack_declares(tmp_path: Path) -> None:
    error = refusal(write(tmp_path, en="Persons: ${persons}\nCulprit: ${culprit}\n"))

    assert (error.file.name, error.line, error.field) == ("form.en.txt", 2, "culprit")


@pytest.mark.parametrize("text", ["$persons", "${persons", "100 $", "${Persons}", "$$"])
def test_a_template_field_is_written_one_way(tmp_path: Path, text: str) -> None:
    assert refusal(write(tmp_path, zh=text)).line == 1


def test_two_readings_of_one_law_may_not_be_in_force_at_once(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "xy.yaml").write_text(PACK, "utf-8")

    assert "in force twice" in refusal(tmp_path).message


def test_the_reading_in_force_at_the_anchor_applies(tmp_path: Path) -> None:
    write(tmp_path, PACK.replace("to: null", "to: 2026-06-30"))
    (tmp_path / "xy.yaml").write_text(
        PACK.replace('version: "1"', 'version: "2"').replace("from: 2026-01-01", "from: 2026-07-01"), "utf-8"
    )
    packs = load(tmp_path)

    assert [pack.version for pack in in_force(packs, datetime(2026, 6, 30, 23, 59, tzinfo=UTC))] == ["1"]
    assert [pack.version for pack in in_force(packs, datetime(2026, 7, 1, tzinfo=UTC))] == ["2"]
    assert in_force(packs, datetime(2025, 12, 31, tzinfo=UTC)) == ()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no directory" in refusal(tmp_path / "nowhere").message


def test_policy_lint_names_the_mistake_and_fails(tmp_path: Path) -> None:
    write(tmp_path, PACK.replace("hours", "fortnights"))
    outcome = CliRunner().invoke(app, ["lint", str(tmp_path)])

    assert outcome.exit_code == 2
    assert "xx.yaml:21: obligations[0].due.unit" in outcome.output


def test_policy_test_counts_vectors_and_wrong_ones(tmp_path: Path) -> None:
    right = CliRunner().invoke(app, ["test", str(write(tmp_path))])
    wrong = CliRunner().invoke(app, ["test", str(write(tmp_path, PACK.replace("n: 72", "n: 96")))])

    assert (right.exit_code, right.output) == (0, "1 vectors, 0 wrong\n")
    assert wrong.exit_code == 1
    assert "1 vectors, 1 wrong" in wrong.output
    assert "a leak: report: falls due" in wrong.output
