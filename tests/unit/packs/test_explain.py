"""`candor policy explain` and `diff`: which duties, when, by which clause, and how that was counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from candor_packs.cli import app
from typer.testing import CliRunner, Result

from .builders import PACK, write

PACKS = Path(__file__).resolve().parents[3] / "packs"
GDPR = str(PACKS / "eu" / "gdpr-33.yaml")
BREACH = ["--fact", "kind=pi_leak", "--profile", 'jurisdictions=["EU"]', "--anchor", "aware=2026-03-06T16:20:00+01:00"]
MORE = """  - id: summary
    title: {zh: 总结, en: Summary}
    citation: Law 1(2)
    recipient: {zh: 机关, en: Authority}
    anchor: receipt:report
    due: {n: 10, unit: calendar_days}
    template: form
"""
TODAY = ["--fact", "kind=leak", "--anchor", "aware=2026-02-01T00:00:00Z"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def explained(*arguments: str | Path) -> dict[str, Any]:
    outcome = run("explain", *arguments, "--json")
    assert outcome.exit_code == 0, outcome.output
    found: dict[str, Any] = json.loads(outcome.output)
    return found


def test_explain_says_both_dates_the_clause_and_each_step() -> None:
    outcome = run("explain", GDPR, *BREACH, "--fact", "risk_unlikely=false")

    assert outcome.exit_code == 0
    for line in (
        "  clause     GDPR art 33(1)",
        "  work to    Mon 2026-03-09 16:20:00+01:00 (2026-03-09T15:20:00Z)",
        "  latest     Mon 2026-03-09 17:00:00+01:00 (2026-03-09T16:00:00Z)",
        "    1. the period runs from Fri 2026-03-06 16:20:00+01:00",
        "    3. the hour of the event is not counted: Mon 2026-03-09 17:00:00+01:00 [Regulation 1182/71 art 3(1)]",
        "1 duties arise, 0 may arise, 0 questions",
    ):
        assert line in outcome.output.splitlines()


def test_how_long_a_request_may_take_is_explained_from_its_receipt_and_not_mixed_with_incidents() -> None:
    received = ["--anchor", "received_at=2026-01-31T09:00:00+01:00"]
    found = explained(PACKS / "eu", *received)["duties"]
    breaches = explained(PACKS / "eu", *received, "--fact", "kind=pi_leak")["duties"]

    assert {duty["pack"] for duty in found} == {"eu.gdpr-requests"}
    assert "eu.gdpr-requests" not in {duty["pack"] for duty in breaches}


def test_what_is_unknown_is_asked_in_the_words_of_the_pack() -> None:
    outcome = run("explain", GDPR, *BREACH)
    found = explained(GDPR, *BREACH)

    assert "0 duties arise, 1 may arise, 1 questions" in outcome.output
    assert "may arise  not known: risk_unlikely" in outcome.output
    (question,) = found["questions"]
    assert question["fact"] == "risk_unlikely"
    assert question["from"] == "incident"
    assert question["says"]["zh"].startswith("是否")
    assert question["duties"] == ["eu.gdpr.33/authority"]


def test_json_carries_both_zones_and_the_steps_with_their_sources() -> None:
    (duty,) = explained(GDPR, *BREACH)["duties"]

    assert duty["strict"] == {"utc": "2026-03-09T15:20:00+00:00", "local": "2026-03-09T16:20:00+01:00"}
    assert (duty["legal_number"], duty["provisional"], duty["anchor"]) == (True, False, "aware")
    (counted,) = duty["counted"]
    assert (counted["n"], counted["unit"], counted["rule"]) == (72, "hours", "eu-1182-71")
    assert [step["step"] for step in counted["steps"]] == ["starts", "runs", "hour_not_counted"]


def test_a_date_that_crosses_an_unpublished_year_says_that_it_is_provisional() -> None:
    outcome = run(
        "explain", PACKS / "cn" / "algorithm-filing.yaml", "--fact", "kind=service_start", "--profile",
        'jurisdictions=["CN"]', "--profile", "public_opinion=true", "--fact", "public_opinion=true", "--anchor",
        "service_start=2026-12-28T09:00:00+08:00",
    )  # fmt: skip

    assert outcome.exit_code == 0
    assert "2027-01-07 09:00:00+08:00 (2027-01-07T01:00:00Z) provisional" in outcome.output
    assert "a calendar on the way is not published" in outcome.output


def test_our_own_number_is_told_apart_and_nothing_of_the_law_is_added_to_it(tmp_path: Path) -> None:
    objective = "null\n    objective: {n: 2, unit: calendar_days, source: internal}"
    text = PACK.replace("{n: 72, unit: hours}", objective).replace("rule: none", "rule: eu-1182-71")
    outcome = run("explain", write(tmp_path, text), *TODAY, "--fact", "persons=6")

    assert "latest     the law gives no number; the date is our own objective" in outcome.output
    assert "3. the last day of 2 calendar days is Tue 2026-02-03" in outcome.output
    assert "4." not in outcome.output


def test_all_says_of_every_other_duty_why_it_does_not_arise(tmp_path: Path) -> None:
    other = ["--fact", "kind=party", "--anchor", "aware=2026-02-01T00:00:00Z"]
    early = ["--fact", "kind=leak", "--fact", "persons=9", "--anchor", "aware=2025-02-01T00:00:00Z"]
    folder = write(tmp_path)

    assert 'report: trigger is false: kind == "leak" && persons > 5' in run("explain", folder, *other, "--all").output
    assert "in force from 2026-01-01 to further notice" in run("explain", folder, *early, "--all").output
    assert "Does not arise" not in run("explain", folder, *other).output


def test_a_duty_that_waits_for_a_receipt_says_so_and_counts_once_it_is_there(tmp_path: Path) -> None:
    folder = write(tmp_path, PACK.replace("vectors:", f"{MORE}vectors:"))
    receipt = ["--anchor", "receipt:xx.law.1/report=2026-02-03T10:00:00Z"]

    waiting = explained(folder, *TODAY)["duties"][1]
    assert (waiting["waits_for"], waiting["strict"]) == (["receipt:xx.law.1/report"], None)
    assert "waits for  receipt:xx.law.1/report" in run("explain", folder, *TODAY).output
    counted = explained(folder, *TODAY, *receipt)["duties"][1]
    assert (counted["obligation"], counted["strict"]["utc"]) == ("summary", "2026-02-13T10:00:00+00:00")


def test_a_file_holds_what_is_known_and_the_command_line_goes_over_it(tmp_path: Path) -> None:
    folder = write(tmp_path)
    for name, text in (
        ("case.yaml", "facts: {kind: leak, persons: 2}\nanchors: {aware: 2026-02-01T00:00:00Z}\n"),
        ("case.json", '{"facts": {"kind": "leak", "persons": 2}, "anchors": {"aware": "2026-02-01T00:00:00Z"}}'),
    ):
        case = tmp_path.parent / name
        case.write_text(text, "utf-8")
        assert explained(folder, "--file", case)["duties"] == []
        (duty,) = explained(folder, "--file", case, "--fact", "persons=7")["duties"]
        assert duty["answer"] == "true"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fact", "kind=leak"], "no instant is known"),
        (["--anchor", "aware=2026-02-01T00:00:00"], "needs a zone"),
        (["--anchor", "aware=yesterday"], "anchors.aware"),
        (["--anchor", "receipt:report=2026-02-01T00:00:00Z"], "anchors"),
        (["--fact", "kind", "--anchor", "aware=2026-02-01T00:00:00Z"], "is not name=value"),
        (["--fact", 'kind={"a": 1}', "--anchor", "aware=2026-02-01T00:00:00Z"], "facts.kind"),
        (["--file", "nowhere.yaml"], "cannot be read"),
        (["--colour"], "No such option"),
    ],
)
def test_a_wrong_option_is_told_and_fails_with_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    outcome = run("explain", write(tmp_path), *arguments)

    assert outcome.exit_code == 2
    assert message in outcome.output


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    folder.mkdir()
    text = PACK.replace("vectors:", f"{MORE}vectors:")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return write(folder, text)


LETTER = [
    ("id: report", "id: letter"),
    ("receipt:report", "receipt:letter"),
    ("obligation: report", "obligation: letter"),
]
UNSURE = [("persons > 5", "people"), ("facts:\n", "facts:\n  people: {type: bool, zh: 人, en: People}\n")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (LETTER, ["+ xx.law.1/letter appears", "- xx.law.1/report vanishes"]),
        (
            [("n: 72", "n: 96")],
            ["~ xx.law.1/report moves", "strict Wed 2026-02-04 00:00:00+00:00 -> Thu 2026-02-05 00:00:00+00:00"],
        ),
        ([("rule: none", "rule: eu-1182-71")], ["~ xx.law.1/report moves", "latest Wed 2026-02-04 00:00:00+00:00 -> "]),
        (UNSURE, ["* xx.law.1/report differs", "arises true -> unknown"]),
        ([("citation: Law 1(1)", "citation: Law 2")], ["* xx.law.1/report differs", "clause Law 1(1) -> Law 2"]),
        ([("en: Authority", "en: Office")], ["recipient Authority -> Office"]),
        ([("from: 2026-01-01", "from: 2026-03-01")], ["- xx.law.1/report vanishes", "clause Law 1(1)"]),
    ],
)
def test_diff_says_what_appears_vanishes_moves_and_differs(
    tmp_path: Path, changes: list[tuple[str, str]], expected: list[str]
) -> None:
    before, after = changed(tmp_path / "old"), changed(tmp_path / "new", *changes)
    outcome = run("diff", before, after, *TODAY, "--fact", "persons=6")

    assert outcome.exit_code == 0, outcome.output
    for line in expected:
        assert line in outcome.output


def test_diff_without_facts_tries_the_vectors_of_both(tmp_path: Path) -> None:
    before = changed(tmp_path / "old")
    after = changed(tmp_path / "new", ("n: 72", "n: 96"))
    outcome = run("diff", before, after, "--exit-code")

    assert outcome.exit_code == 1
    assert "~ xx.law.1/report moves (xx.law.1: a leak)" in outcome.output
    assert "1 situations, 1 differences" in outcome.output


def test_packs_do_not_differ_from_themselves(tmp_path: Path) -> None:
    folder = changed(tmp_path / "old")
    outcome = run("diff", folder, folder, "--exit-code")

    assert (outcome.exit_code, outcome.output) == (0, "1 situations, 0 differences\n")


def test_diff_as_json(tmp_path: Path) -> None:
    before, after = changed(tmp_path / "old"), changed(tmp_path / "new", ("n: 10", "n: 11"))
    receipt = ["--anchor", "receipt:xx.law.1/report=2026-02-03T10:00:00Z"]
    (difference,) = json.loads(run("diff", before, after, "--json", *TODAY, "--fact", "persons=6", *receipt).output)

    assert (difference["duty"], difference["change"]) == ("xx.law.1/summary", "moves")


def test_diff_with_a_wrong_pack_fails_with_2(tmp_path: Path) -> None:
    wrong = changed(tmp_path / "new", ("hours", "fortnights"))
    outcome = run("diff", changed(tmp_path / "old"), wrong)

    assert outcome.exit_code == 2
    assert "obligations[0].due.unit" in outcome.output


def test_lint_and_test_take_one_folder_or_one_file_of_the_packs(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "calendars").mkdir()
    (folder / "other").mkdir()
    (folder / "other" / "wrong.yaml").write_text("[", "utf-8")

    assert run("lint", folder).exit_code == 2
    assert run("lint", folder / "xx.yaml").output == "1 packs, 1 of them drafts, 0 wrong\n"
    assert run("test", folder / "xx.yaml").output == "1 vectors, 0 wrong\n"
    assert run("lint", folder / "nowhere").exit_code == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", ["Exit codes", "lint", "test", "explain", "diff"]),
        ("explain", ["Example", "--anchor", "--json", "--all", "--file"]),
        ("diff", ["--exit-code", "test vectors of both"]),
    ],
)
def test_help_teaches(command: str, words: list[str]) -> None:
    outcome = CliRunner().invoke(app, [*filter(None, [command]), "--help"], env={"COLUMNS": "300", "NO_COLOR": "1"})

    assert outcome.exit_code == 0
    for word in words:
        assert word in outcome.output
