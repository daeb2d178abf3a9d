"""Which address is which page."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from candor_kit import http
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from candor_console import menu, rpcs
from candor_console.calls import Rpc
from candor_console.console import Console
from candor_console.headers import ALWAYS, SecurityHeaders
from candor_console.pages import (
    acts,
    claims,
    clocks,
    complaints,
    dead_letters,
    disposals,
    features,
    incident_file,
    incidents,
    live,
    log,
    oncall,
    overview,
    questions,
    records,
    registers,
    requests,
    reviews,
    roster,
    sign_in,
    verifier,
    views,
)
from candor_console.problems import Problem
from candor_console.sessions import new_session
from candor_console.visit import Pages, View, begin


def application(console: Console) -> Starlette:
    """The console as an ASGI application, with /livez, /readyz and /metrics beside the pages."""

    async def readiness() -> dict[str, str]:
        # Templates load, or this raises. A service that is away does not take the console away: its pages say so.
        console.templates.get_template("overview.html")
        return {"templates": "ok"}

    app = http.application(readiness, [*routes(Pages(console)), _static()])
    app.add_exception_handler(404, _problem(console, Problem(404, "problem.not_found")))
    app.add_exception_handler(405, _problem(console, Problem(405, "problem.method")))
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(SecurityHeaders, secure=console.cookies.secure)
    return app


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Every page, with the roles that may open it: those that its RPC admits."""
    get_incident = rpcs.GET_INCIDENT.roles
    incident = "/incidents/{incident_id}"
    review = "/reviews/{generation_id}"

    def act(path: str, view: View, roles: frozenset[str]) -> Route:
        return Route(f"{incident}/{path}", pages.closed(acts.guarded(view), roles), methods=["POST"])

    return [
        Route("/sign-in", pages.open(sign_in.show), methods=["GET"]),
        Route("/sign-in", pages.open(sign_in.check_password), methods=["POST"]),
        Route("/sign-in/begin", pages.open(sign_in.begin), methods=["GET"]),
        Route("/sign-in/return", pages.open(sign_in.finish), methods=["GET"]),
        Route("/sign-out", pages.open(sign_in.sign_out), methods=["POST"]),
        Route("/", pages.closed(overview.show), methods=["GET"]),
        Route(oncall.PATH, pages.closed(oncall.show, rpcs.LIST_CLOCKS.roles), methods=["GET"]),
        Route("/live", pages.closed(live.follow, rpcs.LIST_CLOCKS.roles), methods=["GET"]),
        Route("/requests", pages.closed(requests.index, rpcs.LIST_REQUESTS.roles), methods=["GET"]),
        Route("/requests/{request_id}", pages.closed(requests.detail, rpcs.GET_REQUEST.roles), methods=["GET"]),
        Route("/clocks", pages.closed(clocks.index, rpcs.LIST_CLOCKS.roles), methods=["GET"]),
        Route(incident, pages.closed(incidents.detail, get_incident), methods=["GET"]),
        Route(f"{incident}/file", pages.closed(incident_file.show, rpcs.LIST_ACTS.roles), methods=["GET"]),
        Route(
            f"{incident}/proofs.zip", pages.closed(incident_file.bundle, rpcs.GET_ACT_EVIDENCE.roles), methods=["GET"]
        ),
        act("facts", incidents.facts, rpcs.RECORD_FACTS.roles),
        act("acknowledge", incidents.acknowledge, rpcs.ACKNOWLEDGE_PAGE.roles),
        act("draft", incidents.draft, rpcs.DRAFT_REPORT.roles),
        act("approval", incidents.approval, rpcs.APPROVE_REPORT.roles),
        act("submission", incidents.submission, rpcs.RECORD_SUBMISSION.roles),
        act("receipt", incidents.receipt, rpcs.RECORD_RECEIPT.roles),
        act("decision", incidents.decision, rpcs.DECIDE_NOT_TO_REPORT.roles),
        Route("/claims", pages.closed(claims.index, rpcs.LIST_CLAIMS.roles), methods=["GET"]),
        Route("/claims/{claim_id}", pages.closed(claims.detail, rpcs.GET_CLAIM.roles), methods=["GET"]),
        Route("/reviews", pages.closed(reviews.index, rpcs.LIST_REVIEWS.roles), methods=["GET"]),
        Route(review, pages.closed(reviews.detail, rpcs.GET_REVIEW.roles), methods=["GET"]),
        Route(f"{review}/assignment", pages.closed(reviews.assign, rpcs.ASSIGN_REVIEW.roles), methods=["POST"]),
        Route(f"{review}/decision", pages.closed(reviews.decide, rpcs.DECIDE_REVIEW.roles), methods=["POST"]),
        Route("/features", pages.closed(features.index, rpcs.LIST_FEATURES.roles), methods=["GET"]),
        Route("/log", pages.closed(log.show), methods=["GET"]),
        Route("/verifier", pages.closed(verifier.show, menu.VERIFIER_ROLES), methods=["GET"]),
        Route("/verifier/page", pages.closed(verifier.save, menu.VERIFIER_ROLES), methods=["GET"]),
        Route("/dead-letters", pages.closed(dead_letters.index, menu.DEAD_LETTER_ROLES), methods=["GET"]),
        Route("/views", pages.closed(views.index, rpcs.LIST_VIEWS["rights"].roles), methods=["GET"]),
        *_of_escalation(pages),
    ]


