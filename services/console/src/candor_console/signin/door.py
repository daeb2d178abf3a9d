"""What a signed-in session is good for: a token that the services take."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from candor_console.sessions import Session
from candor_console.signin.failures import Failures
from candor_console.signin.local_tokens import LocalIssuer
from candor_console.signin.local_users import LocalUsers
from candor_console.signin.oidc import Provider


class Door(Protocol):
    """A way to sign in, as far as every page needs it."""

    async def admit(self, session: Session, now: datetime) -> tuple[Session, str] | None:
        """The session, renewed if need be, and the bearer token for its calls; None: the person signs in again.

        Raises ProviderAway.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalDoor:
    """Users of a local file; the console signs their tokens with the local issuer's key."""

    users: LocalUsers
    failures: Failures
    issuer: LocalIssuer

    async def admit(self, session: Session, now: datetime) -> tuple[Session, str] | None:
        """A token of five minutes, made for this page."""
        return session, self.issuer.mint(session.name, session.roles, now)


@dataclass(frozen=True, slots=True)
class OidcDoor:
    """An identity provider; the person's own access token goes to the services."""

    provider: Provider
    redirect_uri: str

    async def admit(self, session: Session, now: datetime) -> tuple[Session, str] | None:
        """The access token, renewed when it is about to end."""
        tokens = await self.provider.renew(session.tokens, now) if session.tokens else None
        if tokens is None:
            return None
        return (session if tokens is session.tokens else replace(session, tokens=tokens)), tokens.access
