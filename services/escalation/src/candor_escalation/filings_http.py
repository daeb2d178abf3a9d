"""The numbers of algorithm filings, for everybody to see: GET /public/filings, as a page or as JSON.

Source: Algorithm Provisions 26
"""

from html import escape

from candor_kit.database import AWAY
from candor_kit.service import Service
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from candor_escalation import register_codec
from candor_escalation.domain.register import ALGORITHM_FILING, APPROVED
from candor_escalation.store import registers

_HEADERS = {
    "Cache-Control": "public, max-age=60",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *",
    "X-Content-Type-Options": "nosniff",
}
_FRAME = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>算法备案信息 / Algorithm filings</title><style>
body{{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:0 auto;padding:1rem}}
table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem;border-bottom:1px solid #767676}}
</style></head><body><main><h1>算法备案信息 / Algorithm filings</h1>{content}</main></body></html>"""
_HEAD = (
    "<tr><th scope=col>产品 / Product</th><th scope=col>算法 / Algorithm</th><th scope=col>备案编号 / Number</th></tr>"
)


class Filings:
    """What the law wants shown in a conspicuous place: the number of each filing that holds, and a link to it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> tuple[BaseRoute, ...]:
        """GET only; no token, as it is public."""
        return (Route("/public/filings", self._show, methods=["GET"]),)

    async def _show(self, request: Request) -> Response:
        try:
            async with self._service.transaction("filings") as tx:
                found = [
                    entry
                    for entry in await registers.in_state(tx.connection, ALGORITHM_FILING, [APPROVED])
                    if entry.holds(tx.now)
                ]
        except AWAY:
            problem = {"type": "urn:candor:reason:UNAVAILABLE", "title": "UNAVAILABLE", "status": 503}
            return JSONResponse(problem, 503, media_type="application/problem+json")
        listed = [dict(register_codec.filing(entry)) for entry in found]
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"filings": listed}, headers=_HEADERS)
        rows = "".join(_row({name: str(value or "") for name, value in filing.items()}) for filing in listed)
        content = f"<table>{_HEAD}{rows}</table>" if rows else "<p>暂无 / None</p>"
        return HTMLResponse(_FRAME.format(content=content), headers=_HEADERS)


def _row(filing: dict[str, str]) -> str:
    number, link = escape(filing["number"]), filing["link"]
    shown = f'<a href="{escape(link)}">{number}</a>' if link.startswith(("https://", "http://")) else number
    return f"<tr><td>{escape(filing['product'])}</td><td>{escape(filing['title'])}</td><td>{shown}</td></tr>"
