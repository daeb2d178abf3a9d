from __future__ import annotations

from dataclasses import replace

import pytest
from candor_consent.domain.act import AgeBand, Guardian, Kind
from candor_consent.domain.consent import Grant, State, grant, standing
from candor_consent.domain.purpose import Definition, Purpose
from candor_consent.domain.refusal import Refused

from .builders import CHAT, GUARDIAN, HEALTH, HOUR, NOON, granted, notice_of, versions_of, withdrawn, yes_to

IDS = ("act-2", "consent-2")
OTHERWISE = replace(CHAT, method="A person reads the prompt")


def refusal_of(command: Grant, versions: list[Purpose]) -> str:
    with pytest.raises(Refused) as refusal:
        grant(command, [], versions, [notice_of(*versions[-1:])], NOON, IDS)
    return refusal.value.reason


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_without_an_act_there_is_no_consent() -> None:
    stands = standing([], versions_of(CHAT), NOON)

    assert (stands.state, stands.allowed, stands.grant, stands.citation) == (State.NONE, False, None, "PIPL 13(1)")


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_consent_allows_from_the_instant_it_was_given() -> None:
    versions = versions_of(CHAT)
    yes = granted(versions)

    assert not standing([yes], versions, NOON - HOUR).allowed
    assert standing([yes], versions, NOON).allowed
    assert standing([yes], versions, NOON).grant == yes


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_consent_to_one_purpose_says_nothing_of_another() -> None:
    yes = granted(versions_of(CHAT))

    assert standing([yes], versions_of(HEALTH), NOON).state is State.NONE


@pytest.mark.clause("PIPL 14")
@pytest.mark.parametrize(
    "changed",
    [
        OTHERWISE,
        replace(CHAT, description="Sell the answers"),
        replace(CHAT, categories=("prompt",)),
    ],
    ids=["method", "purpose", "category"],
)
def test_pipl_14_change_of_method_purpose_or_category_needs_fresh_consent(changed: Definition) -> None:
    before = versions_of(CHAT)
    yes = granted(before)
    after = versions_of(CHAT, changed, every=101 * HOUR)

    assert standing([yes], after, NOON).allowed
    assert standing([yes], after, NOON + HOUR).state is State.OUTDATED
    assert standing([yes], after, NOON + HOUR).citation == "PIPL 14"

    fresh = granted(after, NOON + 2 * HOUR, "consent-2")
    assert standing([yes, fresh], after, NOON + 2 * HOUR).allowed


@pytest.mark.clause("PIPL 14")
def test_pipl_14_late_record_of_a_yes_to_the_version_of_that_day_is_kept_but_covers_no_more() -> None:
    versions = versions_of(CHAT, OTHERWISE, every=99 * HOUR)
    shown = [notice_of(versions[0]), notice_of(versions[1], version=2, effective_from=NOON - HOUR)]

    late = grant(yes_to(given_at=NOON - 2 * HOUR), [], versions, shown, NOON, IDS)

    assert (late.purpose_version, late.at, late.recorded_at) == (1, NOON - 2 * HOUR, NOON)
    assert standing([late], versions, NOON - 2 * HOUR).allowed
    assert standing([late], versions, NOON).state is State.OUTDATED


@pytest.mark.clause("PIPL 15")
def test_pipl_15_what_was_done_before_withdrawal_stays_lawful() -> None:
    versions = versions_of(CHAT)
    yes = granted(versions)
    acts = [yes, withdrawn(yes, NOON + 2 * HOUR)]

    assert standing(acts, versions, NOON + HOUR).allowed
    after = standing(acts, versions, NOON + 2 * HOUR)
    assert (after.state, after.citation, after.grant) == (State.WITHDRAWN, "PIPL 15", yes)


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_consent_for_a_time_ends_with_it_whether_or_not_the_end_is_on_record() -> None:
    versions = versions_of(CHAT)
    yes = granted(versions, expires_at=NOON + HOUR)

    assert standing([yes], versions, NOON + HOUR / 2).allowed
    assert standing([yes], versions, NOON + HOUR).state is State.EXPIRED


