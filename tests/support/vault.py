"""A stand-in of Vault's transit engine: its HTTP API as documented, the answers' bodies included.

Source: Vault HTTP API, "Transit secrets engine (API)" (encrypt, decrypt, rewrap) and "HTTP status codes".
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Answer(Exception):
    """What is answered other than 200."""

    def __init__(self, status: int, *errors: str, **headers: str) -> None:
        super().__init__(status)
        self.status, self.errors, self.headers = status, errors, headers


@dataclass
class Vault:
    """The state of the stand-in; tests set its fields."""

    address: str = ""
    token: str = "hvs.first"
    namespace: str = ""
    sealed: bool = False
    over_limit: int = 0  # so many requests are answered with 429
    standby_behind: int = 0  # so many requests are answered with 412
    raw: bytes | None = None  # answered with 200 whatever is asked
    keys: dict[str, list[bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def create(self, name: str) -> None:
        self.keys[name] = [secrets.token_bytes(32)]

    def rotate(self, name: str) -> None:
        self.keys[name].append(secrets.token_bytes(32))

    def answer(self, path: str, headers: Any, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(path)
        if self.raw is not None:
            return {}
        if self.sealed:
            raise Answer(503, "Vault is sealed")
        if self.over_limit:
            self.over_limit -= 1
            message = f'request path "{path.removeprefix("/v1/")}": rate limit quota exceeded'
            raise Answer(429, message, **{"Retry-After": "1"})
        if self.standby_behind:
            self.standby_behind -= 1
            raise Answer(412, "required index state not present")
        if headers.get("X-Vault-Token") != self.token:
            raise Answer(403, "permission denied")
        if (headers.get("X-Vault-Namespace") or "") != self.namespace:
            raise Answer(403, "permission denied")
        return self._transit(path.split("/")[2:], body)

    def _transit(self, parts: list[str], body: dict[str, Any]) -> dict[str, Any]:
        if len(parts) != 3 or parts[0] != "transit":
            raise Answer(404, f'no handler for route "{"/".join(parts)}". route entry not found.')
        _, action, name = parts
        if name not in self.keys:
            raise Answer(400, "encryption key not found")
        if action == "encrypt":
            return self._encrypted(name, base64.b64decode(body["plaintext"], validate=True))
        plaintext = self._decrypted(name, body["ciphertext"])
        if action == "rewrap":
            return self._encrypted(name, plaintext)
        return {"plaintext": base64.b64encode(plaintext).decode()}

    def _encrypted(self, name: str, plaintext: bytes) -> dict[str, Any]:
        version, nonce = len(self.keys[name]), secrets.token_bytes(12)
        sealed = nonce + AESGCM(self.keys[name][-1]).encrypt(nonce, plaintext, None)
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}", "key_version": version}

    def _decrypted(self, name: str, ciphertext: str) -> bytes:
        if not ciphertext.startswith("vault:v"):
            raise Answer(400, "invalid ciphertext: no prefix")
        version, sealed = ciphertext.removeprefix("vault:v").split(":")
        try:
            raw = base64.b64decode(sealed, validate=True)
            return AESGCM(self.keys[name][int(version) - 1]).decrypt(raw[:12], raw[12:], None)
        except (InvalidTag, IndexError, ValueError):
            raise Answer(400, "cipher: message authentication failed") from None


@contextmanager
def vault(tls: ssl.SSLContext | None = None) -> Iterator[Vault]:
    """Run a stand-in on a free port of this machine."""
    state = Vault()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                data = state.answer(self.path, self.headers, body)
            except Answer as answer:
                self._send(answer.status, json.dumps({"errors": answer.errors}).encode(), answer.headers)
                return
            envelope = {"request_id": "r", "lease_id": "", "renewable": False, "lease_duration": 0, "data": data}
            self._send(200, state.raw if state.raw is not None else json.dumps(envelope).encode(), {})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
