"""What is next about a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_console import steps
from candor_console.texts import ALL
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


def at(minutes: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW + timedelta(minutes=minutes))
    return stamp


def clock(**changed: Any) -> model.Clock:
    return model.Clock(**{"clock_id": "c", "incident_id": "i", "state": model.CLOCK_STATE_RUNNING, **changed})


def page(sent: float, acknowledged: float | None = None) -> model.Page:
    answered = None if acknowledged is None else at(acknowledged)
    return model.Page(page_id=f"p{sent}", clock_id="c", sent_at=at(sent), acknowledged_at=answered)


def draft(
    revision: int = 1, missing: tuple[str, ...] = (), locale: str = "zh", text: str = "", approved_by: str = ""
) -> model.Draft:
    return model.Draft(
        clock_id="c", revision=revision, locale=locale, missing=missing, text=text, approved_by=approved_by
    )


def submission(*, receipted: bool = False) -> model.Submission:
    return model.Submission(
        submission_id="s", clock_id="c", receipt=model.Receipt(reference="r") if receipted else None
    )


def named(**parts: Any) -> str | None:
    step = steps.next_step(steps.matter_of(parts.pop("clock", clock()), escalation.GetIncidentResponse(**parts)))
    return step.name if step else None


def test_the_way_from_the_page_to_the_receipt() -> None:
    answered = [page(0, 1)]
    assert named(pages=[page(0)]) == "acknowledge"
    assert named(pages=answered) == "draft"
    assert named(pages=answered, drafts=[draft(missing=("persons",))]) == "complete"
    assert named(pages=answered, drafts=[draft(1, ("persons",)), draft(2)]) == "approve"
    assert named(pages=answered, drafts=[draft(approved_by="wang")]) == "submit"
    assert named(pages=answered, drafts=[draft()], submissions=[submission()]) == "receipt"
    assert named(clock=clock(state=model.CLOCK_STATE_RECEIPTED), pages=[page(0)]) is None


def test_what_is_of_another_clock_counts_for_nothing() -> None:
    other = model.Page(page_id="p", clock_id="another", sent_at=at(0))
    assert named(pages=[other]) == "draft"


@pytest.mark.parametrize(
    ("pages", "waits"),
    [
        ([], False),
        ([model.Page(clock_id="c")], False),  # queued: nobody was woken yet
        ([page(0), page(2)], True),
        ([page(0), page(2, 3)], False),  # the one before was answered by the one after
        ([page(0, 5), page(2)], False),  # its page was withdrawn when the first was answered
        ([page(0, 1), page(2)], True),  # a milestone has paged again
    ],
)
def test_a_page_waits_until_it_or_a_later_one_is_acknowledged(pages: list[model.Page], waits: bool) -> None:
    assert (named(pages=pages) == "acknowledge") is waits


def test_a_missing_fact_is_called_as_the_form_calls_it() -> None:
    drafts = [
        draft(missing=("persons", "cause"), locale="en", text="[missing: persons affected] x [missing: cause of it]"),
        draft(missing=("persons", "cause"), text="【待补：涉及人数】【待补：原因】"),
    ]
    matter = steps.matter_of(clock(), escalation.GetIncidentResponse(drafts=drafts))
    assert list(matter.missing) == ["persons", "cause"]  # of both languages, each once
    assert [matter.label(name, "zh") for name in matter.missing] == ["涉及人数", "原因"]
    assert matter.label("persons", "en") == "persons affected"
    assert matter.label("other", "en") == "other"


def test_a_doubt_names_what_is_not_known() -> None:
    matter = steps.matter_of(clock(unknown=["risk_unlikely", "persons"]), escalation.GetIncidentResponse())
    assert matter.doubts == ["risk_unlikely", "persons"]


@pytest.mark.parametrize("step", steps.STEPS, ids=lambda step: step.name)
def test_every_step_has_its_form_and_its_texts(step: steps.Step, environment: Environment) -> None:
    assert {f"step.{step.name}", f"step.{step.name}.why"} <= set(ALL)
    assert "post" in str(environment.loader and environment.loader.get_source(environment, f"step_{step.name}.html")[0])
    assert step.rpc.roles


@given(
    pages=st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9)), max_size=4),
    drafts=st.lists(st.tuples(st.integers(1, 3), st.sampled_from([(), ("persons",)])), max_size=4),
    receipts=st.lists(st.booleans(), max_size=3),
)
def test_a_clock_that_runs_always_has_exactly_one_next_step(
    pages: list[tuple[int, int | None]], drafts: list[tuple[int, tuple[str, ...]]], receipts: list[bool]
) -> None:
    assert named(
        pages=[page(sent, answered) for sent, answered in pages],
        drafts=[draft(revision, missing) for revision, missing in drafts],
        submissions=[submission(receipted=receipted) for receipted in receipts],
    )
