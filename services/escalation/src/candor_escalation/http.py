"""The acknowledge link of a page.

Looking at it changes nothing, because mail and chat systems follow links on their own; the button on the page does.
"""

from collections.abc import Awaitable, Callable
from html import escape

from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.transaction import Tx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from candor_escalation.domain.link import verify
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.statement import of_procedure
from candor_escalation.handlers.pages import Pages, Shown

_STATUS = {"PAGE_UNKNOWN": 404, "LINK_INVALID": 403, "CLOCK_STOPPED": 409, "UNAVAILABLE": 503}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FRAME = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Candor</title><style>
body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1.5rem}}
dt{{font-size:.85rem;color:#555}}dd{{margin:0 0 .8rem}}
button{{font:inherit;width:100%;padding:1rem;border:0;border-radius:.5rem;background:#0b5;color:#fff}}
</style></head><body>{content}</body></html>"""


class AckPages:
    """Serves /ack/{token}. ``key`` gives what the links are signed with."""

    def __init__(self, service: Service, pages: Pages, key: Callable[[], bytes]) -> None:
        self._service = service
        self._pages = pages
        self._key = key

    def routes(self) -> tuple[BaseRoute, ...]:
        """GET shows what is to be acknowledged, POST acknowledges it."""
        return (
            Route("/ack/{token}", self._show, methods=["GET"]),
            Route("/ack/{token}", self._acknowledge, methods=["POST"]),
        )

    async def _show(self, request: Request) -> Response:
        return await self._answer(request, self._shown)

    async def _acknowledge(self, request: Request) -> Response:
        return await self._answer(request, self._acknowledged)

    async def _answer(self, request: Request, act: Callable[[Tx, str], Awaitable[str]]) -> Response:
        try:
            link = verify(request.path_params["token"], self._key(), self._service.clock.now())
            async with self._service.transaction("ack-link") as tx:
                content = await act(tx, link.page_id)
        except Refused as refused:
            return _refused(request, refused.reason, refused.message)
        except AWAY:
            return _refused(request, "UNAVAILABLE", "the database does not answer; try again")
        return _html(content)

    async def _shown(self, tx: Tx, page_id: str) -> str:
        return _confirm(await self._pages.show(tx, page_id))

    async def _acknowledged(self, tx: Tx, page_id: str) -> str:
        page = await self._pages.acknowledge_by_link(tx, page_id)
        heading = f"<h1>已确认 / Acknowledged</h1><p>{escape(page.contact)}</p>"
        return f"{heading}<p>时钟继续计时 / The clock runs on.</p>"


def _confirm(shown: Shown) -> str:
    latest = f"{shown.clock.legal_latest:%Y-%m-%d %H:%M} UTC" if shown.clock.legal_latest else "—"
    rows = {
        "事件 / Incident": shown.incident.title,
        "依据 / Clause": shown.clock.citation,
        "截止 / Due": f"{shown.clock.strict_due:%Y-%m-%d %H:%M} UTC",
        "法定最迟 / Latest by law": latest,
        "被通知人 / Paged": f"{shown.page.contact} ({shown.page.level})",
    }
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    return f'<h1>确认 / Acknowledge</h1><dl>{listed}</dl><form method="post"><button>确认 / Acknowledge</button></form>'


def _refused(request: Request, reason: str, message: str) -> Response:
    status = _STATUS[reason]
    if "text/html" in request.headers.get("accept", ""):
        return _html(f"<h1>无法确认 / Not acknowledged</h1><p>{escape(message)}</p>", status)
    problem = {
        "type": f"urn:candor:reason:{reason}",
        "title": reason,
        "status": status,
        "detail": message,
    }
    return JSONResponse(problem, status, media_type="application/problem+json", headers=_HEADERS)


def _html(content: str, status: int = 200) -> Response:
    return HTMLResponse(_FRAME.format(content=content), status, headers=_HEADERS)


class ComplaintProcedure:
    """Serves /complaints: how to complain and by when it is answered, for everybody.

    Source: Deep Synthesis 12; Generative AI Measures 15
    """

    def __init__(self, answer_days: int) -> None:
        texts = of_procedure(answer_days)
        self._page = "".join(f"<p>{escape(line)}</p>" for line in f"{texts.zh}{texts.en}".splitlines())

    def routes(self) -> tuple[BaseRoute, ...]:
        """GET shows it."""
        return (Route("/complaints", self._show, methods=["GET"]),)

    async def _show(self, _request: Request) -> Response:
        return _html(f"<h1>申诉 / Complaints</h1>{self._page}")
