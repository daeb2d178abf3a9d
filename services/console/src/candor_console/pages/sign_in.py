"""Signing in and out."""

from dataclasses import replace
from urllib.parse import quote

from candor_kit import log
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from candor_console import moments
from candor_console.forms import FormRefused, local_path
from candor_console.sessions import new_session, signed_in
from candor_console.signin.door import LocalDoor, OidcDoor
from candor_console.signin.oidc import ProviderAway, SignInRefused
from candor_console.visit import Visit

_LOG = log.get(__name__)


async def show(visit: Visit) -> Response:
    """The page with the form, or the way to the identity provider."""
    target = local_path(visit.request.query_params.get("next", "/"))
    if visit.session.signed_in:
        return RedirectResponse(target, status_code=303)
    problem = visit.text("signin.expired") if visit.request.query_params.get("expired") == "1" else ""
    return _form(visit, target, problem)


async def check_password(visit: Visit) -> Response:
    """Local users: name and password against the file, slowed down after failures."""
    door = visit.console.door
    if not isinstance(door, LocalDoor):
        raise FormRefused("form.malformed", 400)
    target = local_path(visit.fields.get("next", "/"))
    name = visit.fields.get("name", "")
    keys = (f"name {name}", f"address {visit.request.client.host if visit.request.client else ''}")
    until = door.failures.blocked_until(visit.now, *keys)
    if until is not None:
        wait = moments.span(until - visit.now, visit.text)
        return _form(visit, target, visit.text("signin.blocked", span=wait), status=429)
    user = await run_in_threadpool(door.users.check, name, visit.fields.get("password", ""))
    if user is None:
        door.failures.add(visit.now, *keys)
        _LOG.warning("a sign-in failed", reason="WRONG_PASSWORD")
        return _form(visit, target, visit.text("signin.wrong"), status=403)
    door.failures.forget(keys[0])
    visit.session = signed_in(visit.now, user.name, user.roles)
    return RedirectResponse(target, status_code=303)


async def begin(visit: Visit) -> Response:
    """Send the browser to the identity provider."""
    door = visit.console.door
    target = local_path(visit.request.query_params.get("next", "/"))
    if not isinstance(door, OidcDoor):
        return RedirectResponse(f"/sign-in?next={quote(target)}", status_code=303)
    address, flow = await door.provider.begin(door.redirect_uri, target)
    visit.session = replace(visit.session, flow=flow)
    return RedirectResponse(address, status_code=303)


async def finish(visit: Visit) -> Response:
    """The browser is back from the identity provider. Its flow is used up, whatever comes of it."""
    door = visit.console.door
    flow = visit.session.flow
    if not isinstance(door, OidcDoor) or flow is None:
        return _form(visit, "/", visit.text("signin.provider_refused"), status=403)
    visit.session = replace(visit.session, flow=None)
    try:
        member = await door.provider.finish(dict(visit.request.query_params), flow, door.redirect_uri, visit.now)
    except SignInRefused as error:
        _LOG.warning("a sign-in failed", reason=str(error))
        return _form(visit, flow.return_to, visit.text("signin.provider_refused"), status=403)
    except ProviderAway as error:
        _LOG.warning("the identity provider does not answer", reason=str(error))
        return _form(visit, flow.return_to, visit.text("signin.provider_away"), status=503)
    visit.session = signed_in(visit.now, member.name, member.roles, member.tokens)
    return RedirectResponse(flow.return_to, status_code=303)


async def sign_out(visit: Visit) -> Response:
    """Forget who this browser is. A POST, so that no foreign page and no prefetching does it."""
    visit.console.live.end(visit.session.csrf)
    visit.session = new_session(visit.now)
    return RedirectResponse("/sign-in", status_code=303)


def _form(visit: Visit, target: str, problem: str = "", status: int = 200) -> Response:
    return visit.render(
        "signin.html",
        status=status,
        local=isinstance(visit.console.door, LocalDoor),
        next=target,
        name=visit.fields.get("name", ""),
        problem=problem,
    )
