"""Which address is which page."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from candor_kit import http
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from candor_console import menu, rpcs
from candor_console.console import Console
from candor_console.headers import ALWAYS, SecurityHeaders
from candor_console.pages import (
    acts,
    claims,
    clocks,
    dead_letters,
    features,
    incident_file,
    incidents,
    live,
    log,
    oncall,
    overview,
    requests,
    reviews,
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
