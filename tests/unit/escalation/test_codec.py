from __future__ import annotations

import math

from candor.escalation.v1 import model_pb2, service_pb2
from candor_escalation import codec
from candor_escalation.domain.incident import Anchor, Fact, Json
from candor_escalation.domain.milestone import schedule
from google.protobuf.struct_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from .builders import NOON, clock

JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text().filter(lambda t: "\0" not in t),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5).filter(str.isalpha), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_a_fact_comes_back_from_the_wire_as_it_was(value: Json) -> None:
    message = codec.fact_message(Fact("x", value, NOON, "li", "on-call"))

    assert codec.facts({"x": message.value}) == {"x": value}


def test_a_number_that_is_none_is_not_known() -> None:
    assert codec.facts({"x": Value(number_value=math.nan), "y": Value(number_value=math.inf)}) == {"x": None, "y": None}


def test_a_clock_on_the_wire_shows_both_dates_and_its_doubt() -> None:
    doubtful = clock(missing=("persons",), legal_latest=None, legal_number=False)
    message = codec.clock_message(doubtful, schedule(doubtful, NOON))

    assert not message.HasField("legal_latest")
    assert codec.instant(message.strict_due) == doubtful.strict_due
    assert message.anchor.evidence.endswith("unknown: persons)")
    assert message.state == model_pb2.CLOCK_STATE_RUNNING
    assert [milestone.kind for milestone in message.milestones] == ["half", "quarter", "hour_left", "due", "overdue"]


def test_anchors_are_read_in_utc() -> None:
    reported = service_pb2.ReportedAnchor(name="aware", at=codec.timestamp(NOON), evidence="a call")

    assert codec.anchors([reported]) == (Anchor("aware", NOON, "a call"),)
