"""What docs/drills.md shows is right."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from candor_escalation import scenarios
from candor_escalation.drill_command import app
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "drills.md").read_text("utf-8")


def test_the_scenario_of_the_page_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"<!-- example: scenario -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "rehearsal.yaml"
    file.write_text(text, "utf-8")

    assert scenarios.read(file).name == "rehearsal"


def test_the_commands_of_the_page_are_there_with_their_options() -> None:
    (shell,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line.split("#")[0].split() for line in shell.splitlines()]
    known = typer.main.get_command(app)
    commands = known.commands  # type: ignore[attr-defined]  # of a group

    assert {words[2] for words in lines} == set(commands)
    for words in lines:
        options = {option for parameter in commands[words[2]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
    assert "pi_leak" in CliRunner().invoke(app, ["scenarios"]).output
