from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from candor_escalation.domain.disposal import IN_FORCE, REVERSED, SANCTIONS, Measure
from candor_escalation.domain.ladder import (
    COUNTED,
    UNFOUNDED_LIMIT,
    Earlier,
    propose,
    propose_about_abuse,
    refuse_departure,
    refuse_unwarned,
    suspended,
)
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import DAY, NOW

EARLIER = st.builds(
    Earlier,
    measure=st.sampled_from(SANCTIONS),
    decided_at=st.timedeltas(min_value=timedelta(0), max_value=2 * COUNTED).map(lambda ago: NOW - ago),
    state=st.sampled_from([IN_FORCE, "ended", REVERSED]),
)
HISTORIES = st.lists(EARLIER, max_size=8)
WARNED = Earlier(Measure.WARN, NOW - DAY, IN_FORCE)


def rung(measure: Measure) -> int:
    return SANCTIONS.index(measure)


@pytest.mark.clause("Generative AI Measures 14")
@pytest.mark.clause("Deep Synthesis 10")
def test_the_ladder_goes_up_one_rung_at_a_time_and_ends_at_closing() -> None:
    history: list[Earlier] = []
    for expected in (*SANCTIONS, Measure.CLOSE_ACCOUNT):
        proposed = propose(history, serious=False, now=NOW)
        assert proposed.measure is expected
        assert (proposed.until is not None) == (expected in {Measure.LIMIT_FUNCTIONS, Measure.SUSPEND_SERVICE})
        history.append(Earlier(proposed.measure, NOW - DAY, "ended"))


@pytest.mark.clause("DSA 23")
@given(HISTORIES, st.booleans())
def test_dsa_23_only_a_warning_or_a_serious_breach_precedes_a_suspension(history: list[Earlier], serious: bool) -> None:
    proposed = propose(history, serious=serious, now=NOW)
    counted = [one for one in history if one.counts(NOW)]

    if rung(proposed.measure) > 0 and not serious:
        assert counted
    if serious:
        assert rung(proposed.measure) >= rung(Measure.SUSPEND_SERVICE)
    assert proposed.earlier == len(counted)
    assert all(rung(proposed.measure) >= min(rung(one.measure) + 1, len(SANCTIONS) - 1) for one in counted)


@given(HISTORIES, EARLIER, st.booleans())
def test_more_sanctions_never_propose_less(history: list[Earlier], more: Earlier, serious: bool) -> None:
    before = propose(history, serious=serious, now=NOW).measure
    after = propose([*history, more], serious=serious, now=NOW).measure
    assert rung(after) >= rung(before)


@given(HISTORIES)
def test_what_was_reversed_or_is_old_does_not_count(history: list[Earlier]) -> None:
    gone = [replace(one, state=REVERSED) for one in history]
    old = [replace(one, decided_at=NOW - COUNTED) for one in history]
    assert propose(gone + old, serious=False, now=NOW).measure is Measure.WARN


@given(st.sampled_from(SANCTIONS), st.sampled_from(SANCTIONS))
def test_more_than_proposed_needs_a_reason_and_less_does_not(measure: Measure, proposed: Measure) -> None:
    refuse_departure(measure, proposed, "a threat to life")
    if rung(measure) <= rung(proposed):
        refuse_departure(measure, proposed, "")
        return
    with pytest.raises(Refused) as refused:
        refuse_departure(measure, proposed, "  ")
    assert (refused.value.reason, refused.value.field) == ("LADDER_DEPARTED", "departure")


@pytest.mark.clause("DSA 23")
def test_dsa_23_abuse_of_notices_and_complaints_is_warned_of_first() -> None:
    assert propose_about_abuse(UNFOUNDED_LIMIT - 1, [], NOW) is None
    assert propose_about_abuse(UNFOUNDED_LIMIT, [], NOW) is Measure.WARN
    assert propose_about_abuse(UNFOUNDED_LIMIT, [WARNED], NOW) is Measure.LIMIT_FUNCTIONS
    refuse_unwarned(["complaints"], [WARNED], NOW + DAY, NOW)
    refuse_unwarned(["publish"], [], None, NOW)
    for history, until in (([], NOW + DAY), ([WARNED], None)):
        with pytest.raises(Refused) as refused:
            refuse_unwarned(["complaints"], history, until, NOW)
        assert refused.value.reason == "LADDER_DEPARTED"


def test_a_suspension_of_complaints_holds_until_its_end_and_is_no_step_of_the_ladder() -> None:
    one = Earlier(Measure.LIMIT_FUNCTIONS, NOW - DAY, IN_FORCE, ("complaints",), NOW + DAY)

    assert suspended("complaints", [one], NOW)
    assert not suspended("notices", [one], NOW)
    assert not suspended("complaints", [one], NOW + DAY)
    assert not suspended("complaints", [replace(one, state="ended")], NOW)
    assert propose([one], serious=False, now=NOW).measure is Measure.WARN
