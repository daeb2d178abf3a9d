"""What a foreign page, a stolen form and a hostile text cannot do."""

from typing import Any

import grpc
import pytest
from candor.escalation.v1 import service_pb2 as escalation
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation
from candor.rights.v1 import service_pb2 as rights
from candor_console import app
from candor_console.visit import Pages
from candor_kit.errors import Refusal
from starlette.routing import Mount, Route

INCIDENT = "01a20387-f5b9-703f-937d-3280cbb75ead"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
OPEN = {"/sign-in", "/sign-in/begin", "/sign-in/return", "/sign-out"}


def every_route(desk: Any) -> list[Route]:
    return [route for route in app.routes(Pages(desk.console)) if isinstance(route, Route)]


def path_of(route: Route) -> str:
    return (
        route.path.replace("{incident_id}", INCIDENT).replace("{request_id}", INCIDENT).replace("{claim_id}", INCIDENT)
    )


def test_every_post_is_refused_without_the_token(desk: Any) -> None:
    posts = [route for route in every_route(desk) if "POST" in (route.methods or ())]
    assert len(posts) == 26
    for route in posts:
        desk.sit_down("privacy_officer", "on_call")
        answer = desk.post(path_of(route), {"command_id": INCIDENT})
        assert answer.status_code == 403, route.path
    assert desk.calls.asked == []


@pytest.mark.parametrize("token", ["", "x", "ä" * 43])
def test_a_wrong_token_is_refused(desk: Any, token: str) -> None:
    desk.sit_down("privacy_officer")
    assert desk.post("/sign-out", {"csrf": token}).status_code == 403
    assert desk.get("/").status_code == 200


def test_a_token_of_another_session_is_refused(desk: Any) -> None:
    stolen = desk.sit_down("auditor").csrf
    desk.sit_down("privacy_officer")
    assert desk.post("/sign-out", {"csrf": stolen}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://console.example", "https://console.example.evil.example", ""]
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(desk: Any, origin: str) -> None:
    token = desk.sit_down("privacy_officer").csrf
    assert desk.post("/sign-out", {"csrf": token}, Origin=origin).status_code == 403


def test_a_post_without_origin_is_refused(desk: Any) -> None:
    token = desk.sit_down("privacy_officer").csrf
    assert desk.browser.post("/sign-out", data={"csrf": token}).status_code == 403


def test_what_is_no_form_is_refused(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    answer = desk.browser.post("/sign-out", json={"csrf": "x"}, headers={"Origin": "https://console.example"})
    assert answer.status_code == 415


def test_a_form_that_is_too_large_is_refused(desk: Any) -> None:
    token = desk.sit_down("privacy_officer").csrf
    assert desk.post("/sign-out", {"csrf": token, "more": "x" * 70_000}).status_code == 413


def test_a_form_of_many_fields_is_refused(desk: Any) -> None:
    token = desk.sit_down("privacy_officer").csrf
    assert desk.post("/sign-out", {"csrf": token, **{str(n): "x" for n in range(60)}}).status_code == 400


def test_nobody_sees_a_page_without_signing_in(desk: Any) -> None:
    for route in every_route(desk):
        if route.path in OPEN or "GET" not in (route.methods or ()):
            continue
        answer = desk.get(path_of(route))
        assert (answer.status_code, answer.headers["location"][:9]) == (303, "/sign-in?"), route.path
    assert desk.calls.asked == []


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        ("auditor", {"/requests/x"}),
        ("on_call", {"/requests", "/requests/x", "/views"}),
        ("operator", {"/requests", "/requests/x", "/clocks", "/incidents/x", "/claims", "/claims/x", "/views"}),
        ("backend", {"/clocks", "/incidents/x", "/dead-letters", "/views"}),
    ],
)
def test_roles_open_only_what_the_services_admit(desk: Any, role: str, refused: set[str]) -> None:
    desk.sit_down(role)
    pages = [
        "/",
        "/requests",
        "/requests/x",
        "/clocks",
        "/incidents/x",
        "/claims",
        "/claims/x",
        "/log",
        "/dead-letters",
        "/views",
    ]
    assert {page for page in pages if desk.get(page).status_code == 403} == refused


