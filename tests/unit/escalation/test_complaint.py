from __future__ import annotations

from datetime import timedelta

import pytest
from candor_escalation.domain.complaint import decide, file
from candor_escalation.domain.disposal import IN_FORCE, REVERSED, plus_months
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .disposal_builders import DAY, NOW

WITHIN = 15 * DAY
COMPLAINT = file("c", "d", IN_FORCE, NOW, None, WITHIN, NOW)


@pytest.mark.clause("DSA 20")
@pytest.mark.clause("Deep Synthesis 12")
@pytest.mark.clause("Generative AI Measures 15")
@given(st.timedeltas(min_value=timedelta(0), max_value=400 * DAY))
def test_dsa_20_a_complaint_is_open_for_six_months_from_being_informed(after: timedelta) -> None:
    if NOW + after <= plus_months(NOW, 6):
        complaint = file("c", "d", "ended", NOW, None, WITHIN, NOW + after)
        assert complaint.answer_by == NOW + after + WITHIN
        return
    with pytest.raises(Refused) as refused:
        file("c", "d", "ended", NOW, None, WITHIN, NOW + after)
    assert refused.value.reason == "COMPLAINT_CLOSED"


@pytest.mark.clause("DSA 20")
def test_dsa_20_the_time_does_not_begin_before_the_user_is_informed() -> None:
    assert file("c", "d", IN_FORCE, None, None, WITHIN, NOW + 900 * DAY).filed_at == NOW + 900 * DAY


@pytest.mark.parametrize(("state", "earlier"), [(REVERSED, None), (IN_FORCE, COMPLAINT)])
def test_what_was_taken_back_or_complained_of_before_is_closed(state: str, earlier: object) -> None:
    with pytest.raises(Refused) as refused:
        file("c", "d", state, NOW, earlier, WITHIN, NOW)  # type: ignore[arg-type]
    assert refused.value.reason == "COMPLAINT_CLOSED"


@pytest.mark.clause("DSA 20")
def test_dsa_20_another_person_decides_and_once() -> None:
    decided = decide(COMPLAINT, "upheld", "wang", "li", NOW, unfounded=True)

    assert (decided.outcome, decided.decided_by, decided.manifestly_unfounded) == ("upheld", "wang", True)
    with pytest.raises(Refused, match="another person"):
        decide(COMPLAINT, "upheld", "li", "li", NOW, unfounded=False)
    with pytest.raises(Refused, match="decided before"):
        decide(decided, "reversed", "zhao", "li", NOW, unfounded=False)
