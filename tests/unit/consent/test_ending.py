from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest
from candor_consent.domain.act import Act, Deed
from candor_consent.domain.consent import State, standing
from candor_consent.domain.ending import expire, refuse_training, withdraw, withdraw_all
from candor_consent.domain.refusal import Refused

from .builders import CHAT, HOUR, NOON, TRAINING, granted, refused_training, versions_of, withdrawn

CHAT_VERSIONS = versions_of(CHAT)
TRAINING_VERSIONS = versions_of(TRAINING)
PURPOSES = {"chat": CHAT_VERSIONS, "training": TRAINING_VERSIONS}


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new-{next(numbers)}"


def take_back(acts: list[Act], at: datetime = NOON + HOUR) -> Act:
    return withdraw(acts, CHAT_VERSIONS, at, NOON + 2 * HOUR, "act-9")


@pytest.mark.clause("PIPL 15")
def test_pipl_15_withdrawal_asks_for_nothing_but_a_consent() -> None:
    yes = granted(CHAT_VERSIONS)

    ended = take_back([yes])

    assert (ended.deed, ended.consent_id, ended.purpose_version) == (Deed.WITHDRAWN, "consent-1", 1)
    assert standing([yes, ended], CHAT_VERSIONS, NOON + HOUR).state is State.WITHDRAWN


@pytest.mark.clause("PIPL 15")
def test_pipl_15_outdated_consent_can_be_taken_back() -> None:
    versions = versions_of(CHAT, replace(CHAT, method="otherwise"), every=100 * HOUR + HOUR / 2)
    yes = granted(versions)

    assert withdraw([yes], versions, NOON + HOUR, NOON + HOUR, "act-9").consent_id == "consent-1"


@pytest.mark.clause("PIPL 15")
def test_pipl_15_there_must_be_something_to_withdraw() -> None:
    yes = granted(CHAT_VERSIONS)
    short = granted(CHAT_VERSIONS, expires_at=NOON + HOUR / 2)

    for acts in ([], [yes, withdrawn(yes, NOON)], [short]):
        with pytest.raises(Refused) as refusal:
            take_back(acts)
        assert refusal.value.reason == "NOTHING_TO_WITHDRAW"


def test_withdrawal_ahead_of_time_or_out_of_order_is_refused() -> None:
    yes = granted(CHAT_VERSIONS)

    with pytest.raises(Refused) as ahead:
        take_back([yes], NOON + 3 * HOUR)
    with pytest.raises(Refused) as late:
        take_back([yes], NOON - HOUR)

    assert (ahead.value.reason, late.value.reason) == ("TIME_IN_FUTURE", "OUT_OF_ORDER")


@pytest.mark.clause("PIPL 15")
def test_pipl_15_withdrawal_of_everything_takes_what_was_in_force_then() -> None:
    chat, training = granted(CHAT_VERSIONS), granted(TRAINING_VERSIONS, consent_id="consent-2")

    ended = withdraw_all([chat, training], PURPOSES, NOON + HOUR, NOON + 2 * HOUR, ids())

    assert sorted(act.consent_id for act in ended) == ["consent-1", "consent-2"]
    assert {act.at for act in ended} == {NOON + HOUR}


@pytest.mark.clause("PIPL 15")
def test_pipl_15_a_yes_after_the_withdrawal_of_everything_stands() -> None:
    first = granted(CHAT_VERSIONS)
    second = granted(CHAT_VERSIONS, NOON + 2 * HOUR, "consent-2")

    assert withdraw_all([first, second], PURPOSES, NOON + HOUR, NOON + 3 * HOUR, ids()) == ()


@pytest.mark.clause("PIPL 44")
def test_pipl_44_refusal_of_training_ends_every_consent_to_training_and_no_other() -> None:
    chat, training = granted(CHAT_VERSIONS), granted(TRAINING_VERSIONS, consent_id="consent-2")

    refusal = refuse_training([chat, training], PURPOSES, NOON + HOUR, NOON + 2 * HOUR, ids())

    assert (refusal.act.deed, refusal.act.at) == (Deed.TRAINING_REFUSED, NOON + HOUR)
    assert [act.consent_id for act in refusal.withdrawals] == ["consent-2"]


@pytest.mark.clause("PIPL 44")
def test_pipl_44_refusal_needs_no_consent_to_refuse() -> None:
    refusal = refuse_training([], PURPOSES, NOON, NOON, ids())

    assert refusal.withdrawals == ()


@pytest.mark.clause("PIPL 44")
def test_pipl_44_refusal_that_arrives_after_a_later_yes_still_ends_what_stood_before() -> None:
    first = granted(TRAINING_VERSIONS)
    second = granted(TRAINING_VERSIONS, NOON + 2 * HOUR, "consent-2")

    late = refuse_training([first, second], PURPOSES, NOON + HOUR, NOON + 3 * HOUR, ids())
    acts = [first, second, late.act, *late.withdrawals]

    assert standing(acts, TRAINING_VERSIONS, NOON).allowed
    between = standing(acts, TRAINING_VERSIONS, NOON + HOUR)
    assert (between.state, between.citation) == (State.WITHDRAWN, "PIPL 44")
    assert standing(acts, TRAINING_VERSIONS, NOON + 2 * HOUR).allowed


def test_refusal_of_training_ahead_of_time_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        refuse_training([], PURPOSES, NOON + HOUR, NOON, ids())
    assert refusal.value.reason == "TIME_IN_FUTURE"


@pytest.mark.clause("PIPL 44")
def test_pipl_44_yes_to_training_older_than_the_refusal_is_out_of_order() -> None:
    acts = [refused_training(NOON + HOUR)]
    with pytest.raises(Refused) as refusal:
        withdraw(acts, TRAINING_VERSIONS, NOON, NOON + HOUR, "act-9")
    assert refusal.value.reason == "OUT_OF_ORDER"


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_expiry_is_put_on_record_at_the_end_of_the_term() -> None:
    yes = granted(CHAT_VERSIONS, expires_at=NOON + HOUR)

    assert expire([yes], CHAT_VERSIONS, "consent-1", NOON + HOUR / 2, "act-9") is None
    run_out = expire([yes], CHAT_VERSIONS, "consent-1", NOON + 2 * HOUR, "act-9")

    assert run_out is not None
    assert (run_out.deed, run_out.at, run_out.recorded_at) == (Deed.EXPIRED, NOON + HOUR, NOON + 2 * HOUR)


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_consent_taken_back_or_renewed_before_its_end_does_not_expire() -> None:
    yes = granted(CHAT_VERSIONS, expires_at=NOON + HOUR)
    renewed = granted(CHAT_VERSIONS, NOON + HOUR / 2, "consent-2")

    for after in (withdrawn(yes, NOON + HOUR / 2), renewed):
        assert expire([yes, after], CHAT_VERSIONS, "consent-1", NOON + 2 * HOUR, "act-9") is None


@pytest.mark.clause("PIPL 13(1)")
def test_pipl_13_1_consent_renewed_after_its_end_has_expired_before() -> None:
    yes = granted(CHAT_VERSIONS, expires_at=NOON + HOUR)
    renewed = granted(CHAT_VERSIONS, NOON + 2 * HOUR, "consent-2")

    assert expire([yes, renewed], CHAT_VERSIONS, "consent-1", NOON + 3 * HOUR, "act-9") is not None
