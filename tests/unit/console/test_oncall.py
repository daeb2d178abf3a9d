"""On-call's page: order, marks, one button, and what it says when something is not as it was."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor_console import incident_forms
from candor_console.rendering import plain
from candor_kit.errors import Refusal, Unavailable
from google.protobuf.timestamp_pb2 import Timestamp

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ID = "01a20387-f5b9-703f-937d-3280cbb75ead"
LATE, SOON = "01a20387-f5b9-703f-937d-3280cbb75e01", "01a20387-f5b9-703f-937d-3280cbb75e02"
BACK = {"back": "/on-call"}


def at(**offset: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW + timedelta(**offset))
    return stamp


def clock(clock_id: str, due: Timestamp, **changed: Any) -> model.Clock:
    fields: dict[str, Any] = {
        "clock_id": clock_id,
        "incident_id": ID,
        "citation": f"Law {clock_id[-1]}",
        "recipient": "网信部门 / CAC",
        "state": model.CLOCK_STATE_RUNNING,
        "anchor": model.Anchor(name="aware", at=at(hours=-3)),
        "strict_due": due,
        "legal_number": True,
    }
    return model.Clock(**{**fields, **changed})


@pytest.fixture
def stage(desk: Any) -> Any:
    """Two clocks of one incident: one soon due, which waits for its page, and one overdue, which waits for a draft."""
    soon = clock(SOON, at(minutes=40), provisional=True, anchor=model.Anchor(at=at()), unknown=["risk"])
    clocks = [soon, clock(LATE, at(minutes=-5), legal_number=False)]
    incident = model.Incident(incident_id=ID, kind="pi_leak", title="Bucket", opened_at=at(hours=-3))
    other = model.Incident(incident_id=LATE, kind="rumour", title="No clock yet", opened_at=at(hours=-1))
    pages = [model.Page(page_id="p", clock_id=SOON, contact="wang", sent_at=at(minutes=-1))]
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=clocks)
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse(incidents=[incident, other])
    desk.calls.answers["GetIncident"] = escalation.GetIncidentResponse(incident=incident, clocks=clocks, pages=pages)
    return desk


def cases(page: str) -> list[str]:
    return re.findall(r'<li id="case-.*?</li>\s*(?=<li id="case-|</ol>)', page, re.DOTALL)


def test_what_is_overdue_stands_first_and_each_has_its_one_button(stage: Any) -> None:
    stage.sit_down("on_call")
    page = stage.get("/on-call").text
    late, soon = cases(page)
    assert "overdue by 5 min" in late
    assert "case--overdue" in late
    assert "Draft the report" in late
    assert "40 min left" in soon
    assert "case--soon" in soon
    assert "Acknowledge the page" in soon
    assert [case.count("<button") for case in (late, soon)] == [1, 1]
    assert "Running clocks: 2" in page
    assert "1 overdue" in page
    assert "No clock yet" in page.split("Open incidents without a clock")[1]


def test_one_question_for_the_incident_of_several_clocks(stage: Any) -> None:
    stage.sit_down("on_call")
    stage.get("/on-call")
    assert [name for name, _, _ in stage.calls.asked].count("GetIncident") == 1


def test_doubt_provision_and_objective_are_marked_with_why(stage: Any) -> None:
    stage.sit_down("on_call")
    late, soon = cases(stage.get("/on-call").text)
    assert "Started on a doubt; not known: <code>risk</code>" in soon
    assert "provisional: calendar not published" in soon
    assert "our own objective" in late
    assert "Started on a doubt" not in late


def test_a_drill_says_in_words_that_it_is_one_and_that_nothing_is_to_be_sent(stage: Any) -> None:
    stage.sit_down("on_call")
    assert "DRILL" not in stage.get("/on-call").text
    for answer in ("ListClocks", "GetIncident"):
        for one in stage.calls.answers[answer].clocks:
            one.drill = True
    stage.calls.answers["GetIncident"].incident.drill = True
    stage.calls.answers["ListIncidents"].incidents[1].drill = True
    for lang, mark, note, count in (
        ("en", "DRILL", "Send nothing, call nobody", "Running clocks: 0"),
        ("zh", "演练", "不要报送", "进行中的时限：0"),
    ):  # fmt: skip
        page = stage.get(f"/on-call?lang={lang}").text
        group = page[page.index('class="group"') : page.index("<h2")]
        assert (f"<strong>{mark}</strong>" in group, note in group) == (True, True)
        assert f">{mark}</span>" in page[page.index(f'id="incident-{LATE}"') :]
        assert count in page


def test_the_page_is_in_chinese_too(stage: Any) -> None:
    stage.sit_down("on_call")
    page = stage.get("/on-call?lang=zh").text
    for words in ("即将到期的时限", "逾期 5 分钟", "剩 40 分钟", "确认收到呼叫", "起草报告", "网信部门", "存疑起算"):
        assert words in page


def test_who_may_not_take_the_step_sees_whose_it_is(stage: Any) -> None:
    stage.sit_down("auditor")
    for case in cases(stage.get("/on-call").text):
        assert "<button" not in case
        assert "This step is for:" in case


def test_every_form_has_the_token_a_command_id_of_its_own_and_the_way_back(stage: Any) -> None:
    token = stage.sit_down("on_call").csrf
    page = "".join(cases(stage.get("/on-call").text))
    ids = re.findall(r'name="command_id" value="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 2
    assert {UUID(identifier).version for identifier in ids} == {7}
    assert page.count(f'value="{token}"') == 2
    assert page.count('name="back" value="/on-call"') == 2


def test_an_act_leads_back_to_the_page_it_was_done_on(stage: Any) -> None:
    token = stage.sit_down("on_call").csrf
    stage.calls.answers["DraftReport"] = escalation.DraftReportResponse()
    fields = {"csrf": token, "command_id": ID, "clock_id": LATE, **BACK}
    answer = stage.post(f"/incidents/{ID}/draft", fields)
    assert answer.headers["location"] == "/on-call?done=drafted"
    assert "The report is drafted." in stage.get("/on-call?done=drafted").text
    elsewhere = stage.post(f"/incidents/{ID}/draft", {**fields, "back": "https://evil.example/"})
    assert elsewhere.headers["location"] == f"/incidents/{ID}?done=drafted"


@pytest.mark.parametrize(("seconds", "done"), [(0, "acknowledged"), (-60, "acknowledged_before")])
def test_a_page_that_somebody_had_acknowledged_is_not_called_ours(stage: Any, seconds: float, done: str) -> None:
    token = stage.sit_down("on_call").csrf
    answer = escalation.AcknowledgePageResponse(acknowledged_at=at(seconds=seconds))
    stage.calls.answers["AcknowledgePage"] = answer
    sent = stage.post(f"/incidents/{ID}/acknowledge", {"csrf": token, "command_id": ID, "page_id": SOON, **BACK})
    assert sent.headers["location"] == f"/on-call?done={done}"


@pytest.mark.parametrize(("language", "words"), [("en", "was stopped meanwhile"), ("zh", "该时限已停止")])
def test_a_stale_form_says_what_is_so_by_now_on_the_page_it_stood_on(stage: Any, language: str, words: str) -> None:
    token = stage.sit_down("on_call").csrf
    stage.calls.answers["DraftReport"] = Refusal(
        "CLOCK_STOPPED", "the clock is stopped", domain="x", status=grpc.StatusCode.FAILED_PRECONDITION
    )
    answer = stage.post(
        f"/incidents/{ID}/draft?lang={language}", {"csrf": token, "command_id": ID, "clock_id": LATE, **BACK}
    )
    assert answer.status_code == 409
    assert words in answer.text
    assert "the clock is stopped" in answer.text
    assert len(cases(answer.text)) == 2
    assert "live.js" not in answer.text  # the address of a form cannot be loaded again


def test_what_is_missing_is_recorded_and_the_report_drafted_anew(stage: Any) -> None:
    drafts = [
        model.Draft(clock_id=LATE, revision=1, locale="en", missing=["persons"], text="[missing: persons affected]")
    ]
    stage.calls.answers["GetIncident"].drafts.extend(drafts)
    stage.calls.answers["RecordFacts"] = escalation.RecordFactsResponse()
    stage.calls.answers["DraftReport"] = escalation.DraftReportResponse()
    token = stage.sit_down("on_call").csrf
    (late, _) = cases(stage.get("/on-call").text)
    assert "persons affected <code>persons</code>" in late
    fields = {"csrf": token, "command_id": ID, "draft_command_id": SOON, "clock_id": LATE, "fact.persons": "12", **BACK}
    answer = stage.post(f"/incidents/{ID}/facts", fields)
    assert answer.headers["location"] == "/on-call?done=completed"
    (_, told, _), (_, drafted, _) = stage.calls.asked[-2:]
    assert (told.incident_id, told.command_id, told.source) == (ID, ID, "console")
    assert told.facts["persons"].number_value == 12
    assert (drafted.clock_id, drafted.command_id) == (LATE, SOON)
    empty = stage.post(f"/incidents/{ID}/facts", {**fields, "fact.persons": "  "})
    assert empty.status_code == 400
    assert "what is missing" in empty.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"),
        ("-1.5", "-1.5"),
        ("yes", "true"),
        ("否", "false"),
        ("007", "007"),
        ("12345678901234567890", "12345678901234567890"),
        ("１２", "１２"),
        ("1e9", "1e9"),
        ("a leak", "a leak"),
    ],
)
def test_a_fact_is_read_as_a_person_writes_it(text: str, value: str) -> None:
    command = incident_forms.facts({"command_id": ID, "fact.x": text}, ID)
    assert plain(command.facts["x"]) == value


def test_a_service_that_is_away_shows_nothing_as_current(stage: Any) -> None:
    stage.sit_down("on_call")
    stage.calls.answers["GetIncident"] = Unavailable("escalation")
    answer = stage.get("/on-call")
    assert answer.status_code == 503
    assert "escalation is not answering" in answer.text
    assert "case-" not in answer.text


def test_a_form_of_an_ended_session_says_that_nothing_was_recorded(stage: Any) -> None:
    fields = {"csrf": "of the session that was", "command_id": ID, "clock_id": LATE, **BACK}
    headers = {"Referer": "https://console.example/on-call?done=drafted"}
    answer = stage.post(f"/incidents/{ID}/draft", fields, **headers)
    assert answer.status_code == 403
    assert "What you sent was not recorded." in answer.text
    assert 'href="/sign-in?next=%2Fon-call"' in answer.text
    assert stage.calls.asked == []


@pytest.mark.parametrize(
    "referer", ["https://evil.example/on-call", "nonsense", "http://[", "", "https://console.example//evil"]
)
def test_the_way_back_after_signing_in_is_ours(stage: Any, referer: str) -> None:
    answer = stage.post(f"/incidents/{ID}/draft", {"csrf": "x"}, Referer=referer)
    assert 'href="/sign-in?next=%2F"' in answer.text


def test_the_sign_in_page_says_what_became_of_the_form(desk: Any) -> None:
    assert "what you sent was not recorded" in desk.get("/sign-in?next=%2Fon-call&expired=1").text


def test_a_live_page_brings_its_script_and_its_voice_and_the_policy_lets_it_listen(stage: Any) -> None:
    stage.sit_down("on_call")
    for path in ("/on-call", "/clocks", f"/incidents/{ID}"):
        answer = stage.get(path)
        assert '<script src="/static/live.js" defer></script>' in answer.text
        assert 'id="say" role="status" aria-live="polite"' in answer.text
        assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert "live.js" not in stage.get("/log").text
