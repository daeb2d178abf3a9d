"""What the pages show."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from candor.edge.v1 import views_pb2
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation
from candor.rights.v1 import model_pb2 as rights_model
from candor.rights.v1 import service_pb2 as rights
from candor_console import checkpoint, rendering
from candor_console.pages import claims, incidents
from candor_kit.deadletters import DeadLetter, DeadLetters
from candor_kit.errors import Refusal, Unavailable
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ID = "01a20387-f5b9-703f-937d-3280cbb75ead"
OTHER = "01a20387-f5b9-703f-937d-3280cbb75eae"


def at(**offset: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW + timedelta(**offset))
    return stamp


def request(**changed: Any) -> rights_model.RequestSummary:
    fields: dict[str, Any] = {
        "request_id": ID,
        "right": rights_model.RIGHT_DELETION,
        "regime": rights_model.REGIME_PIPL,
        "state": rights_model.REQUEST_STATE_IN_PROGRESS,
        "received_at": at(days=-10),
        "strict_due": at(days=5, minutes=1),
        "citation": "PIPL 50",
        "tasks": 5,
        "tasks_answered": 3,
    }
    return rights_model.RequestSummary(**{**fields, **changed})


def clock(**changed: Any) -> model.Clock:
    fields: dict[str, Any] = {
        "clock_id": OTHER,
        "incident_id": ID,
        "pack_id": "cn.incident-report",
        "obligation_id": "initial-report",
        "citation": "CAC 4",
        "recipient": "provincial CAC",
        "state": model.CLOCK_STATE_RUNNING,
        "anchor": model.Anchor(name="discovered", at=at(hours=-3)),
        "strict_due": at(hours=1, minutes=1),
        "legal_number": True,
    }
    return model.Clock(**{**fields, **changed})


def test_the_list_shows_due_dates_and_answered_tasks(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    late = request(request_id=OTHER, strict_due=at(hours=-2))
    desk.calls.answers["ListRequests"] = rights.ListRequestsResponse(requests=[late, request()])
    page = desk.get("/requests").text
    assert "5 d 0 h left" in page
    assert "2026-11-27 13:31 UTC" in page
    assert "3/5" in page
    assert "overdue by 2 h 0 min" in page
    assert page.count('class="overdue"') == 1
    assert f'href="/requests/{ID}"' in page


def test_an_auditor_sees_the_list_without_a_way_to_the_person(desk: Any) -> None:
    desk.sit_down("auditor")
    desk.calls.answers["ListRequests"] = rights.ListRequestsResponse(requests=[request()])
    page = desk.get("/requests").text
    assert ID[-8:] in page
    assert f'href="/requests/{ID}"' not in page


def test_a_detail_says_that_the_view_is_on_record(desk: Any) -> None:
    desk.sit_down("privacy_officer", name="wang")
    proof = rights_model.Proof(
        outcome=rights_model.OUTCOME_RESTRICTED,
        kinds=[rights_model.KindCount(kind="generation", count=7)],
        completed_at=at(hours=-1),
        last_copy_expires_at=at(days=8),
        restriction_basis="PIPL 47",
    )
    tasks = [
        rights_model.Task(holder_id="generation", attempts=1, proof=proof),
        rights_model.Task(holder_id="crm", attempts=2),
    ]
    answer = rights.GetRequestResponse(summary=request(), subject="acct:7", contact="a@example.com", tasks=tasks)
    desk.calls.answers["GetRequest"] = answer
    page = desk.get(f"/requests/{ID}").text
    for words in (
        "Your view is on record as wang.",
        "acct:7",
        "a@example.com",
        "restricted",
        "PIPL 47",
        "2026-11-30 13:30 UTC",
    ):
        assert words in page
    assert desk.calls.asked[0][1].request_id == ID


def test_the_overview_puts_what_is_due_first_in_front(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.calls.answers["ListRequests"] = rights.ListRequestsResponse(
        requests=[request(strict_due=at(hours=-2))], next_page_token="x"
    )
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=[clock()])
    spreading = [refutation_model.Claim(matches_last_hour=40), refutation_model.Claim(matches_last_hour=2)]
    desk.calls.answers["ListClaims"] = refutation.ListClaimsResponse(claims=spreading)
    desk.checkpoints.answer = checkpoint.Checkpoint("", "example.com/log", 1284, bytes(32), NOW - timedelta(minutes=3))
    desk.topics.found = (DeadLetters("rights", 2, ()), DeadLetters("consent", 0, ()))
    page = desk.get("/").text
    assert page.index("overdue by 2 h 0 min") < page.index("1 h 1 min left")
    assert "1+" in page  # more requests than one answer holds
    assert "42 matches in the last hour" in page
    assert "1,284" in page
    assert "3 min ago" in page
    assert '<p class="figure figure--alarm">2</p>' in page


def test_a_service_that_is_away_leaves_the_other_tiles(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=[clock()])
    desk.checkpoints.answer = Unavailable("generation")
    answer = desk.get("/")
    assert answer.status_code == 200
    for words in (
        "rights is not answering",
        "refutation is not answering",
        "generation is not answering",
        "1 h 1 min left",
    ):
        assert words in answer.text


def test_each_tile_is_for_the_roles_that_may_see_it(desk: Any) -> None:
    desk.sit_down("on_call")
    page = desk.get("/").text
    assert 'id="tile-clocks"' in page
    assert 'id="tile-requests"' not in page
    assert "ListRequests" not in {name for name, _, _ in desk.calls.asked}


def test_a_drill_counts_in_no_figure_and_is_marked_among_the_clocks(desk: Any) -> None:
    desk.sit_down("on_call")
    drill = clock(drill=True, clock_id=ID, strict_due=at(hours=-2))
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=[drill, clock()])
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    overview = desk.get("/").text
    tile = overview[overview.index('id="tile-clocks"') :]
    assert '<p class="figure">1</p>' in tile[: tile.index("</article>")]
    assert "overdue" not in tile[: tile.index("</article>")]
    assert desk.get("/clocks").text.count(">DRILL</span>") == 1


def test_the_page_of_a_service_that_is_away_names_it(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    answer = desk.get("/requests", **{"Accept-Language": "zh"})
    assert answer.status_code == 503
    assert "rights 没有应答" in answer.text


def test_the_language_is_kept_once_it_was_asked_for(desk: Any) -> None:
    assert "登录" in desk.get("/sign-in?lang=zh").text
    assert "登录" in desk.get("/sign-in").text
    assert "Sign in" in desk.get("/sign-in?lang=en").text


def test_clocks_show_law_and_objective_apart(desk: Any) -> None:
    desk.sit_down("on_call")
    silent = clock(clock_id=ID, legal_number=False, citation="PIPL 57")
    dated = clock(legal_latest=at(hours=1, minutes=1), provisional=True)
    desk.calls.answers["ListClocks"] = escalation.ListClocksResponse(clocks=[dated, silent])
    desk.calls.answers["ListIncidents"] = escalation.ListIncidentsResponse()
    page = desk.get("/clocks").text
    assert "the law gives no number" in page
    assert "our own objective" in page
    assert "number from the law · provisional" in page


def incident() -> escalation.GetIncidentResponse:
    return escalation.GetIncidentResponse(
        incident=model.Incident(
            incident_id=ID, kind="pi_leak", title="Bucket", state=model.INCIDENT_STATE_OPEN, opened_at=at(hours=-3)
        ),
        clocks=[clock()],
        pages=[model.Page(page_id=OTHER, contact="primary", level=1, sent_at=at(hours=-3))],
        facts=[model.IncidentFact(name="persons", value=Value(number_value=128000), recorded_at=at())],
        drafts=[
            model.Draft(
                clock_id=OTHER,
                revision=revision,
                locale=locale,
                text=f"text {revision} {locale}",
                sha256=bytes(32),
                drafted_at=at(),
            )
            for revision in (1, 2)
            for locale in ("zh", "en")
        ],
        submissions=[
            model.Submission(submission_id=ID, clock_id=OTHER, revision=2, channel="portal", submitted_at=at())
        ],
    )


def test_an_incident_shows_the_latest_draft_and_the_acts_of_the_role(desk: Any) -> None:
    desk.calls.answers["GetIncident"] = incident()
    desk.sit_down("on_call")
    page = desk.get(f"/incidents/{ID}").text
    assert "text 2 zh" in page
    assert "text 1 zh" not in page
    assert "128000" in page
    assert "/acknowledge" in page
    assert "/decision" not in page
    desk.sit_down("privacy_officer")
    page = desk.get(f"/incidents/{ID}").text
    assert "/decision" in page
    assert "/acknowledge" not in page
    desk.sit_down("auditor")
    page = desk.get(f"/incidents/{ID}").text
    assert not re.search(r'action="/incidents/', page)


def test_every_form_carries_a_command_id_of_its_own(desk: Any) -> None:
    desk.calls.answers["GetIncident"] = incident()
    desk.sit_down("on_call", "privacy_officer")
    found = re.findall(r'name="command_id" value="([^"]+)"', desk.get(f"/incidents/{ID}").text)
    assert len(found) == len(set(found)) == 6
    assert {UUID(identifier).version for identifier in found} == {7}


ACTS: list[tuple[str, str, dict[str, str], Any, str]] = [
    ("acknowledge", "AcknowledgePage", {"page_id": OTHER}, escalation.AcknowledgePageResponse(), "acknowledged"),
    ("draft", "DraftReport", {"clock_id": OTHER}, escalation.DraftReportResponse(), "drafted"),
    (
        "submission",
        "RecordSubmission",
        {"clock_id": OTHER, "revision": "2", "locale": "zh", "channel": "portal", "submitted_at": "2026-11-22T13:30"},
        escalation.RecordSubmissionResponse(),
        "submitted",
    ),
    (
        "receipt",
        "RecordReceipt",
        {"submission_id": OTHER, "reference": "CAC-7", "received_at": "2026-11-22T13:30", "proof_sha256": "ab" * 32},
        escalation.RecordReceiptResponse(),
        "receipted",
    ),
    (
        "decision",
        "DecideNotToReport",
        {"clock_id": OTHER, "reason": "Not a personal data breach.", "approved_by": "li"},
        escalation.DecideNotToReportResponse(),
        "decided",
    ),
]


@pytest.mark.parametrize(("path", "rpc", "fields", "answer", "done"), ACTS)
def test_an_act_is_the_command_of_its_form(
    desk: Any, path: str, rpc: str, fields: dict[str, str], answer: Any, done: str
) -> None:
    token = desk.sit_down("on_call", "privacy_officer").csrf
    desk.calls.answers[rpc] = answer
    response = desk.post(f"/incidents/{ID}/{path}", {"csrf": token, "command_id": ID, **fields})
    assert (response.status_code, response.headers["location"]) == (303, f"/incidents/{ID}?done={done}")
    name, question, _ = desk.calls.asked[-1]
    assert name == rpc
    assert question.command_id == ID
    sent = {key: getattr(question, key) for key in fields}
    instants = {key: value.ToDatetime(tzinfo=UTC) for key, value in sent.items() if isinstance(value, Timestamp)}
    assert all(value == NOW for value in instants.values())
    assert sent.get("proof_sha256", bytes.fromhex("ab" * 32)) == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize(("path", "rpc", "fields", "answer", "done"), ACTS)
def test_a_field_that_is_missing_is_named(
    desk: Any, path: str, rpc: str, fields: dict[str, str], answer: Any, done: str
) -> None:
    assert answer is not None
    assert done
    token = desk.sit_down("on_call", "privacy_officer").csrf
    desk.calls.answers["GetIncident"] = incident()
    first = next(iter(fields))
    response = desk.post(f"/incidents/{ID}/{path}", {"csrf": token, "command_id": ID, **fields, first: " "})
    assert response.status_code == 400
    assert "is missing or not in its form" in response.text
    assert rpc not in {name for name, _, _ in desk.calls.asked}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("revision", "two"),
        ("revision", "²"),
        ("revision", "99999999999"),
        ("submitted_at", "yesterday"),
        ("submitted_at", "0000-01-01T00:00"),
    ],
)
def test_a_field_in_a_wrong_form_is_refused(desk: Any, field: str, value: str) -> None:
    token = desk.sit_down("on_call").csrf
    desk.calls.answers["GetIncident"] = incident()
    fields = {"csrf": token, "command_id": ID, **ACTS[2][2], field: value}
    assert desk.post(f"/incidents/{ID}/submission", fields).status_code == 400


def test_a_refused_act_shows_the_reason_and_fresh_forms(desk: Any) -> None:
    token = desk.sit_down("privacy_officer", "on_call").csrf
    desk.calls.answers["GetIncident"] = incident()
    desk.calls.answers["DecideNotToReport"] = Refusal(
        "SAME_PERSON",
        "another person approves",
        domain="candor.escalation.v1",
        status=grpc.StatusCode.PERMISSION_DENIED,
    )
    response = desk.post(f"/incidents/{ID}/decision", {"csrf": token, "command_id": ID, **ACTS[4][2]})
    assert response.status_code == 403
    assert "SAME_PERSON" in response.text
    assert "another person approves" in response.text
    assert f'name="command_id" value="{ID}"' not in response.text


def test_running_clocks_stand_before_stopped_ones() -> None:
    stopped = clock(clock_id=ID, state=model.CLOCK_STATE_RECEIPTED, strict_due=at(hours=-9))
    found = escalation.GetIncidentResponse(clocks=[stopped, clock()])
    assert [duty.clock.clock_id for duty in incidents.duties_of(found)] == [OTHER, ID]


def test_a_claim_without_a_verdict_has_no_notice_yet(desk: Any) -> None:
    desk.sit_down("on_call")
    desk.calls.answers["GetClaim"] = refutation.GetClaimResponse(
        claim=refutation_model.Claim(claim_id=ID, text="Rumour")
    )
    desk.calls.answers["GetNotice"] = Refusal("NOT_DECIDED", "", domain="x", status=grpc.StatusCode.FAILED_PRECONDITION)
    page = desk.get(f"/claims/{ID}").text
    assert "undecided" in page
    assert "ClaimReview" not in page


def test_the_log_page_shows_the_checkpoint_word_for_word(desk: Any) -> None:
    desk.sit_down("auditor")
    origin = "log.example/log/generation/2026h2"
    text = f"{origin}\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n— {origin} AAAA\n"
    desk.checkpoints.answer = checkpoint.parse(text)
    page = desk.get("/log").text
    assert text.rstrip("\n") in page.replace("&#43;", "+")
    assert "candor verify --log-url https://log.example/log/generation/2026h2 --vkey" in page
    assert "aca6c38a90af86e5f5199ee0e4105ef2c03a05b27b8daff59e4e36eefdfcddcb" in page


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/log\n",
        "a\nb\nc\n",
        "a\n-1\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n",
        "a\n1\nAAAA\n",
        "\n1\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n",
    ],
)
def test_what_is_no_checkpoint_is_not_shown_as_one(text: str) -> None:
    with pytest.raises(checkpoint.CheckpointError):
        checkpoint.parse(text)


def test_dead_letters_show_why_and_where(desk: Any) -> None:
    desk.sit_down("operator")
    letter = DeadLetter(
        2,
        41,
        NOW - timedelta(hours=1),
        "MALFORMED",
        "not protobuf",
        "candor.x.v1.Y",
        ID,
        "backend",
        "candor.rights.intake.v1/0/7",
        "intake",
    )
    desk.topics.found = (DeadLetters("rights", 60, (letter,)), DeadLetters("consent", 0, ()))
    page = desk.get("/dead-letters").text
    for words in (
        "MALFORMED",
        "not protobuf",
        "candor.x.v1.Y",
        "2/41",
        "1 h 0 min ago",
        "60 in the topic",
        "The latest 1 are shown.",
        "Nothing was set aside.",
    ):
        assert words in page


def test_views_of_all_services_stand_together_the_latest_in_front(desk: Any) -> None:
    desk.sit_down("auditor")
    asked: list[int] = []

    def answer(question: views_pb2.ListViewsRequest) -> views_pb2.ListViewsResponse:
        asked.append(question.page_size)
        view = views_pb2.View(
            at=at(minutes=-len(asked)),
            viewer=f"viewer-{len(asked)}",
            method="/candor.rights.v1.RightsService/GetRequest",
            request="{}",
            result="OK",
        )
        return views_pb2.ListViewsResponse(views=[view], next_page_token="more")

    desk.calls.answers["ListViews"] = answer
    page = desk.get("/views").text
    assert len(asked) == 5
    assert [page.index(f"viewer-{number}") for number in range(1, 6)] == sorted(
        page.index(f"viewer-{number}") for number in range(1, 6)
    )
    assert "Next page" not in page  # five lists have no one next page
    assert "page=more" in desk.get("/views?service=rights").text


def test_the_console_is_ready_while_services_are_away(desk: Any) -> None:
    answer = desk.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True


def test_matches_in_a_row_are_put_together(desk: Any) -> None:
    kinds = refutation_model.Step
    order = [
        kinds.KIND_REGISTERED,
        kinds.KIND_VERDICT,
        *[kinds.KIND_MATCHED] * 250,
        kinds.KIND_SPREAD_DETECTED,
        kinds.KIND_MATCHED,
    ]
    steps = [kinds(kind=kind, at=at(minutes=number), note=f"note {number}.") for number, kind in enumerate(order)]
    desk.sit_down("auditor")
    desk.calls.answers["GetClaim"] = refutation.GetClaimResponse(claim=refutation_model.Claim(claim_id=ID), steps=steps)
    desk.calls.answers["GetNotice"] = Refusal("X", "", domain="x", status=grpc.StatusCode.NOT_FOUND)
    page = desk.get(f"/claims/{ID}").text
    assert [len(stretch.steps) for stretch in claims.stretches(steps)] == [1, 1, 250, 1, 1]
    assert "Matches: 250" in page
    assert "note 251." in page
    assert "note 151." not in page
    assert "The latest 100 are shown." in page


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("网信部门 / CAC", "zh", "网信部门"),
        ("网信部门 / CAC", "en", "CAC"),
        ("Data Protection Commission", "zh", "Data Protection Commission"),
        ("a / b / c", "zh", "a / b / c"),
    ],
)
def test_a_recipient_is_named_in_the_readers_language(text: str, language: str, shown: str) -> None:
    assert rendering.in_tongue(text, language) == shown
