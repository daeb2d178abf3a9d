"""A stand-in of the DSA Transparency Database: its routes, its answers and its error bodies, over real HTTP.

After the controllers of the database's own repository: 201 with the receipt, 422 with `errors` (and `existing` for a
known puid), in a batch `statement_N` or `existing_puids`, 429 with Retry-After, 302 with a body for a known puid.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "X|ybqkCFX7ZkIFoLxtI0VAk1JBzMR9jVk4c4EU"
_REQUIRED = (
    "decision_ground", "content_type", "category", "content_date", "application_date", "decision_facts", "source_type",
    "automated_detection", "automated_decision", "puid",
)  # fmt: skip
_KNOWN = {
    "category", "category_addition", "category_specification", "category_specification_other", "account_type",
    "application_date", "automated_decision", "automated_detection", "content_date", "content_language",
    "content_type", "content_type_other", "decision_account", "decision_facts", "decision_ground",
    "decision_ground_reference_url", "decision_monetary", "decision_provision", "decision_visibility",
    "decision_visibility_other", "end_date_service_restriction", "illegal_content_explanation",
    "illegal_content_legal_ground", "incompatible_content_explanation", "incompatible_content_ground",
    "incompatible_content_illegal", "puid", "source_identity", "source_type", "territorial_scope",
}  # fmt: skip


@dataclass
class DsaDatabase:
    """What it holds, what it was sent, and how it is to misbehave next."""

    address: str = ""
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, int]] = field(default_factory=list)
    next_answers: deque[str] = field(default_factory=deque)
    refuses: set[str] = field(default_factory=set)
    crashes: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/api/v1/statement", self._one, methods=["POST"]),
                Route("/api/v1/statements", self._many, methods=["POST"]),
                Route("/api/v1/statement/existing-puid/{puid}", self._existing, methods=["GET"]),
                Route("/statement/{uuid}", self._page, methods=["GET"]),
            ]
        )

    async def wait(self, fits: Any, seconds: float = 30) -> None:
        """Wait until the database looks so."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(fits)

    async def _one(self, request: Request) -> Response:
        return await self._answered("one", request, self._store_one)

    async def _many(self, request: Request) -> Response:
        return await self._answered("many", request, self._store_many)

    async def _answered(self, kind: str, request: Request, store: Any) -> Response:
        answer = self._misbehaved(request) or self._crashed(await request.json()) or store(await request.json())
        if answer.headers.get("x-drop"):  # stored, and the answer is lost on its way
            store(await request.json())
        async with self.changed:
            self.calls.append((kind, answer.status_code))
            self.changed.notify_all()
        return answer

    def _misbehaved(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"message": "Unauthenticated."}, 401)
        if request.headers.get("accept") != "application/json":
            return Response(status_code=302, headers={"Location": f"{self.address}/login"})
        if not self.next_answers:
            return None
        answers = {
            "429": JSONResponse({"message": "Too Many Attempts."}, 429, headers={"Retry-After": "1"}),
            "500": Response("<html>Server Error</html>", 500, media_type="text/html"),
            "lost": Response(status_code=502, headers={"x-drop": "1"}),
            "bare": JSONResponse({"message": "The identifier given is not unique within this platform.",
                                  "errors": {"puid": ["The identifier given is not unique within this platform."]}},
                                 422, headers={"x-drop": "1"}),
        }  # fmt: skip
        return answers[self.next_answers.popleft()]

    def _crashed(self, sent: dict[str, Any]) -> Response | None:
        """A fault of the database that certain statements cause, alone or in a batch."""
        puids = {one.get("puid") for one in sent.get("statements", [sent])}
        return Response("<html>Server Error</html>", 500, media_type="text/html") if puids & self.crashes else None

    def _store_one(self, sent: dict[str, Any]) -> Response:
        errors = self._errors(sent)
        if errors:
            return JSONResponse({"message": next(iter(errors.values()))[0], "errors": errors}, 422)
        known = self.statements.get(sent["puid"])
        if known:
            message = "The identifier given is not unique within this platform."
            existing = {name: value for name, value in known.items() if name not in {"id", "puid"}}
            return JSONResponse({"message": message, "errors": {"puid": [message]}, "existing": existing}, 422)
        return JSONResponse(self._stored(sent), 201)

    def _store_many(self, sent: dict[str, Any]) -> Response:
        statements = sent.get("statements", [])
        if not 1 <= len(statements) <= 100:
            message = "The statements field must have between 1 and 100 items."
            return JSONResponse({"message": message, "errors": {"statements": [message]}}, 422)
        errors = {f"statement_{number}": self._errors(one) for number, one in enumerate(statements)}
        errors = {name: found for name, found in errors.items() if found}
        if errors:
            return JSONResponse({"errors": errors}, 422)
        known = [one["puid"] for one in statements if one["puid"] in self.statements]
        if known:
            message = "The platform identifier(s) are not all unique within this call."
            return JSONResponse({"message": message, "errors": {"puid": [message], "existing_puids": known}}, 422)
        return JSONResponse({"statements": [self._stored(one) for one in reversed(statements)]}, 201)

    def _errors(self, sent: dict[str, Any]) -> dict[str, list[str]]:
        errors = {name: [f"The {name} field is required."] for name in _REQUIRED if not sent.get(name)}
        errors |= {name: [f"The {name} field is not known."] for name in sent if name not in _KNOWN}
        if sent.get("puid") in self.refuses:
            errors["decision_facts"] = ["The selected decision facts is invalid."]
        return errors

    def _stored(self, sent: dict[str, Any]) -> dict[str, Any]:
        uuid = str(uuid4())
        stored = {
            **sent,
            "uuid": uuid,
            "id": len(self.statements) + 1,
            "created_at": "2026-11-22 12:00:00",
            "platform_name": "Example",
            "permalink": f"{self.address}/statement/{uuid}",
            "self": f"{self.address}/api/v1/statement/uuid/{uuid}",
        }
        self.statements[sent["puid"]] = stored
        return stored

    async def _existing(self, request: Request) -> Response:
        stored = self.statements.get(request.path_params["puid"])
        self.calls.append(("existing", 302 if stored else 404))
        if stored is None:
            return JSONResponse({"message": "statement of reason not found"}, 404)
        return JSONResponse(stored, 302, headers={"Location": stored["permalink"]})

    async def _page(self, _request: Request) -> Response:
        self.calls.append(("followed", 200))
        return Response("<html>A statement</html>", media_type="text/html")
