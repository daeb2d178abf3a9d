"""A master key in HashiCorp Vault's (or OpenBao's) transit engine.

The token needs `update` on `<mount>/encrypt/<key>`, `<mount>/decrypt/<key>` and `<mount>/rewrap/<key>`. It should not
have `create` there: Vault then makes a key that does not exist, and a misspelt name would go unnoticed.

Spec: Vault HTTP API, "Transit secrets engine (API)" and "HTTP status codes".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from candor_kit import log
from candor_kit.errors import ConfigError, Unavailable

_SECONDS = 10.0
_TAG_BYTES = 16
_LONGEST = 300
# What passes by itself: not yet replicated, a rate limit, a fault, a seal (and any other 5xx).
_PASSING = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS}
_LOG = log.get(__name__)


@dataclass(frozen=True)
class Transit:
    """Where the engine is. `namespace` is empty outside of Vault Enterprise; `ca_file` None takes the system's."""

    address: str
    mount: str
    namespace: str
    token_file: Path
    ca_file: Path | None = None


class VaultMaster:
    """A named key of the transit engine; it never leaves Vault."""

    def __init__(self, transit: Transit, key: str) -> None:
        self._transit = transit
        self._key = key
        self._tls = _tls(transit)
        self._token()

    @property
    def id(self) -> str:
        """Mount and name of the key."""
        return f"vault:{self._transit.mount}/{self._key}"

    async def wrap(self, key: bytes, context: bytes) -> bytes:
        """Ask Vault to encrypt a key."""
        plaintext = base64.b64encode(_tag(context) + key).decode()
        return await self._ciphertext("encrypt", {"plaintext": plaintext})

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Ask Vault to decrypt a key."""
        data = await self._ask("decrypt", {"ciphertext": wrapped.decode("ascii", "replace")})
        try:
            plain = base64.b64decode(str(data["plaintext"]), validate=True)
        except (KeyError, binascii.Error):
            raise ConfigError(f"{self._named}: decrypt answered without a plaintext; is it Vault?") from None
        if not hmac.compare_digest(plain[:_TAG_BYTES], _tag(context)):
            raise ConfigError(f"{self._named}: a wrapped key was moved from another place")
        return plain[_TAG_BYTES:]

    async def rewrap(self, wrapped: bytes, _context: bytes) -> bytes:
        """Ask Vault to encrypt under the newest version of its key; the plaintext does not leave Vault."""
        return await self._ciphertext("rewrap", {"ciphertext": wrapped.decode("ascii", "replace")})

    @property
    def _named(self) -> str:
        return f"Vault {self._transit.address}, key {self._transit.mount}/{self._key}"

    async def _ciphertext(self, action: str, body: dict[str, str]) -> bytes:
        ciphertext = str((await self._ask(action, body)).get("ciphertext", ""))
        if not ciphertext.startswith("vault:"):
            raise ConfigError(f"{self._named}: {action} answered without a ciphertext; is it Vault?")
        return ciphertext.encode("ascii")

    async def _ask(self, action: str, body: dict[str, str]) -> dict[str, Any]:
        url = f"{self._transit.address.rstrip('/')}/v1/{self._transit.mount}/{action}/{self._key}"
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true"}
        if self._transit.namespace:
            headers["X-Vault-Namespace"] = self._transit.namespace
        try:
            async with httpx.AsyncClient(verify=self._tls, timeout=_SECONDS) as client:
                answer = await client.post(url, json=body, headers=headers)
        except httpx.InvalidURL as error:
            raise ConfigError(f"CANDOR_KEK_VAULT_ADDR {self._transit.address}: {error}") from error
        except httpx.TransportError as error:
            _LOG.warning("Vault does not answer", type=type(error).__name__, url=self._transit.address)
            raise Unavailable("Vault") from error
        return self._data(action, answer)

    def _data(self, action: str, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code in _PASSING or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _LOG.warning(
                "Vault cannot answer now",
                code=answer.status_code,
                reason=_errors(answer),
                retry_in=answer.headers.get("Retry-After"),
            )
            raise Unavailable(f"Vault ({answer.status_code} {_errors(answer)})")
        if answer.status_code != HTTPStatus.OK:
            raise ConfigError(
                f"{self._named}: {action} was answered with {answer.status_code} {_errors(answer)}{_hint(answer)}"
            )
        data = _json(answer).get("data")
        return data if isinstance(data, dict) else {}

    def _token(self) -> str:
        """Read the token anew every time: an agent renews the file, and calls are few."""
        file = self._transit.token_file
        try:
            token = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise ConfigError(f"CANDOR_KEK_VAULT_TOKEN_FILE {file}: {type(error).__name__}") from error
        if not token or not token.isprintable():
            raise ConfigError(f"CANDOR_KEK_VAULT_TOKEN_FILE {file}: holds no token")
        return token


def _tls(transit: Transit) -> ssl.SSLContext:
    address = urlsplit(transit.address)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise ConfigError(f"CANDOR_KEK_VAULT_ADDR {transit.address!r}: must be https://host[:port]")
    if address.scheme == "http" and not _is_loopback(address.hostname):
        raise ConfigError(
            f"CANDOR_KEK_VAULT_ADDR {transit.address}: http would show keys to the network; only a loopback address"
            " (an agent beside the service) may be reached without TLS"
        )
    try:
        return ssl.create_default_context(cafile=transit.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"CANDOR_KEK_VAULT_CA_FILE {transit.ca_file}: {type(error).__name__}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tag(context: bytes) -> bytes:
    """The context rides in the plaintext: rewrap takes no associated data, and not every key type has any."""
    return hashlib.sha256(b"candor master:" + context).digest()[:_TAG_BYTES]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _errors(answer: httpx.Response) -> str:
    errors = _json(answer).get("errors")
    words = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
    return (words or answer.reason_phrase)[:_LONGEST]


def _hint(answer: httpx.Response) -> str:
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return "; has the token expired, and may it update this path?"
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return "; is the transit engine mounted there, and is the namespace right?"
    return ""