def _of_escalation(pages: Pages) -> Sequence[BaseRoute]:
    """What is asked, who is on call, what was done about content and accounts, and the registers."""

    def get(path: str, view: View, rpc: Rpc[Any, Any]) -> Route:
        return Route(path, pages.closed(view, rpc.roles), methods=["GET"])

    def post(path: str, view: View, rpc: Rpc[Any, Any]) -> Route:
        return Route(path, pages.closed(view, rpc.roles), methods=["POST"])

    return [
        get(questions.PATH, questions.index, rpcs.LIST_QUESTIONS),
        post("/incidents/{incident_id}/answer", questions.answer, rpcs.RECORD_FACTS),
        get(roster.PATH, roster.show, rpcs.WHO_IS_ON_CALL),
        post("/roster/overrides", roster.override, rpcs.OVERRIDE_ON_CALL),
        post("/roster/overrides/{override_id}/end", roster.end, rpcs.END_OVERRIDE),
        get("/disposals", disposals.index, rpcs.LIST_DISPOSALS),
        get("/disposals/report", disposals.report, rpcs.EXPORT_DISPOSAL_REPORT),
        get("/disposals/{disposal_id}", disposals.detail, rpcs.GET_DISPOSAL),
        post("/disposals/{disposal_id}/out-of-court", disposals.dispute, rpcs.RECORD_OUT_OF_COURT),
        get("/statements/{statement_id}", disposals.statement, rpcs.GET_STATEMENT_OF_REASONS),
        get("/proposals", disposals.proposals, rpcs.LIST_DISPOSAL_PROPOSALS),
        post("/proposals/{proposal_id}/dismissal", disposals.dismiss, rpcs.DISMISS_DISPOSAL_PROPOSAL),
        get("/complaints", complaints.index, rpcs.LIST_COMPLAINTS),
        get("/complaints/{complaint_id}", complaints.detail, rpcs.GET_COMPLAINT),
        post("/complaints/{complaint_id}/decision", complaints.decide, rpcs.DECIDE_COMPLAINT),
        get("/registers", registers.index, rpcs.LIST_ENTRIES),
        get("/registers/{entry_id}", registers.detail, rpcs.GET_ENTRY),
        post("/registers/{entry_id}/decision", registers.decide, rpcs.DECIDE_TRANSFER),
        get("/release", registers.release, rpcs.CHECK_RELEASE),
        post("/release", registers.put_out, rpcs.RELEASE_MODEL),
        *(get(record.path, records.show(record), record.form.rpc) for record in records.RECORDS),
        *(post(record.path, records.send(record), record.form.rpc) for record in records.RECORDS),
    ]


class _Static(StaticFiles):
    """Style, script and mark: the same for everybody, so browsers may keep them for an hour."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def _static() -> Mount:
    return Mount("/static", _Static(packages=[("candor_console", "static")]))


def _problem(console: Console, problem: Problem) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, _error: Exception) -> Response:
        now = console.clock.now()
        session = console.seal.open(console.cookies.read(request.cookies), now) or new_session(now)
        return begin(console, request, session, now).problem(problem)

    return handle


async def _fault(_request: Request, _error: Exception) -> Response:
    """A fault of ours: the server logs it (type and places, never the message); the page tells nothing.

    Starlette answers it outside every middleware, so the headers are given here.
    """
    headers = {**ALWAYS, "Cache-Control": "no-store"}
    return PlainTextResponse(f"{HTTPStatus.INTERNAL_SERVER_ERROR.phrase}\n", status_code=500, headers=headers)
