from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from candor_consent.domain.purpose import Definition, Purpose, define, in_force
from hypothesis import given
from hypothesis import strategies as st

from .builders import CHAT, HOUR, NOON, versions_of

words = st.text(alphabet="ab", min_size=1, max_size=2)
definitions = st.builds(
    Definition,
    purpose_id=st.just("chat"),
    description=words,
    method=words,
    categories=st.lists(words, min_size=1, max_size=3, unique=True).map(tuple),
    sensitive=st.booleans(),
    training=st.booleans(),
)


def test_a_new_purpose_starts_at_version_1_and_asks_nobody_again() -> None:
    defined = define([], CHAT, NOON)

    assert (defined.purpose.version, defined.changed, defined.fresh_consent_needed) == (1, True, False)


@pytest.mark.clause("PIPL 14")
@pytest.mark.parametrize(
    "change",
    [
        {"description": "Sell the answers"},
        {"method": "A person reads the prompt"},
        {"categories": ("prompt", "voice", "location")},
        {"sensitive": True},
        {"training": True},
    ],
    ids=["purpose", "method", "category", "sensitive", "training"],
)
def test_pipl_14_change_of_purpose_method_or_category_is_a_version_that_needs_fresh_consent(
    change: dict[str, object],
) -> None:
    changed = replace(CHAT, **change)  # type: ignore[arg-type]  # one field of the parametrisation

    defined = define(versions_of(CHAT), changed, NOON)

    assert (defined.purpose.version, defined.changed, defined.fresh_consent_needed) == (2, True, True)


@pytest.mark.clause("PIPL 14")
def test_pipl_14_order_of_categories_is_no_change() -> None:
    versions = versions_of(CHAT)

    defined = define(versions, replace(CHAT, categories=("voice", "prompt")), NOON)

    assert defined.purpose == versions[0]
    assert not defined.changed
    assert not defined.fresh_consent_needed


def test_categories_are_kept_sorted() -> None:
    assert define([], replace(CHAT, categories=("voice", "prompt")), NOON).purpose.categories == ("prompt", "voice")


def test_a_clock_that_runs_back_cannot_put_a_version_before_the_one_it_follows() -> None:
    versions = versions_of(CHAT, since=NOON)

    later = define(versions, replace(CHAT, method="otherwise"), NOON - HOUR).purpose

    assert later.defined_at == NOON
    assert in_force([*versions, later], NOON) == later


def test_nothing_is_in_force_before_the_first_version() -> None:
    assert in_force(versions_of(CHAT, since=NOON), NOON - HOUR) is None


@given(st.lists(definitions, min_size=1, max_size=6))
def test_versions_count_from_1_without_gap_and_neighbours_differ(wanted: list[Definition]) -> None:
    versions: list[Purpose] = []
    for place, definition in enumerate(wanted):
        defined = define(versions, definition, NOON + place * HOUR)
        if defined.changed:
            versions.append(defined.purpose)

    assert [version.version for version in versions] == list(range(1, len(versions) + 1))
    assert all(one.terms != other.terms for one, other in pairwise(versions))
    assert define(versions, wanted[-1], NOON + 10 * HOUR).purpose == versions[-1]
