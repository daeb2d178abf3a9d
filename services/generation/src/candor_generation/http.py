"""The log as the tlog-tiles protocol serves it: checkpoint, tiles, entry bundles (C2SP tlog-tiles)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from candor_generation.domain import tiles
from candor_generation.files import LogFiles
from candor_generation.signing import LogKey

_FOREVER = "public, max-age=31536000, immutable"
_NEVER = "no-cache"


@dataclass(frozen=True)
class LogHttp:
    """Serves the log's folder."""

    files: LogFiles
    key: LogKey

    def routes(self) -> list[Route]:
        """The routes below /log."""
        return [
            Route("/log/checkpoint", self._checkpoint),
            Route("/log/vkey", self._vkey),
            Route("/log/{path:path}", self._tile),
        ]

    async def _checkpoint(self, _request: Request) -> Response:
        checkpoint = await asyncio.to_thread(self.files.checkpoint)
        if checkpoint is None:
            return _not_found("the log has published no checkpoint yet")
        published = formatdate(self.files.published_at(), usegmt=True)
        return PlainTextResponse(checkpoint, headers={"Cache-Control": _NEVER, "Last-Modified": published})

    async def _vkey(self, _request: Request) -> Response:
        return PlainTextResponse(f"{self.key.signer.vkey.text}\n", headers={"Cache-Control": _NEVER})

    async def _tile(self, request: Request) -> Response:
        tile = tiles.parse_path(request.path_params["path"])
        if tile is None:
            return _not_found("this is no path of a tile or an entry bundle")
        try:
            content = await asyncio.to_thread(self.files.read, tile)
        except (FileNotFoundError, NotADirectoryError):
            return _not_found("the log has no such tile, or not yet")
        return Response(content, media_type="application/octet-stream", headers={"Cache-Control": _FOREVER})


def _not_found(detail: str) -> Response:
    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": detail}
    return JSONResponse(problem, 404, {"Cache-Control": _NEVER}, "application/problem+json")
