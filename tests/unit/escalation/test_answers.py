"""How a question is answered follows from the packs that ask it."""

from __future__ import annotations

from pathlib import Path

import pytest
from candor_escalation.answers import answering
from candor_packs.pack import load

PACKS = load(Path(__file__).resolve().parents[3] / "packs")


@pytest.mark.parametrize(
    ("name", "kind", "among"),
    [
        ("risk_unlikely", "bool", set()),
        ("persons", "number", set()),
        ("grade", "text", {"larger", "major", "extraordinary"}),
        ("order_type", "text", {"terrorist_content"}),
        ("nis2_class", "text", {"essential", "important"}),
        ("plain_statement", "text", set()),
        ("nobody_declares_this", "", set()),
    ],
)
def test_a_fact_is_answered_by_its_type_and_the_values_that_the_packs_tell_apart(
    name: str, kind: str, among: set[str]
) -> None:
    found = answering(PACKS, name)
    assert found.kind == kind
    assert among <= set(found.choices)
    assert bool(found.choices) is bool(among)
    assert len(set(found.choices)) == len(found.choices)