@pytest.mark.clause("PIPL 14")
def test_pipl_14_a_second_yes_renews_the_first() -> None:
    versions = versions_of(CHAT)
    first = granted(versions, expires_at=NOON + HOUR)

    second = grant(yes_to(given_at=NOON + HOUR / 2), [first], versions, [notice_of(versions[0])], NOON + HOUR, IDS)

    assert standing([first, second], versions, NOON + 2 * HOUR).grant == second
    assert standing([first, second], versions, NOON + 2 * HOUR).allowed


@pytest.mark.clause("PIPL 29")
def test_pipl_29_sensitive_information_needs_consent_to_it_alone() -> None:
    versions = versions_of(HEALTH)

    assert refusal_of(yes_to(HEALTH), versions) == "SEPARATE_CONSENT_REQUIRED"
    separate = yes_to(HEALTH, kind=Kind.SEPARATE)
    assert grant(separate, [], versions, [notice_of(*versions)], NOON, IDS).kind is Kind.SEPARATE


@pytest.mark.clause("PIPL 28")
def test_pipl_28_everything_about_a_child_under_14_is_sensitive() -> None:
    child = yes_to(age_band=AgeBand.UNDER_14, guardian=GUARDIAN)

    assert refusal_of(child, versions_of(CHAT)) == "SEPARATE_CONSENT_REQUIRED"


@pytest.mark.clause("PIPL 31")
@pytest.mark.parametrize(
    ("age_band", "guardian", "accepted"),
    [
        (AgeBand.UNDER_14, None, False),
        (AgeBand.UNDER_14, GUARDIAN, True),
        (AgeBand.FROM_14_TO_17, None, True),
        (AgeBand.ADULT, None, True),
    ],
    ids=["child alone", "child by guardian", "from 14", "adult"],
)
def test_pipl_31_under_14_a_guardian_consents(age_band: AgeBand, guardian: Guardian | None, accepted: bool) -> None:
    versions = versions_of(CHAT)
    command = yes_to(kind=Kind.SEPARATE, age_band=age_band, guardian=guardian)

    if accepted:
        assert grant(command, [], versions, [notice_of(*versions)], NOON, IDS).guardian == guardian
    else:
        assert refusal_of(command, versions) == "GUARDIAN_REQUIRED"


def test_a_yes_to_a_purpose_that_was_not_defined_then_is_refused() -> None:
    assert refusal_of(yes_to(), versions_of(CHAT, since=NOON + HOUR / 20)) == "PURPOSE_UNKNOWN"
    with pytest.raises(Refused, match="not defined"):
        grant(yes_to(), [], [], [], NOON, IDS)


@pytest.mark.parametrize(("minutes", "accepted"), [(5, True), (6, False)])
def test_a_yes_may_be_recorded_late_but_not_ahead_of_time(minutes: int, accepted: bool) -> None:
    versions = versions_of(CHAT)
    ahead = yes_to(given_at=NOON + minutes * HOUR / 60)

    if accepted:
        assert grant(ahead, [], versions, [notice_of(*versions)], NOON, IDS).at == ahead.given_at
    else:
        assert refusal_of(ahead, versions) == "TIME_IN_FUTURE"


def test_a_yes_older_than_the_last_word_is_out_of_order_and_one_at_the_same_instant_is_not() -> None:
    versions = versions_of(CHAT)
    yes = granted(versions)
    acts = [yes, withdrawn(yes, NOON + HOUR)]
    shown = [notice_of(*versions)]

    with pytest.raises(Refused) as refusal:
        grant(yes_to(given_at=NOON + HOUR / 2), acts, versions, shown, NOON + 2 * HOUR, IDS)
    assert refusal.value.reason == "OUT_OF_ORDER"

    again = grant(yes_to(given_at=NOON + HOUR), acts, versions, shown, NOON + 2 * HOUR, IDS)
    assert standing([*acts, again], versions, NOON + HOUR).allowed
