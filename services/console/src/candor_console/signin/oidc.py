"""Sign-in at an identity provider: OpenID Connect, authorization code flow with PKCE (RFC 7636), by discovery."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2  # what authlib speaks
from authlib.common.errors import AuthlibBaseError
from joserfc.errors import JoseError

from candor_console.sessions import Flow, Tokens

# A token this close to its end is renewed before it is used.
RENEW_BEFORE = timedelta(seconds=30)
# Used when the provider does not say how long its token lasts (RFC 6749, 5.1 only recommends it).
DEFAULT_LIFETIME = timedelta(minutes=5)


class SignInRefused(Exception):
    """The provider's answer is not taken; the message says why, for the log and not for the page."""


class ProviderAway(Exception):
    """The identity provider does not answer, or not as one."""


@dataclass(frozen=True, slots=True)
class Member:
    """Who the provider says it is."""

    name: str
    roles: frozenset[str]
    tokens: Tokens


class Provider:
    """One identity provider.

    `issuer` is its URL; `roles_claim` names the claim with the roles, a dotted path for nested ones
    (`realm_access.roles`); `name_claim` the one that becomes the person's name in every record.
    """

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, scope: str, roles_claim: str, name_claim: str
    ) -> None:
        from authlib.integrations.starlette_client import OAuth  # a local deployment starts without it

        self._issuer = issuer.rstrip("/")
        self._roles_claim = roles_claim
        self._name_claim = name_claim
        self._client = OAuth().register(
            "provider",
            client_id=client_id,
            client_secret=client_secret,
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": scope, "code_challenge_method": "S256", "timeout": 10},
        )

    async def begin(self, redirect_uri: str, return_to: str) -> tuple[str, Flow]:
        """The address to send the browser to, and what its return must fit to. Raises ProviderAway."""
        await self._discover()
        started = await self._client.create_authorization_url(redirect_uri)
        flow = Flow(started["state"], started["nonce"], started["code_verifier"], return_to)
        return started["url"], flow

    async def finish(self, answer: Mapping[str, str], flow: Flow, redirect_uri: str, now: datetime) -> Member:
        """Who came back. Raises SignInRefused or ProviderAway.

        1. the answer belongs to the flow this browser began (`state`, RFC 6749 10.12);
        2. the code is exchanged with the verifier only we know (PKCE);
        3. the ID token is the provider's, for us, in time, and carries the flow's nonce (OpenID Connect Core 3.1.3.7).
        """
        await self._discover()
        if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):  # 1
            raise SignInRefused("the state is not the one that was sent")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused(f"the provider answered {answer.get('error', 'without a code')[:100]}")
        try:
            token = await self._client.fetch_access_token(  # 2
                redirect_uri=redirect_uri, code=answer["code"], code_verifier=flow.code_verifier
            )
            claims = await self._client.parse_id_token(token, nonce=flow.nonce)  # 3
            if claims is None:
                raise SignInRefused("the provider gave no ID token")
            claims = await self._complete(dict(claims), token)
        except httpx2.HTTPError as error:
            raise ProviderAway(str(error)) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError) as error:
            raise SignInRefused(f"{type(error).__name__}: {error}") from error
        return self._member(claims, _tokens(token, now))

    async def renew(self, tokens: Tokens, now: datetime) -> Tokens | None:
        """Tokens that are good for the next call, or None when the person has to sign in again. Raises ProviderAway."""
        if now < tokens.expires_at - RENEW_BEFORE:
            return tokens
        if not tokens.refresh:
            return None
        await self._discover()
        try:
            token = await self._client.fetch_access_token(grant_type="refresh_token", refresh_token=tokens.refresh)
        except httpx2.HTTPError as error:
            raise ProviderAway(str(error)) from error
        except AuthlibBaseError:  # the provider ended the session
            return None
        return _tokens({"refresh_token": tokens.refresh, **token}, now)

    async def _discover(self) -> None:
        """Load the provider's description once; it must name the issuer we trust (OpenID Connect Discovery 4.3)."""
        try:
            metadata = await self._client.load_server_metadata()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderAway(str(error)) from error
        if str(metadata.get("issuer", "")).rstrip("/") != self._issuer:
            raise ProviderAway(f"the provider calls itself {metadata.get('issuer')!r}, not {self._issuer!r}")

    async def _complete(self, claims: dict[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
        """Some providers put the roles only into the userinfo answer; ask there when the ID token has none."""
        if _at(claims, self._roles_claim) is not None:
            return claims
        answer = dict(await self._client.userinfo(token=token))
        if answer.get("sub") != claims.get("sub"):  # OpenID Connect Core 5.3.2
            raise SignInRefused("the userinfo answer is about somebody else")
        return {**answer, **claims}

    def _member(self, claims: Mapping[str, Any], tokens: Tokens) -> Member:
        name = claims.get(self._name_claim) or claims.get("sub")
        if not isinstance(name, str) or not name:
            raise SignInRefused("the provider named nobody")
        roles = _at(claims, self._roles_claim)
        listed = roles if isinstance(roles, list) else []
        return Member(name, frozenset(str(role) for role in listed), tokens)


def _at(claims: Mapping[str, Any], path: str) -> object:
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _tokens(token: Mapping[str, Any], now: datetime) -> Tokens:
    seconds = token.get("expires_in")
    lifetime = timedelta(seconds=int(seconds)) if seconds else DEFAULT_LIFETIME
    return Tokens(str(token["access_token"]), str(token.get("refresh_token") or ""), now + lifetime)
