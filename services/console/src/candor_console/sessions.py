"""Who is signed in, kept in a sealed cookie: the console has no database and may run in replicas.

The cookie is encrypted and authenticated (Fernet), so nobody but the console reads or changes it. What a stateless
cookie cannot do is be called back: a copy stays good until it was idle for `idle` or is `longest` old.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.responses import Response

# Browsers take about 4 KiB per cookie; a sealed access token can be longer, so a session may span several.
CHUNK = 3500
MOST_CHUNKS = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way at the identity provider: what its answer must fit to."""

    state: str
    nonce: str
    code_verifier: str
    return_to: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the identity provider gave for calls in the person's name."""

    access: str
    refresh: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One browser. `name` is empty until somebody signed in; `csrf` is what every form must bring back."""

    csrf: str
    started_at: datetime
    name: str = ""
    roles: frozenset[str] = frozenset()
    tokens: Tokens | None = None
    flow: Flow | None = None

    @property
    def signed_in(self) -> bool:
        """Whether somebody is signed in."""
        return bool(self.name)


def new_session(now: datetime) -> Session:
    """A session of nobody's, with a CSRF token of its own."""
    return Session(csrf=secrets.token_urlsafe(32), started_at=now)


def signed_in(now: datetime, name: str, roles: frozenset[str], tokens: Tokens | None = None) -> Session:
    """A session for who just signed in; nothing of the session before is taken over (session fixation)."""
    return replace(new_session(now), name=name, roles=roles, tokens=tokens)


class Seal:
    """Turns sessions into cookie text and back.

    `keys` are Fernet keys (32 bytes, URL-safe base64): the first one seals, every one opens, so a key can be changed
    without signing everybody out. Raises ValueError for a key of another form.
    """

    def __init__(self, keys: Sequence[str], *, idle: timedelta, longest: timedelta) -> None:
        if not keys:
            raise ValueError("a session key is needed; make one with: candor-console --new-session-key")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._idle = idle
        self._longest = longest

    def close(self, session: Session, now: datetime) -> str:
        """The session as cookie text, good for `idle` from `now`."""
        return self._fernet.encrypt_at_time(_to_json(session), int(now.timestamp())).decode("ascii")

    def open(self, text: str, now: datetime) -> Session | None:
        """The session, or None when the text is not ours, was changed, or is too old."""
        try:
            plain = self._fernet.decrypt_at_time(text, int(self._idle.total_seconds()), int(now.timestamp()))
        except (InvalidToken, ValueError):
            return None
        session = _from_json(plain)
        return None if now - session.started_at > self._longest else session

    def left(self, text: str, session: Session, now: datetime) -> timedelta:
        """How long the text is good for yet, if nothing renews it."""
        return min(self._idle - self.age(text, now), self._longest - (now - session.started_at))

    def age(self, text: str, now: datetime) -> timedelta:
        """How long ago the text was sealed; very long for a text that is not ours."""
        try:
            return timedelta(seconds=now.timestamp() - self._fernet.extract_timestamp(text))
        except (InvalidToken, ValueError):
            return timedelta.max


def _to_json(session: Session) -> bytes:
    document: dict[str, Any] = {
        "csrf": session.csrf,
        "started_at": session.started_at.timestamp(),
        "name": session.name,
        "roles": sorted(session.roles),
    }
    if session.tokens:
        document["tokens"] = [session.tokens.access, session.tokens.refresh, session.tokens.expires_at.timestamp()]
    if session.flow:
        flow = session.flow
        document["flow"] = [flow.state, flow.nonce, flow.code_verifier, flow.return_to]
    return json.dumps(document, separators=(",", ":")).encode()


def _from_json(plain: bytes) -> Session:
    document = json.loads(plain)
    tokens = document.get("tokens")
    flow = document.get("flow")
    return Session(
        csrf=document["csrf"],
        started_at=_time(document["started_at"]),
        name=document["name"],
        roles=frozenset(document["roles"]),
        tokens=Tokens(tokens[0], tokens[1], _time(tokens[2])) if tokens else None,
        flow=Flow(*flow) if flow else None,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Cookies:
    """Where the sealed text lives in the browser: HttpOnly, SameSite=Lax and, but for a local http page, Secure."""

    secure: bool

    @property
    def name(self) -> str:
        """`__Host-` binds the cookie to this host and to https; browsers refuse that name over http."""
        return "__Host-candor" if self.secure else "candor"

    def read(self, cookies: Mapping[str, str]) -> str:
        """The sealed text, put together; empty when there is none."""
        parts = [cookies.get(self._chunk(number), "") for number in range(MOST_CHUNKS)]
        return "".join(parts[: parts.index("")] if "" in parts else parts)

    def write(self, response: Response, sealed: str, present: Mapping[str, str]) -> None:
        """Set the text, and take away chunks of a longer one before it. Raises ValueError when it does not fit."""
        parts = [sealed[start : start + CHUNK] for start in range(0, len(sealed), CHUNK)]
        if len(parts) > MOST_CHUNKS:
            raise ValueError(f"a session of {len(sealed)} bytes does not fit into {MOST_CHUNKS} cookies of {CHUNK}")
        for number, part in enumerate(parts):
            response.set_cookie(self._chunk(number), part, path="/", secure=self.secure, httponly=True, samesite="lax")
        for number in range(len(parts), MOST_CHUNKS):
            if self._chunk(number) in present:
                response.delete_cookie(self._chunk(number), path="/", secure=self.secure, httponly=True, samesite="lax")

    def _chunk(self, number: int) -> str:
        return self.name if number == 0 else f"{self.name}-{number}"
