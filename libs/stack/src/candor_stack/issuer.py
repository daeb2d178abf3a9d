"""The local issuer of tokens: one Ed25519 key per folder, its JWKS, and the tokens signed with it.

Only for a local stack. A real deployment trusts the JWKS of the company's own issuer.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from candor_stack.errors import StackError

ISSUER = "candor-local"
AUDIENCE = "candor"
ROLES = ("backend", "service", "matcher", "privacy_officer", "on_call", "auditor", "operator")


@dataclass(frozen=True, slots=True)
class LocalIssuer:
    """Signs tokens for the local stack; `jwks_file` holds the public half for those who verify."""

    key: Ed25519PrivateKey
    key_id: str
    jwks_file: Path

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The issuer of a stack's folder; its key is made at the first call, readable by its owner alone."""
        keys = folder / "keys"
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = _key(issuer_key_file(folder))
        key_id = _thumbprint(key)
        jwks = keys / "jwks.json"
        write_whole(jwks, json.dumps({"keys": [_public_jwk(key, key_id)]}, indent=2) + "\n", mode=0o644)
        return cls(key, key_id, jwks)

    def token(self, subject: str, roles: Sequence[str], ttl: timedelta, now: datetime | None = None) -> str:
        """A signed JWT (EdDSA): `sub`, `roles`, `iss`, `aud`, `iat`, `exp`. Raises StackError for an unknown role."""
        unknown = sorted(set(roles) - set(ROLES))
        if unknown:
            raise StackError(f"Unknown role {', '.join(unknown)}. The roles are: {', '.join(ROLES)}.")
        issued = now or datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": list(roles),
            "iat": issued,
            "exp": issued + ttl,
        }
        return jwt.encode(claims, self.key, algorithm="EdDSA", headers={"kid": self.key_id})


def issuer_key_file(folder: Path) -> Path:
    """The private key of a stack's issuer. The console reads it too: it signs short tokens in its users' names."""
    return folder / "keys" / "issuer.pem"


def write_whole(file: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file at once: whoever reads it sees the old text or the new, never a part."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as handle:
        handle.write(text)
    draft.replace(file)


def _key(file: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except FileNotFoundError:
        return _new_key(file)
    if not isinstance(key, Ed25519PrivateKey):
        raise StackError(f"{file} is not an Ed25519 key. Remove it; the next start makes a new one.")
    return key


def _new_key(file: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_whole(file, pem.decode())
    return key


def _x(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _unpadded(raw)


def _thumbprint(key: Ed25519PrivateKey) -> str:
    """RFC 7638 with the members RFC 8037 requires for an OKP key, in lexicographic order."""
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": _x(key)}, separators=(",", ":"))
    return _unpadded(hashlib.sha256(members.encode()).digest())


def _public_jwk(key: Ed25519PrivateKey, key_id: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _x(key), "kid": key_id, "use": "sig", "alg": "EdDSA"}


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
