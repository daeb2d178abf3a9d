"""Tokens for calls in a local user's name, signed with the local issuer's key: services see who it is."""

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

ISSUER = "candor-local"
AUDIENCE = "candor"
LIFETIME = timedelta(minutes=5)


class IssuerError(ValueError):
    """The local issuer's key cannot be used; the message names the file."""


class LocalIssuer:
    """Signs short tokens (EdDSA). `key_id` is the key's `kid` in the JWKS that the services verify with."""

    def __init__(self, key: Ed25519PrivateKey, key_id: str) -> None:
        self._key = key
        self._key_id = key_id

    def mint(self, name: str, roles: frozenset[str], now: datetime) -> str:
        """A token that says who calls and in which roles, good for five minutes."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": name,
            "roles": sorted(roles),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})


def load(key_file: Path, jwks_file: Path) -> LocalIssuer:
    """Read the key (PEM, PKCS 8) and find its `kid` in the JWKS. Raises IssuerError."""
    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        keys = json.loads(jwks_file.read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IssuerError(f"{key_file}, {jwks_file}: {type(error).__name__}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise IssuerError(f"{key_file}: an Ed25519 key is needed")
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    coordinate = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    for entry in keys:
        if entry.get("x") == coordinate:
            return LocalIssuer(key, entry["kid"])
    raise IssuerError(f"{jwks_file}: the public half of {key_file} is not among the keys")
