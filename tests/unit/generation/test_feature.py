"""Deep Synthesis 10: the feature library and who answers for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from candor_generation.domain import feature
from candor_generation.domain.feature import Feature, Kind, State
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.clause("Deep Synthesis 10")

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def proposed(feature_id: str = "term-1", value: str = "谣言") -> Feature:
    return Feature(
        feature_id,
        Kind.TERM,
        value,
        "false-information",
        Decision.REVIEW,
        "Deep Synthesis 6",
        State.PROPOSED,
        "alice",
        "",
        NOW,
    )


def test_deep_synthesis_10_another_person_admits() -> None:
    later = NOW + timedelta(hours=1)
    admitted = feature.admit(proposed(), "bob", later)
    assert (admitted.state, admitted.admitted_by, admitted.changed_at) == (State.ADMITTED, "bob", later)


def test_deep_synthesis_10_the_proposer_does_not_admit() -> None:
    with pytest.raises(Refused) as refused:
        feature.admit(proposed(), "alice", NOW)
    assert refused.value.reason == "SAME_PERSON"


@pytest.mark.parametrize("state", [State.ADMITTED, State.RETIRED])
def test_only_a_proposed_feature_is_admitted(state: State) -> None:
    with pytest.raises(Refused) as refused:
        feature.admit(replace(proposed(), state=state), "bob", NOW)
    assert refused.value.reason == "FEATURE_STATE"


def test_only_an_admitted_feature_is_retired() -> None:
    retired = feature.retire(feature.admit(proposed(), "bob", NOW), NOW)
    assert retired.state is State.RETIRED
    for item in (proposed(), retired):
        with pytest.raises(Refused) as refused:
            feature.retire(item, NOW)
        assert refused.value.reason == "FEATURE_STATE"


def test_a_proposed_or_retired_feature_does_not_change_the_library() -> None:
    admitted = feature.admit(proposed("a"), "bob", NOW)
    alone = feature.library_digest([admitted])
    assert feature.library_digest([admitted, proposed("b"), replace(proposed("c"), state=State.RETIRED)]) == alone
    assert feature.library_digest([feature.retire(admitted, NOW)]) == feature.library_digest([])


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_digest_does_not_depend_on_the_order(order: list[str]) -> None:
    library = {name: feature.admit(proposed(name, name * 2), "bob", NOW) for name in "abcd"}
    assert feature.library_digest(library[name] for name in order) == feature.library_digest(library.values())


@pytest.mark.parametrize(
    "change",
    [
        {"feature_id": "other"},
        {"kind": Kind.PATTERN},
        {"value": "other"},
        {"category": "incitement"},
        {"decision": Decision.BLOCK},
        {"citation": "other"},
    ],
)
def test_whatever_screening_or_its_ground_depends_on_changes_the_digest(change: dict[str, object]) -> None:
    admitted = feature.admit(proposed(), "bob", NOW)
    assert feature.library_digest([replace(admitted, **change)]) != feature.library_digest([admitted])  # type: ignore[arg-type]


def test_who_admitted_when_does_not_change_the_digest() -> None:
    admitted = feature.admit(proposed(), "bob", NOW)
    again = replace(admitted, admitted_by="carol", changed_at=NOW + timedelta(days=1))
    assert feature.library_digest([again]) == feature.library_digest([admitted])
