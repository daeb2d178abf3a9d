"""Scenarios of drills: what a file may say, what is wrong in it, and what comes with the service."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from candor.escalation.v1 import drill_pb2
from candor_escalation import drill_codec, scenarios
from candor_escalation.domain import drill
from candor_escalation.domain.clock import Duty
from candor_escalation.domain.incident import opened
from candor_escalation.drill_command import app
from candor_escalation.policy import Policy, load
from candor_kit import validation
from candor_packs.document import PackError
from typer.testing import CliRunner

from .builders import INCIDENT, NOON

ROOT = Path(__file__).resolve().parents[3]
RIGHT = """\
name: rehearsal
kind: pi_leak
title: A bucket
facts:
  persons: 12
  kinds: [phone, 7]
anchors:
  - {name: aware, minutes_ago: 5}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "rehearsal.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_file_is_a_scenario_whose_numbers_are_all_alike(tmp_path: Path) -> None:
    scenario = scenarios.read(written(tmp_path, RIGHT))

    assert (scenario.name, scenario.kind, scenario.title) == ("rehearsal", "pi_leak", "A bucket")
    assert scenario.facts == {"persons": 12.0, "kinds": ["phone", 7.0]}
    assert isinstance(scenario.facts["persons"], float)
    assert [(one.name, one.before) for one in scenario.instants] == [("aware", timedelta(minutes=5))]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("title: A bucket", "titel: A bucket", ":3: titel: no such field"),
        ("kind: pi_leak", "kind: PI leak", ":2: kind: "),
        ("name: rehearsal", "name: re hearsal", ":1: name: "),
        ("  - {name: aware, minutes_ago: 5}", "  - {name: aware, minutes_ago: -5}", ":8: anchors[0].minutes_ago: "),
        ("  - {name: aware, minutes_ago: 5}", "  - {name: aware, at: noon}", ":8: anchors[0].at: no such field"),
        ("anchors:\n  - {name: aware, minutes_ago: 5}\n", "", ": anchors: is missing"),
        ("persons: 12", "persons: .inf", ""),
        ("persons: 12", "persons: *all", ":5: an alias"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in RIGHT
    file = written(tmp_path, RIGHT.replace(before, after))
    if not said:  # a text, as YAML 1.2 without its special numbers reads it
        assert scenarios.read(file).facts["persons"] == ".inf"
        return
    with pytest.raises(PackError) as error:
        scenarios.read(file)
    assert str(error.value).startswith(str(file))
    assert said in str(error.value)


def test_the_command_line_says_what_is_wrong_before_anybody_is_called(tmp_path: Path) -> None:
    file = written(tmp_path, RIGHT.replace("minutes_ago", "minutes"))
    wrong = CliRunner().invoke(app, ["start", "--scenario", str(file), "--address", "127.0.0.1:1"])
    nowhere = CliRunner().invoke(app, ["start", "--scenario", str(tmp_path / "none.yaml"), "--address", "127.0.0.1:1"])

    assert (wrong.exit_code, f"{file}:8: anchors[0].minutes: no such field" in wrong.output) == (2, True)
    assert (nowhere.exit_code, "cannot be read" in nowhere.output) == (2, True)


@pytest.mark.parametrize("name", scenarios.shipped())
def test_a_scenario_that_comes_with_the_service_is_admitted_and_starts_clocks_of_china(name: str) -> None:
    scenario = scenarios.shipped()[name]
    request = drill_pb2.StartDrillRequest(
        command_id="01900000-0000-7000-8000-000000000000", scenario=name, told=drill_codec.scenario_message(scenario)
    )
    validation.check(request)
    assert drill_codec.scenario(request) == scenario
    signal = drill.signal(scenario, NOON)
    policy = Policy(load(ROOT / "packs"), {"jurisdictions": ("CN",), "operator_class": "other"})
    duties: list[Duty] = policy.duties(
        opened(signal, INCIDENT, NOON), signal.facts, {anchor.name: anchor for anchor in signal.anchors}
    )

    assert [one for one in duties if one.anchor is not None and one.pack_id.startswith("cn.")]


def test_the_scenarios_are_listed() -> None:
    listed = CliRunner().invoke(app, ["scenarios"])

    assert listed.exit_code == 0
    assert {line.split()[0] for line in listed.output.splitlines()} == {"illegal_content", "pi_leak", "security"}
