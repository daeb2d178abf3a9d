"""One request of one person: who it is, in which language, and what every page does before and after its own part."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from candor_kit import log, tracing
from candor_kit.errors import Refusal, Unavailable
from candor_kit.ids import uuid7
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from candor_console import forms, language, menu, rendering
from candor_console.calls import Answer, Question, Rpc
from candor_console.console import Console
from candor_console.problems import Problem, as_problem
from candor_console.schema_forms import Rejected
from candor_console.sessions import Session, new_session
from candor_console.signin.oidc import ProviderAway
from candor_console.texts import Text, in_language

_LOG = log.get(__name__)
# A session's idle time starts anew with every page, but its cookie is written again only so often: a page that was slow
# to come must not bring back a session that was signed out meanwhile.
REWRITE_AFTER = timedelta(minutes=5)
LIVE_HEADER = "x-candor-live"


@dataclass(slots=True)
class Visit:
    """What a view gets."""

    console: Console
    request: Request
    session: Session
    now: datetime
    lang: str
    text: Text
    bearer: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    session_left: timedelta = timedelta()

    async def call(self, rpc: Rpc[Question, Answer], question: Question) -> Answer:
        """Ask a service in the person's name. Raises Refusal or Unavailable."""
        return await self.console.calls.call(rpc, question, self.bearer)

    def may(self, rpc: Rpc[Any, Any]) -> bool:
        """Whether the person holds a role that the RPC admits. It decides what is shown; the service, what is done."""
        return bool(rpc.roles & self.session.roles)

    @property
    def done(self) -> str:
        """What the address says was done, where there is a text for it."""
        said = self.request.query_params.get("done", "")
        return said if self.text(f"done.{said}", default="") else ""

    def render(
        self, template: str, *, status: int = 200, rejected: Rejected | None = None, **context: object
    ) -> Response:
        """A page. `rejected` is a form to show again with what is wrong; `suggested`, what a field may offer."""
        frame: dict[str, Any] = {
            "lang": self.lang,
            "user": self.session if self.session.signed_in else None,
            "csrf": self.session.csrf,
            "menu": menu.entries(self.session.roles, self.request.url.path),
            "other_language_link": self._link(lang="en" if self.lang == "zh" else "zh"),
            "page_link": lambda token: self._link(page=token),
            "command_id": lambda: str(uuid7(self.now)),
            "status": rejected.status if rejected else status,
            "done": "",
            "refused": rejected,
            "rejected": rejected,
            "suggested": {},
            "live": False,
        }
        helpers = rendering.helpers(self.text, self.lang, self.now)
        values = {**helpers, **frame, **context}
        # Only an address that can be loaded again can be kept up to date.
        values["live"] = bool(values["live"]) and self.request.method in {"GET", "HEAD"}
        page = self.console.templates.get_template(template).render(values)
        return HTMLResponse(page, status_code=int(values["status"]))

    def problem(self, problem: Problem) -> Response:
        """A page that says what went wrong."""
        return self.render(
            "problem.html",
            status=problem.status,
            title=problem.title(self.text),
            text=problem.text(self.text),
            reason=problem.reason,
            fields=problem.fields,
            sign_in=f"/sign-in?{urlencode({'next': came_from(self.request)})}" if problem.sign_in else "",
        )

    def _link(self, **changed: str) -> str:
        # After a POST the address is not one to load again with GET; the overview is.
        path = self.request.url.path if self.request.method in {"GET", "HEAD"} else "/"
        return f"{path}?{urlencode({**dict(self.request.query_params), **changed})}"


View = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """Turns views into endpoints."""

    console: Console

    def open(self, view: View) -> Endpoint:
        """A page that nobody needs to sign in for."""
        return self._endpoint(view)

    def closed(self, view: View, roles: frozenset[str] | None = None) -> Endpoint:
        """A page for who is signed in and, when `roles` are given, holds one of them."""

        async def guarded(visit: Visit) -> Response:
            if not visit.session.signed_in:
                return self._to_sign_in(visit)
            if roles is not None and not roles & visit.session.roles:
                return visit.problem(Problem.forbidden(roles))
            admitted = await self.console.door.admit(visit.session, visit.now)
            if admitted is None:
                return self._to_sign_in(visit)
            visit.session, visit.bearer = admitted
            return await view(visit)

        return self._endpoint(guarded)

    def _endpoint(self, view: View) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            sealed = self.console.cookies.read(request.cookies)
            now = self.console.clock.now()
            before = self.console.seal.open(sealed, now)
            visit = begin(self.console, request, before or new_session(now), now)
            if before is not None:
                visit.session_left = self.console.seal.left(sealed, before, now)
            # The route, not the address: an address can name a request or an incident.
            with tracing.tracer().start_as_current_span(f"{request.method} {_route(request)}"):
                response = await self._answer(visit, view)
            self._keep(visit, response, before, sealed)
            return response

        return endpoint

    async def _answer(self, visit: Visit, view: View) -> Response:
        try:
            if visit.request.method == "POST":
                visit.fields = await self._proven_form(visit)
            return await view(visit)
        except (forms.FormRefused, Refusal, Unavailable, ProviderAway) as error:
            problem = as_problem(error)
            if problem.text_key == "form.csrf" and not visit.session.signed_in and not _is_sign_in(visit.request):
                problem = Problem.expired()
            _LOG.info("a page was refused", status=problem.status, reason=problem.reason, http=_route(visit.request))
            return visit.problem(problem)

    async def _proven_form(self, visit: Visit) -> Mapping[str, str]:
        allowed = self.console.origins
        if self.console.local:
            allowed |= {f"http://{visit.request.headers.get('host', '')}"}
        forms.check_origin(visit.request, allowed)
        fields = await forms.read(visit.request)
        forms.check_token(fields, visit.session.csrf)
        return fields

    def _keep(self, visit: Visit, response: Response, before: Session | None, sealed: str) -> None:
        if _by_itself(visit.request):
            self._keep_renewed(visit, response, before, sealed)
            return
        if visit.session is not before or self.console.seal.age(sealed, visit.now) > REWRITE_AFTER:
            text = self.console.seal.close(visit.session, visit.now)
            self.console.cookies.write(response, text, visit.request.cookies)
        wish = visit.request.query_params.get("lang", "")
        if wish in language.LANGUAGES:
            year = int(timedelta(days=365).total_seconds())
            secure = self.console.cookies.secure
            response.set_cookie(language.COOKIE, wish, max_age=year, secure=secure, httponly=True, samesite="lax")

    def _keep_renewed(self, visit: Visit, response: Response, before: Session | None, sealed: str) -> None:
        """Keep tokens that were renewed, and nothing else: a page that asks by itself is no sign of a person."""
        if before is not None and visit.session is not before:
            sealed_at = visit.now - self.console.seal.age(sealed, visit.now)
            text = self.console.seal.close(visit.session, sealed_at)
            self.console.cookies.write(response, text, visit.request.cookies)

    @staticmethod
    def _to_sign_in(visit: Visit) -> Response:
        if _is_stream(visit.request):  # which a browser would take for a page
            return Response(status_code=401)
        # A form that was sent is not sent again after signing in: the page it stood on is loaded anew, and says so.
        if visit.request.method not in {"GET", "HEAD"}:
            wish = urlencode({"next": came_from(visit.request), "expired": "1"})
            return RedirectResponse(f"/sign-in?{wish}", status_code=303)
        target = visit.request.url.path
        if visit.request.url.query:
            target += f"?{visit.request.url.query}"
        return RedirectResponse(f"/sign-in?{urlencode({'next': target})}", status_code=303)


def begin(console: Console, request: Request, session: Session, now: datetime) -> Visit:
    """The visit of a request, in the language it asks for."""
    lang = language.choose(request.query_params, request.cookies, request.headers.get("accept-language", ""))
    return Visit(console, request, session, now, lang, in_language(lang))


def _route(request: Request) -> str:
    route = request.scope.get("route")
    return str(getattr(route, "path", "unknown"))


def came_from(request: Request) -> str:
    """The page that a form stood on, as the browser says; the overview when it does not, or it is not ours."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    ours = parts.netloc != "" and parts.netloc == request.headers.get("host", "")
    return forms.local_path(parts.path) if ours else "/"


def _is_sign_in(request: Request) -> bool:
    return request.url.path == "/sign-in"


def _by_itself(request: Request) -> bool:
    """Whether a page asks by itself to stay current, and no person did anything."""
    return LIVE_HEADER in request.headers or _is_stream(request)


def _is_stream(request: Request) -> bool:
    return request.headers.get("accept", "") == "text/event-stream"
