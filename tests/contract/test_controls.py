"""Every duty has a citation: the page of controls, the citations in code and packs, and the tests agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from controls import PAGE, ROOT, collect


def test_every_citation_has_a_test_and_every_tested_clause_a_rule() -> None:
    assert collect().missing() == []


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == collect().page(), (
        "run: python tests/contract/controls.py --write"
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout: one rule, one test, one pack."""
    files = {
        "services/s/src/candor_s/domain/rules.py": 'def rule():\n    """Do.\n\n    Source: PIPL 9; PIPL 14.\n    """\n',
        "tests/unit/s/test_rules.py": (
            'import pytest\n\npytestmark = pytest.mark.clause("PIPL 9")\n\n\n'
            'class TestRule:\n    @pytest.mark.clause("PIPL 14")\n    def test_rule(self): ...\n'
        ),
        "packs/cn/law.yaml": (
            "id: law\ncitation: PACK 1\nobligations:\n  - {id: report, citation: PACK 2}\nvectors: [1]\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_clauses_rules_and_tests_are_found(checkout: Path) -> None:
    controls = collect(checkout)

    assert controls.missing() == []
    rows = controls.page().splitlines()[-4:]
    test = "`unit/s/test_rules.TestRule.test_rule`"
    assert rows == [
        "| PACK 1 | packs | `cn/law.yaml: law` | `cn/law.yaml: vectors` |",
        "| PACK 2 | packs | `cn/law.yaml: report` | `cn/law.yaml: vectors` |",
        f"| PIPL 9 | s | `domain.rules.rule` | {test} |",
        f"| PIPL 14 | s | `domain.rules.rule` | {test} |",
    ]


def test_rule_without_a_test_is_missing(checkout: Path) -> None:
    (checkout / "tests/unit/s/test_rules.py").write_text("def test_rule(): ...\n", encoding="utf-8")

    assert [line for line in collect(checkout).missing() if "'PIPL 14', which no test of s names" in line]


def test_test_of_a_clause_that_nothing_cites_is_missing(checkout: Path) -> None:
    (checkout / "services/s/src/candor_s/domain/rules.py").write_text("", encoding="utf-8")

    assert [line for line in collect(checkout).missing() if "'PIPL 14', which no rule cites" in line]


def test_pack_without_vectors_needs_a_test(checkout: Path) -> None:
    (checkout / "packs/cn/law.yaml").write_text("id: law\ncitation: PACK 1\n", encoding="utf-8")

    assert [line for line in collect(checkout).missing() if "'PACK 1', which no test of packs names" in line]


@pytest.mark.parametrize("citation", ["PNG 11.3", "PIPLs 9", "PIPL 9, 14", "PIPL"])
def test_a_citation_of_what_is_no_clause_is_named(checkout: Path, citation: str) -> None:
    rules = checkout / "services/s/src/candor_s/domain/rules.py"
    rules.write_text(rules.read_text(encoding="utf-8").replace("PIPL 9", citation), encoding="utf-8")
    tests = checkout / "tests/unit/s/test_rules.py"
    tests.write_text(tests.read_text(encoding="utf-8").replace("PIPL 9", citation), encoding="utf-8")

    assert collect(checkout).missing() == [
        f"s: domain.rules.rule cites {citation!r}, which is not one clause of one of BODIES"
    ]


def test_a_specification_is_no_clause(checkout: Path) -> None:
    rules = checkout / "libs/kit/src/candor_kit/format.py"
    rules.parent.mkdir(parents=True)
    rules.write_text('"""A format.\n\nSpec: PNG 11.3\n"""\n', encoding="utf-8")

    assert "PNG" not in collect(checkout).page()


def test_rules_of_the_libraries_need_tests_too(checkout: Path) -> None:
    rules = checkout / "libs/kit/src/candor_kit/holding.py"
    rules.parent.mkdir(parents=True)
    rules.write_text('"""A rule.\n\nSource: PIPL 47\n"""\n', encoding="utf-8")

    assert collect(checkout).missing() == ["kit: holding cites 'PIPL 47', which no test of kit names"]
