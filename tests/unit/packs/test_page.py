"""What docs/packs.md shows is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from candor_packs.cli import app
from candor_packs.counting import Rule, Unit
from candor_packs.pack import load
from candor_packs.schema import CountingEntry, ObligationEntry, PackEntry
from candor_packs.vectors import run
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "packs.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: packs/(\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The examples of the page beside the calendars of the repository."""
    (tmp_path / "calendars").mkdir()
    for file in (ROOT / "packs" / "calendars").glob("*.yaml"):
        (tmp_path / "calendars" / file.name).write_text(file.read_text("utf-8"), "utf-8")
    for name, text in EXAMPLES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_the_example_loads_and_its_vectors_come_out(folder: Path) -> None:
    (pack,) = load(folder)

    assert len(pack.vectors) == 2
    assert [mistake.message for mistake in run(pack)] == []


def test_the_commands_of_the_page_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    commands = re.findall(r"^candor policy (explain.+)$", PAGE, re.MULTILINE)
    assert commands
    for command in commands:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
        outcome = CliRunner().invoke(app, words)
        assert outcome.exit_code == 0, outcome.output
        assert "eu.gdpr.33/authority" in outcome.output


def test_the_page_names_every_field_rule_and_unit() -> None:
    fields = {*PackEntry.model_fields, *ObligationEntry.model_fields, *CountingEntry.model_fields}
    told = set(re.findall(r"[`\s:{(,]([a-z][a-z0-9_-]*)", PAGE))

    assert {*fields, *Rule, *Unit} - told == set()
