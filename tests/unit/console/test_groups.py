"""On-call's page by incident: the order of incidents and clocks, and what may be folded away."""

from datetime import UTC, datetime, timedelta
from typing import Any

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_console.pages import oncall
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
RUNNING = model.CLOCK_STATE_RUNNING


class Visitor:
    """Who may do everything, now."""

    now = NOW

    @staticmethod
    def may(_rpc: object) -> bool:
        return True


def stamp(minutes: int) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(NOW + timedelta(minutes=minutes))
    return found


def incident(number: int, minutes: list[int], state: model.ClockState.ValueType = RUNNING) -> Any:
    clocks = [
        model.Clock(
            clock_id=f"{number}-{place}",
            incident_id=str(number),
            state=state,
            strict_due=stamp(due),
            anchor=model.Anchor(at=stamp(-60)),
        )
        for place, due in enumerate(minutes)
    ]
    return escalation.GetIncidentResponse(incident=model.Incident(incident_id=str(number)), clocks=clocks)


def grouped(found: list[Any]) -> list[oncall.Group]:
    visitor: Any = Visitor()
    return oncall.groups_of(visitor, found)


@given(st.lists(st.lists(st.integers(-600, 6000), max_size=30), max_size=6))
def test_every_clock_stands_once_in_order_and_nothing_pressing_is_folded(dues: list[list[int]]) -> None:
    groups = grouped([incident(number, minutes) for number, minutes in enumerate(dues)])
    firsts = [oncall.order(group.cases[0].matter.clock) for group in groups]
    assert firsts == sorted(firsts)
    assert sum(len(group.cases) for group in groups) == sum(map(len, dues))
    for group in groups:
        ordered = [oncall.order(case.matter.clock) for case in group.cases]
        assert ordered == sorted(ordered)
        assert len(set(ordered)) == len(dues[int(group.incident.incident_id)])
        assert group.shown
        hour = stamp(60).ToNanoseconds()
        assert all(case.matter.clock.strict_due.ToNanoseconds() > hour and not case.pressing for case in group.rest)
        assert not group.rest or len(group.rest) > oncall.FEW


def test_an_incident_in_which_nothing_runs_is_no_group_and_open_questions_are_counted() -> None:
    asked = [model.Question(state=state) for state in (model.QUESTION_STATE_OPEN, model.QUESTION_STATE_ANSWERED)]
    one = incident(1, [90])
    one.questions.extend(asked)
    groups = grouped([incident(2, [10], model.CLOCK_STATE_FALLEN), one])
    assert [(group.incident.incident_id, group.questions) for group in groups] == [("1", 1)]


def test_the_page_folds_the_rest_and_opens_what_presses(desk: Any) -> None:
    found = incident(1, [-5, 30, 120, 180, 240, 300])
    desk.sit_down("on_call")
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=found.clocks)
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    desk.calls.answers["GetIncident"] = found
    page = desk.get("/on-call").text
    assert "4 more, the next:" in page
    assert page.count("open data-open") == 2
    shown, folded = page.split('<details class="rest"')
    assert [f'id="case-1-{place}"' in shown for place in range(6)] == [True, True, False, False, False, False]
    assert "open data-open" not in folded
    assert "Running clocks: 6" in page
    assert "incidents: 1" in page


def test_the_only_clock_is_open_however_much_time_is_left(desk: Any) -> None:
    found = incident(1, [6000])
    desk.sit_down("on_call")
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=found.clocks)
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    desk.calls.answers["GetIncident"] = found
    page = desk.get("/on-call").text
    assert page.count("open data-open") == 1
    assert 'class="rest"' not in page
