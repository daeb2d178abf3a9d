from __future__ import annotations

import pytest
from candor_escalation.domain import incident as rules
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.signals import rumour_spread

from .builders import HOUR, INCIDENT, MINUTE, NOON


def test_a_closed_incident_takes_no_facts_unless_a_duty_may_rise_again() -> None:
    incident = rules.opened(rumour_spread("c", 1, 2, NOON), INCIDENT, NOON)
    closed = rules.closed(incident, NOON + HOUR, "li", "a false alarm")

    rules.refuse_closed(incident)
    rules.refuse_closed(closed, may_rise=True)
    with pytest.raises(Refused) as refused:
        rules.refuse_closed(closed)
    assert (refused.value.reason, closed.closed_at) == ("INCIDENT_CLOSED", NOON + HOUR)
    assert rules.reopened(closed) == incident


def test_what_has_not_happened_yet_is_refused_but_a_fast_clock_is_forgiven() -> None:
    rules.refuse_future(NOON + MINUTE, NOON, "it")
    with pytest.raises(Refused) as refused:
        rules.refuse_future(NOON + 2 * MINUTE, NOON, "it")
    assert refused.value.reason == "TIME_IN_FUTURE"


def test_the_number_that_is_locked_tells_kind_from_key() -> None:
    assert rules.correlation_lock("a", "bc") != rules.correlation_lock("ab", "c")
    assert -(2**63) <= rules.correlation_lock("a", "b") < 2**63
