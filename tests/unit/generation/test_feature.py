"""Deep Synthesis 10: the feature library and who answers for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from candor_generation.domain import feature, flood
from candor_generation.domain.feature import Ceilings, Estimate, Feature, Kind, Mode, State
from candor_generation.domain.flood import Limits, Seen
from candor_generation.domain.generation import Decision
from candor_generation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.clause("Deep Synthesis 10")

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CEILINGS = Ceilings(0.01, 0.001)
CLEAN = Estimate(0, 1000, b"c" * 32)
LIMITS = Limits(multiple=10, least=20, floor=0.001)


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


def reviewed(item: Feature, by: str = "bob") -> Feature:
    return feature.review(item, by, NOW, approved=True, standard="standard 1", reason="fits")


def admit(item: Feature, by: str = "bob", *, mode: Mode = Mode.SHADOW, estimate: Estimate = CLEAN) -> Feature:
    return feature.admit(item, by, NOW, estimate=estimate, ceilings=CEILINGS, mode=mode, reason="fits")


def admitted(feature_id: str = "term-1", value: str = "谣言", mode: Mode = Mode.SHADOW) -> Feature:
    return admit(reviewed(proposed(feature_id, value)), mode=mode)


def set_mode(item: Feature, mode: Mode, by: str = "bob") -> Feature:
    return feature.set_mode(item, mode, by, NOW + timedelta(hours=1), ceilings=CEILINGS, reason="seen enough")


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_deep_synthesis_10_a_second_person_reviews_and_another_than_the_proposer_admits() -> None:
    done = reviewed(proposed())
    assert (done.state, done.reviewed_by, done.standard) == (State.REVIEWED, "bob", "standard 1")
    later = admit(done, "carol")
    assert (later.state, later.admitted_by, later.estimate) == (State.ADMITTED, "carol", CLEAN)


def test_deep_synthesis_10_the_proposer_neither_reviews_nor_admits_nor_lets_it_decide() -> None:
    assert refusal(lambda: reviewed(proposed(), "alice")) == "SAME_PERSON"
    assert refusal(lambda: admit(reviewed(proposed()), "alice")) == "SAME_PERSON"
    assert refusal(lambda: set_mode(admitted(), Mode.ACTIVE, "alice")) == "SAME_PERSON"


def test_an_admitted_feature_is_in_shadow_unless_the_admitter_says_otherwise() -> None:
    shadow = admitted()
    assert (shadow.screens, shadow.decides) == (True, False)
    active = admitted(mode=Mode.ACTIVE)
    assert (active.screens, active.decides) == (True, True)


def test_a_rejected_feature_goes_nowhere() -> None:
    rejected = feature.review(proposed(), "bob", NOW, approved=False, standard="standard 1", reason="too common")
    assert (rejected.state, rejected.reason) == (State.REJECTED, "too common")
    assert refusal(lambda: admit(rejected)) == "FEATURE_STATE"
    assert refusal(lambda: reviewed(rejected)) == "FEATURE_STATE"


@pytest.mark.parametrize("state", [state for state in State if state is not State.REVIEWED])
def test_only_a_reviewed_feature_is_admitted(state: State) -> None:
    assert refusal(lambda: admit(replace(proposed(), state=state))) == "FEATURE_STATE"


@pytest.mark.parametrize("state", [state for state in State if state is not State.ADMITTED])
def test_only_an_admitted_feature_has_a_mode_or_is_retired(state: State) -> None:
    item = replace(admitted(), state=state)
    assert refusal(lambda: set_mode(item, Mode.SUSPENDED)) == "FEATURE_STATE"
    assert refusal(lambda: feature.retire(item, NOW, reason="done")) == "FEATURE_STATE"


def test_a_feature_that_ordinary_texts_hold_is_not_admitted_and_the_rate_is_said() -> None:
    # Public word lists flag up to 85 % of ordinary posts.
    with pytest.raises(Refused) as refused:
        admit(reviewed(proposed()), estimate=Estimate(847, 1000))
    assert refused.value.reason == "HIT_RATE_TOO_HIGH"
    assert "847 of 1000" in refused.value.message
    assert "84.70%" in refused.value.message


@pytest.mark.parametrize(
    ("hits", "mode", "allowed"),
    [
        (0, Mode.ACTIVE, True),
        (1, Mode.ACTIVE, True),
        (2, Mode.ACTIVE, False),
        (2, Mode.SHADOW, True),
        (10, Mode.SHADOW, True),
        (11, Mode.SHADOW, False),
    ],
)
def test_the_ceiling_is_lower_for_what_decides(hits: int, mode: Mode, allowed: bool) -> None:
    def act() -> Feature:
        return admit(reviewed(proposed()), mode=mode, estimate=Estimate(hits, 1000))

    if allowed:
        assert act().mode is mode
    else:
        assert refusal(act) == "HIT_RATE_TOO_HIGH"


def test_what_shadow_admitted_is_still_held_to_the_ceiling_when_it_is_to_decide() -> None:
    common = admit(reviewed(proposed()), estimate=Estimate(5, 1000))
    assert refusal(lambda: set_mode(common, Mode.ACTIVE)) == "HIT_RATE_TOO_HIGH"


def test_a_kind_that_no_text_measures_begins_in_shadow() -> None:
    unmeasured = Estimate(0, 0)
    image = replace(reviewed(proposed()), kind=Kind.IMAGE_HASH)
    assert refusal(lambda: admit(image, mode=Mode.ACTIVE, estimate=unmeasured)) == "HIT_RATE_TOO_HIGH"
    assert set_mode(admit(image, estimate=unmeasured), Mode.ACTIVE).decides


def test_what_rested_is_counted_again_before_it_decides_again() -> None:
    resting = set_mode(admitted(mode=Mode.ACTIVE), Mode.SUSPENDED)
    assert (resting.screens, resting.decides, resting.mode_since) == (False, False, NOW + timedelta(hours=1))
    assert refusal(lambda: set_mode(resting, Mode.ACTIVE)) == "FEATURE_STATE"
    assert set_mode(set_mode(resting, Mode.SHADOW), Mode.ACTIVE).decides
    assert refusal(lambda: set_mode(resting, Mode.SUSPENDED)) == "FEATURE_STATE"


def test_only_an_admitted_feature_is_retired() -> None:
    retired = feature.retire(admitted(), NOW, reason="the order was lifted")
    assert (retired.state, retired.reason, retired.screens) == (State.RETIRED, "the order was lifted", False)


@pytest.mark.parametrize(
    ("start", "end"), [(None, NOW), (NOW + timedelta(days=2), NOW + timedelta(days=1)), (NOW, NOW)]
)
def test_a_proposal_that_would_never_be_valid_is_refused(start: datetime | None, end: datetime) -> None:
    item = replace(proposed(), valid_from=start, valid_until=end)
    assert refusal(lambda: feature.check_proposal(item, NOW)) == "VALIDITY_INVALID"


def test_a_feature_whose_time_is_over_is_not_admitted() -> None:
    item = replace(reviewed(proposed()), valid_until=NOW)
    assert refusal(lambda: admit(item)) == "VALIDITY_INVALID"


def test_validity_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    item = replace(proposed(), valid_from=NOW, valid_until=NOW + timedelta(days=1))
    step = timedelta(microseconds=1)
    instants = (NOW - step, NOW, NOW + timedelta(days=1) - step, NOW + timedelta(days=1))
    assert [item.valid(at) for at in instants] == [False, True, True, False]


def test_only_a_text_is_long() -> None:
    long = replace(proposed(), value="字" * 501)
    assert refusal(lambda: feature.check_proposal(long, NOW)) == "VALUE_TOO_LONG"
    feature.check_proposal(replace(long, kind=Kind.NEAR_TEXT), NOW)


def test_what_does_not_screen_does_not_change_the_library() -> None:
    alone = feature.library_digest([admitted("a")])
    others = [proposed("b"), reviewed(proposed("c")), set_mode(admitted("d"), Mode.SUSPENDED)]
    others += [feature.retire(admitted("e"), NOW, reason="done")]
    assert feature.library_digest([admitted("a"), *others]) == alone
    assert feature.library_digest(others) == feature.library_digest([])


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_digest_does_not_depend_on_the_order(order: list[str]) -> None:
    library = {name: admitted(name, name * 2) for name in "abcd"}
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
        {"mode": Mode.ACTIVE},
        {"exceptions": ("谣言止于智者",)},
        {"within_words": True},
        {"valid_from": NOW},
        {"valid_until": NOW + timedelta(days=1)},
    ],
)
def test_whatever_a_verdict_depends_on_changes_the_digest(change: dict[str, object]) -> None:
    assert feature.library_digest([replace(admitted(), **change)]) != feature.library_digest([admitted()])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"admitted_by": "carol", "reviewed_by": "dave", "changed_at": NOW + timedelta(days=1)},
        {"source": "order 7", "standard": "standard 2", "reason": "other", "estimate": Estimate(1, 2)},
    ],
)
def test_who_answers_for_it_does_not_change_the_digest(change: dict[str, object]) -> None:
    assert feature.library_digest([replace(admitted(), **change)]) == feature.library_digest([admitted()])  # type: ignore[arg-type]


def test_the_digest_does_not_depend_on_how_a_time_or_a_list_is_written() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    one = replace(admitted(), valid_from=NOW, exceptions=("ab", "cd"))
    other = replace(admitted(), valid_from=shanghai, exceptions=("cd", "ab"))
    assert feature.library_digest([one]) == feature.library_digest([other])


def test_values_that_look_alike_when_joined_are_told_apart() -> None:
    one = replace(admitted(), exceptions=("a", "b,c"))
    other = replace(admitted(), exceptions=("a,b", "c"))
    assert feature.library_digest([one]) != feature.library_digest([other])


@pytest.mark.parametrize(
    ("hits", "screened", "estimate", "expected"),
    [
        (20, 1000, CLEAN, True),  # 2 % where 0.1 % was expected at most
        (19, 19, CLEAN, False),  # too few to say anything
        (20, 2000, CLEAN, False),  # 1 %: ten times the floor, not more
        (21, 2000, CLEAN, True),
        (60, 1000, Estimate(5, 1000), True),  # 6 % against 0.5 %
        (50, 1000, Estimate(5, 1000), False),
        (30, 1000, None, True),
        (30, 0, CLEAN, False),
    ],
)
def test_a_flood_is_a_multiple_of_the_admission_estimate(
    hits: int, screened: int, estimate: Estimate | None, expected: bool
) -> None:
    assert flood.floods(Seen(hits, screened, NOW), estimate, LIMITS) is expected
