"""Authenticated encryption: AES-256-GCM with a random nonce in front (NIST SP 800-38D)."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


class Cipher:
    """One key, ready for use. Building it costs more than sealing a key with it: keep it where it is used twice."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; see `seal`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; see `open_sealed`."""
        return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Encrypt with AES-256-GCM.

    Args:
        key: 32 bytes.
        plaintext: any length below 64 GiB.
        context: authenticated with it; opening needs the same, so a sealed value cannot be moved elsewhere.

    Returns:
        A 12-byte random nonce, the ciphertext, a 16-byte tag (NIST SP 800-38D).
    """
    return Cipher(key).seal(plaintext, context)


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Decrypt what `seal` returned.

    Raises:
        cryptography.exceptions.InvalidTag: another key, another context, or a changed value.
    """
    return Cipher(key).open(sealed, context)