def test_an_auditor_never_asks_for_a_persons_data(desk: Any) -> None:
    desk.sit_down("auditor")
    desk.get("/requests/x")
    assert desk.calls.asked == []


@pytest.mark.parametrize("act", ["acknowledge", "decision"])
def test_an_act_of_another_role_is_refused_before_any_service_is_asked(desk: Any, act: str) -> None:
    token = desk.sit_down("auditor").csrf
    assert desk.post(f"/incidents/{INCIDENT}/{act}", {"csrf": token}).status_code == 403
    assert desk.calls.asked == []


def test_hostile_texts_are_shown_not_run(desk: Any) -> None:
    desk.sit_down("privacy_officer", name=HOSTILE)
    claim = refutation_model.Claim(
        claim_id=INCIDENT,
        text=HOSTILE,
        locale=HOSTILE,
        explanation=HOSTILE,
        verdict=refutation_model.VERDICT_FALSE,
        sources=[refutation_model.Source(title=HOSTILE, url="javascript:alert(1)")],
    )
    steps = [refutation_model.Step(note=HOSTILE, actor=HOSTILE)]
    desk.calls.answers["GetClaim"] = refutation.GetClaimResponse(claim=claim, steps=steps)
    desk.calls.answers["GetNotice"] = refutation.GetNoticeResponse(
        json_ld='{"claimReviewed": "</pre><script>alert(1)"}'
    )
    page = desk.get(f"/claims/{INCIDENT}").text
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("<script") == 1  # our own
    assert "<img" not in page
    assert 'href="javascript:' not in page


def test_a_refusals_words_and_fields_are_escaped_too(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.calls.answers["GetRequest"] = Refusal("REQUEST_UNKNOWN", HOSTILE, domain="x", status=grpc.StatusCode.NOT_FOUND)
    answer = desk.get(f"/requests/{INCIDENT}")
    assert answer.status_code == 404
    assert "<img" not in answer.text
    assert "REQUEST_UNKNOWN" in answer.text


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/console.css", "/livez", "/requests"])
def test_every_answer_carries_the_headers(desk: Any, path: str) -> None:
    headers = desk.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] == ("public, max-age=3600" if path.startswith("/static") else "no-store")


def test_a_fault_of_ours_tells_nothing(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.calls.answers["ListRequests"] = RuntimeError("a secret of the program")
    desk.browser.app.debug = False
    client = type(desk.browser)(desk.browser.app, base_url="https://console.example", raise_server_exceptions=False)
    client.cookies.update(desk.browser.cookies)
    answer = client.get("/requests")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"]


def test_static_files_hold_no_inline_code(desk: Any) -> None:
    assert any(isinstance(route, Mount) for route in app.application(desk.console).routes)
    for route in every_route(desk):
        if "GET" in (route.methods or ()) and route.path == "/sign-in":
            page = desk.get(route.path).text
            assert "<style" not in page
            assert " style=" not in page
            assert " onclick=" not in page


def test_the_path_of_an_incident_cannot_lead_elsewhere(desk: Any) -> None:
    token = desk.sit_down("on_call").csrf
    desk.calls.answers["DraftReport"] = escalation.DraftReportResponse()
    fields = {"csrf": token, "command_id": INCIDENT, "clock_id": INCIDENT}
    answer = desk.post("/incidents/%2F%2Fevil.example/draft", fields)
    assert answer.status_code in {303, 404}
    assert not answer.headers.get("location", "/incidents").startswith("//")


def test_only_a_page_that_shows_a_person_asks_for_one(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    desk.calls.answers["ListRequests"] = rights.ListRequestsResponse()
    for page in ("/", "/requests", "/clocks", "/claims", "/views"):
        desk.get(page)
    assert "GetRequest" not in {name for name, _, _ in desk.calls.asked}
