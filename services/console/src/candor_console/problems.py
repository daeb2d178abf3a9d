"""What went wrong, as a person should read it and with the HTTP status that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from candor_kit.errors import Refusal, Unavailable, Violation

from candor_console.forms import FormRefused
from candor_console.signin.oidc import ProviderAway
from candor_console.texts import Text

STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """`key` and `key`_text name the texts; `roles` are named in them; `said` is the refusing service's own words."""

    status: int
    key: str
    reason: str = ""
    said: str = ""
    text_key: str = ""
    roles: frozenset[str] = frozenset()
    part: str = ""
    fields: Sequence[Violation] = field(default_factory=tuple)
    sign_in: bool = False

    @classmethod
    def expired(cls) -> Problem:
        """A form came when its session had ended."""
        return cls(403, "problem.expired", sign_in=True)

    @classmethod
    def forbidden(cls, roles: frozenset[str]) -> Problem:
        """The page is for other roles."""
        return cls(403, "problem.forbidden", roles=roles)

    def title(self, text: Text) -> str:
        """The headline."""
        return text(self.key, part=self.part)

    def text(self, text: Text) -> str:
        """The sentence below it."""
        if self.said:
            return self.said
        roles = ", ".join(text(f"role.{role}", default=role) for role in sorted(self.roles))
        return text(self.text_key or f"{self.key}_text", roles=roles, part=self.part)

    def what_to_do(self, text: Text) -> str:
        """What to do about a refusal that is known here, and behind it the service's own words."""
        said = self.text(text)
        known = text(f"refusal.{self.reason}", default="")
        return f"{known} ({said})" if known and self.said else known or said


def as_problem(error: FormRefused | Refusal | Unavailable | ProviderAway) -> Problem:
    """The problem that an error is."""
    if isinstance(error, FormRefused):
        return Problem(error.status, "problem.form", text_key=error.reason)
    if isinstance(error, Unavailable):
        return Problem(503, "problem.away", part=error.part)
    if isinstance(error, ProviderAway):
        return Problem(503, "problem.away", text_key="signin.provider_away", part="OpenID Connect")
    return Problem(
        STATUSES.get(error.status, 502), "problem.refused", error.reason, error.message, fields=error.violations
    )
