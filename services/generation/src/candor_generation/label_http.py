"""The certificates of the label keys, served beside the log, so that whoever finds a file can check its label."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from candor_generation.labelkey import LabelKey

_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class LabelKeyHttp:
    """Serves signed notes by the label key's id."""

    key: LabelKey

    def routes(self) -> list[Route]:
        """The route below /log; it MUST stand before that of the log's tiles."""
        return [Route("/log/labelkey/{key_id}", self._certificate)]

    async def _certificate(self, request: Request) -> Response:
        certificate = await asyncio.to_thread(self.key.certificate, request.path_params["key_id"])
        if certificate is None:
            detail = "the log never certified a label key of this id"
            problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": detail}
            return JSONResponse(problem, 404, {"Cache-Control": "no-cache"}, "application/problem+json")
        return PlainTextResponse(certificate, headers={"Cache-Control": _FOREVER})
