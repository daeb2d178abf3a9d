"""Sealing what the spool holds: prompts and outputs are personal data. Needs the extra `candor-client[sealed]`."""

from __future__ import annotations

import secrets
from typing import Protocol

from candor_client.errors import SpoolSealed

_CLEAR, _SEALED = b"\x00", b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_CONTEXT = b"candor spool 1"


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class Seal:
    """AES-256-GCM under the key given, or nothing. What was written without a key stays readable with one."""

    def __init__(self, key: bytes | None) -> None:
        self._cipher = None if key is None else _cipher(key)

    def close(self, record: bytes) -> bytes:
        """Return what may stand on the disk."""
        if self._cipher is None:
            return _CLEAR + record
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _SEALED + nonce + self._cipher.encrypt(nonce, record, _CONTEXT)

    def open(self, payload: bytes) -> bytes:
        """Return the record.

        Raises:
            SpoolSealed: no key, or not the one that it was sealed with.
        """
        if payload[:1] == _CLEAR:
            return payload[1:]
        if self._cipher is None:
            raise SpoolSealed("the spool holds sealed records; give the spool_key that they were sealed with")
        from cryptography.exceptions import InvalidTag

        nonce, sealed = payload[1 : 1 + _NONCE_BYTES], payload[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, _CONTEXT)
        except InvalidTag:
            raise SpoolSealed("the spool holds records that were sealed with another spool_key") from None


def _cipher(key: bytes) -> _Cipher:
    if len(key) != _KEY_BYTES:
        raise ValueError(f"spool_key must have {_KEY_BYTES} bytes: secrets.token_bytes({_KEY_BYTES})")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise ImportError("spool_key needs AES: pip install 'candor-client[sealed]'") from error
    return AESGCM(key)
