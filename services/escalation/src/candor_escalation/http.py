"""The acknowledge link of a page.

Looking at it changes nothing, because mail and chat systems follow links on their own; the button on the page does.
"""

from collections.abc import Awaitable, Callable

from candor_kit.database import AWAY
from candor_kit.service import Service
from candor_kit.transaction import Tx
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from candor_escalation import ack_page
from candor_escalation.domain.link import Expired, Used, verify
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.statement import of_procedure
from candor_escalation.handlers.pages import Pages

_STATUS = {"PAGE_UNKNOWN": 404, "LINK_INVALID": 403, "CLOCK_STOPPED": 409, "UNAVAILABLE": 503}
_IN_CHINESE = {
    "PAGE_UNKNOWN": "没有这一呼叫。",
    "LINK_INVALID": "此链接并非由本系统签发，或已被改动。",
    "CLOCK_STOPPED": "时钟已停止，无需确认。",
    "UNAVAILABLE": "数据库暂无应答，请稍后重试。",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class AckPages:
    """Serves /ack/{token}. ``key`` gives what the links are signed with; ``console`` is the console's address."""

    def __init__(self, service: Service, pages: Pages, key: Callable[[], bytes], console: str) -> None:
        self._service = service
        self._pages = pages
        self._key = key
        self._console = console

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
                page = await act(tx, link.page_id)
        except Refused as refused:
            return self._refused(request, refused)
        except AWAY:
            return self._refused(request, Refused("UNAVAILABLE", "the database does not answer; try again"))
        return HTMLResponse(page, headers=_HEADERS)

    async def _shown(self, tx: Tx, page_id: str) -> str:
        return ack_page.confirm(await self._pages.show(tx, page_id), self._console)

    async def _acknowledged(self, tx: Tx, page_id: str) -> str:
        await self._pages.acknowledge_by_link(tx, page_id)
        return ack_page.acknowledged(await self._pages.show(tx, page_id), self._console)

    def _refused(self, request: Request, refused: Refused) -> Response:
        """What is wrong: as a page for a browser, else as a problem (RFC 9457)."""
        status = _STATUS[refused.reason]
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self._page(refused), status, headers=_HEADERS)
        problem = {
            "type": f"urn:candor:reason:{refused.reason}",
            "title": refused.reason,
            "status": status,
            "detail": refused.message,
        }
        return JSONResponse(problem, status, media_type="application/problem+json", headers=_HEADERS)

    def _page(self, refused: Refused) -> str:
        if isinstance(refused, Used):
            return ack_page.used(refused.by, refused.at, self._console)
        if isinstance(refused, Expired):
            return ack_page.expired(refused.expired_at, self._console)
        return ack_page.refused(_IN_CHINESE[refused.reason], f"{refused.message.capitalize()}.", self._console)


class ComplaintProcedure:
    """Serves /complaints: how to complain and by when it is answered, for everybody.

    Source: Deep Synthesis 12; Generative AI Measures 15
    """

    def __init__(self, answer_days: int) -> None:
        self._page = ack_page.procedure(of_procedure(answer_days))

    def routes(self) -> tuple[BaseRoute, ...]:
        """GET shows it."""
        return (Route("/complaints", self._show, methods=["GET"]),)

    async def _show(self, _request: Request) -> Response:
        return HTMLResponse(self._page, headers=_HEADERS)
