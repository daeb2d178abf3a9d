"""Callers authenticate with a JWT (RFC 7519) signed by an issuer whose public key stands in the JWKS file."""

from __future__ import annotations

import json
from pathlib import Path

import jwt

from candor_kit.errors import EDGE, ConfigError
from candor_kit.transaction import Caller

_ALGORITHMS = ["EdDSA", "ES256", "RS256"]
_SCHEME = "Bearer "


class Authenticator:
    """Checks tokens against a JWKS file, which is read again when it changes, so keys rotate without a restart."""

    def __init__(self, jwks_file: Path, audience: str) -> None:
        self._file = jwks_file
        self._audience = audience
        self._changed = -1
        self._keys: dict[str, jwt.PyJWK] = {}
        self._load()

    def caller(self, authorization: str | None) -> Caller:
        """Return who the token names.

        Raises:
            Refusal: UNAUTHENTICATED, saying what is wrong with the token but not quoting it.
        """
        if not authorization or not authorization.startswith(_SCHEME):
            raise EDGE.refusal("UNAUTHENTICATED", "send the header authorization: Bearer <token>")
        token = authorization.removeprefix(_SCHEME).strip()
        try:
            claims = jwt.decode(
                token,
                self._key(token),
                algorithms=_ALGORITHMS,
                audience=self._audience,
                options={"require": ["exp", "sub", "iss"]},
                leeway=30,
            )
        except jwt.InvalidTokenError as error:
            raise EDGE.refusal("UNAUTHENTICATED", f"the token is not valid: {type(error).__name__}") from error
        roles = claims.get("roles", [])
        known = frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()
        return Caller(str(claims["sub"]), known)

    def _key(self, token: str) -> jwt.PyJWK:
        self._load()
        identifier = jwt.get_unverified_header(token).get("kid", "")
        if identifier not in self._keys:
            msg = "no trusted issuer has this key"
            raise jwt.InvalidKeyError(msg)
        return self._keys[identifier]

    def _load(self) -> None:
        try:
            changed = self._file.stat().st_mtime_ns
            if changed == self._changed:
                return
            parsed = jwt.PyJWKSet.from_dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, jwt.PyJWTError) as error:
            msg = f"CANDOR_JWKS_FILE {self._file}: {type(error).__name__}; it must be a JWKS document (RFC 7517)"
            raise ConfigError(msg) from error
        self._keys = {key.key_id: key for key in parsed.keys if key.key_id}
        self._changed = changed
