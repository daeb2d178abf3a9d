"""Questions: what hangs on them, what an answer means, and what became of clocks by it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_console import question_forms, questions
from candor_console.incident_forms import WrongField
from candor_console.rendering import plain
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

ID = "01a20387-f5b9-703f-937d-3280cbb75ead"
OTHER = "01a20387-f5b9-703f-937d-3280cbb75eae"
RUNNING, FALLEN = model.CLOCK_STATE_RUNNING, model.CLOCK_STATE_FALLEN
KINDS = {name.removeprefix("QUESTION_KIND_").lower(): number for name, number in model.QuestionKind.items() if number}


def clock(clock_id: str = OTHER, due: int = 1_795_400_000, **changed: Any) -> model.Clock:
    fields: dict[str, Any] = {"incident_id": ID, "state": RUNNING, "citation": f"Law {clock_id[-2:]}", **changed}
    return model.Clock(clock_id=clock_id, strict_due=Timestamp(seconds=due), **fields)


def question(kind: str = "fact", name: str = "risk", **changed: Any) -> model.Question:
    return model.Question(
        question_id=f"q-{kind}-{name}",
        incident_id=ID,
        kind=KINDS[kind],
        name=name,
        state=model.QUESTION_STATE_OPEN,
        title_en=f"What of {name}?",
        title_zh=f"{name}？",
        **changed,
    )


@pytest.mark.parametrize(
    ("asked", "held", "hangs"),
    [
        (question(), clock(unknown=["risk"]), True),
        (question(), clock(disputed=["risk"]), False),
        (question("contradiction"), clock(disputed=["risk"]), True),
        (question("dispute", "aware"), clock(anchor_disputed=True, anchor=model.Anchor(name="aware")), True),
        (question("dispute", "aware"), clock(anchor_disputed=True, anchor=model.Anchor(name="found")), False),
        (question("anchor", "aware"), clock(unknown=["aware"]), False),
    ],
)
def test_a_clock_hangs_on_what_it_assumes(asked: model.Question, held: model.Clock, hangs: bool) -> None:
    assert questions.hangs(held, asked) is hangs


def test_what_the_earliest_clock_hangs_on_stands_first() -> None:
    clocks = [clock("c1", 500, unknown=["late"]), clock("c2", 100, unknown=["early"]), clock("c3", 50, state=FALLEN)]
    asked = [question(name="none"), question(name="late"), question(name="early"), question("triage", "pi_leak")]
    asked[3].state = model.QUESTION_STATE_LAPSED
    found = escalation.GetIncidentResponse(clocks=clocks, questions=asked)
    assert [one.question.name for one in questions.asked_of(found)] == ["early", "late", "none"]


@given(
    before=st.dictionaries(
        st.integers(0, 9).map(str), st.tuples(st.sampled_from([RUNNING, FALLEN]), st.integers(1, 3))
    ),
    after=st.dictionaries(st.integers(0, 9).map(str), st.tuples(st.sampled_from([RUNNING, FALLEN]), st.integers(1, 3))),
)
def test_news_are_what_differs_and_come_back_from_the_address(
    before: dict[str, tuple[Any, int]], after: dict[str, tuple[Any, int]]
) -> None:
    found = escalation.GetIncidentResponse(
        clocks=[clock(name, due, state=state) for name, (state, due) in after.items()]
    )
    news = questions.news_of([clock(name, due, state=state) for name, (state, due) in before.items()], found.clocks)
    ran = {name for name, (state, _) in before.items() if state == RUNNING}
    runs = {name for name, (state, _) in after.items() if state == RUNNING}
    assert {one.clock_id for one in news.rose} == runs - ran
    assert {one.clock_id for one in news.fell} == ran & (after.keys() - runs)
    assert {one.clock_id for one in news.moved} == {name for name in runs & ran if before[name][1] != after[name][1]}
    assert questions.news_told(questions.told_of(news), found) == news


def test_an_address_cannot_make_a_running_clock_fall() -> None:
    found = escalation.GetIncidentResponse(clocks=[clock()])
    assert questions.news_told({"fell": OTHER, "rose": "nobody's"}, found) == questions.News([], [], [])


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"answer": "bool", "value": "yes"}, "true"),
        ({"answer": "bool", "value": "no"}, "false"),
        ({"answer": "bool", "value": "unknown"}, "null"),
        ({"answer": "number", "value": "1200000"}, "1200000"),
        ({"answer": "number", "value": "", "unknown": "1"}, "null"),
        ({"answer": "text", "value": "major"}, "major"),
        ({"answer": "text", "value": "major", "other": "worse"}, "worse"),
        ({"answer": "text", "value": "unknown", "other": ""}, "null"),
        ({"answer": "text", "value": "yes"}, "yes"),
        ({"answer": "texts", "value": "CN\n EU "}, '["CN", "EU"]'),
        ({"answer": "", "value": "yes"}, "true"),
    ],
)
def test_an_answer_is_of_its_type(fields: dict[str, str], value: str) -> None:
    assert plain(question_forms.value(fields)) == value


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "fact", "answer": "bool", "value": "perhaps"}, "value"),
        ({"kind": "fact", "answer": "number", "value": "many"}, "value"),
        ({"kind": "fact", "answer": "text", "value": " "}, "value"),
        ({"kind": "contradiction", "answer": "bool", "value": "yes"}, "reason"),
        ({"kind": "anchor", "at": "yesterday"}, "at"),
        ({"kind": "dispute", "at": "2026-11-22T13:00"}, "reason"),
        ({"kind": "triage"}, "reason"),
        ({"kind": "other"}, "kind"),
    ],
)
def test_an_answer_that_is_none_names_its_field(fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(WrongField) as caught:
        question_forms.answer({"command_id": ID, "name": "x", **fields}, ID)
    assert caught.value.field == wrong


def test_an_instant_is_told_and_a_disputed_one_set_right() -> None:
    fields = {
        "command_id": ID,
        "name": "aware",
        "at": "2026-11-22T13:00",
        "evidence": "a log",
        "reason": "The log says so.",
    }
    _, told = question_forms.answer({**fields, "kind": "anchor"}, OTHER)
    assert isinstance(told, escalation.RecordFactsRequest)
    assert (told.anchors[0].name, told.anchors[0].evidence, told.incident_id) == ("aware", "a log", OTHER)
    rpc, right = question_forms.answer({**fields, "kind": "dispute"}, OTHER)
    assert isinstance(right, escalation.CorrectAnchorRequest)
    assert (rpc.method.name, right.name, right.reason) == ("CorrectAnchor", "aware", "The log says so.")
    assert right.at.ToDatetime(tzinfo=UTC) == datetime(2026, 11, 22, 13, tzinfo=UTC)


@pytest.fixture
def stage(desk: Any) -> Any:
    asked = [
        question(answer="bool"),
        question(name="grade", answer="text", choices=["minor", "major"]),
        question(name="persons", answer="number"),
        question("contradiction", "cause", answer="text"),
    ]
    clocks = [clock(unknown=["risk"])]
    incident = model.Incident(incident_id=ID, title="Bucket")
    facts = [
        model.IncidentFact(name="cause", source=source, disputed=True, value=question_forms.value({"value": source}))
        for source in ("siem", "on-call")
    ]
    found = escalation.GetIncidentResponse(incident=incident, clocks=clocks, questions=asked, facts=facts)
    desk.calls.answers["ListQuestions"] = escalation.ListQuestionsResponse(questions=asked)
    desk.calls.answers["GetIncident"] = found
    return desk


def test_each_question_has_the_form_of_its_type_and_the_time_that_is_left(stage: Any) -> None:
    stage.sit_down("on_call")
    page = stage.get("/questions").text
    first = page.split('id="question-')[1]
    assert "q-fact-risk" in first
    assert "left" in first
    assert first.count('type="radio"') == 3
    assert "<option>major</option>" in page
    assert 'inputmode="decimal"' in page
    assert "siem: <code>siem</code>" in page
    stage.sit_down("auditor")
    assert "/answer" not in stage.get("/questions").text


def test_an_answer_leads_back_and_says_what_fell(stage: Any) -> None:
    token = stage.sit_down("on_call").csrf

    def told(command: escalation.RecordFactsRequest) -> escalation.RecordFactsResponse:
        after = escalation.GetIncidentResponse()
        after.CopyFrom(stage.calls.answers["GetIncident"])
        after.clocks[0].state = FALLEN
        stage.calls.answers["GetIncident"] = after
        assert command.facts["risk"].bool_value is True
        return escalation.RecordFactsResponse()

    stage.calls.answers["RecordFacts"] = told
    fields = {"csrf": token, "command_id": ID, "kind": "fact", "name": "risk", "answer": "bool", "value": "yes"}
    sent = stage.post(f"/incidents/{ID}/answer", {**fields, "back": f"/incidents/{ID}"})
    assert sent.headers["location"] == f"/incidents/{ID}?done=answered&of={ID}&fell={OTHER}"
    elsewhere = stage.post(f"/incidents/{ID}/answer", {**fields, "back": "https://evil.example"})
    assert elsewhere.headers["location"].startswith("/questions?")
    page = stage.get(f"/questions?done=answered&of={ID}&fell={OTHER}").text
    assert "Duties that do not arise: 1" in page


def test_a_wrong_answer_shows_the_form_again_open_with_what_was_written(stage: Any) -> None:
    token = stage.sit_down("on_call").csrf
    fields = {"csrf": token, "command_id": ID, "kind": "fact", "name": "persons", "answer": "number", "value": "many"}
    answer = stage.post(f"/incidents/{ID}/answer", {**fields, "question_id": "q-fact-persons"})
    assert answer.status_code == 400
    mine = answer.text.split('id="question-q-fact-persons"')[1].split("</li>")[0]
    assert 'id="answer-q-fact-persons" open' in mine
    assert 'value="many"' in mine
    assert "The field Answer is missing or not in its form." in mine
    assert stage.calls.asked[-1][0] == "GetIncident"
