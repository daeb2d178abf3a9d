"""Keys: the service's key-encryption key, one wrapped key per subject, and authenticated encryption.

A person is erased by destroying their key: whatever was sealed under it, or under a key it wraps, can no longer be
read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from candor_kit.database import Connection
from candor_kit.errors import ConfigError
from candor_kit.settings import ServiceSettings

KEY_BYTES = 32
_NONCE_BYTES = 12


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Encrypt with AES-256-GCM.

    Args:
        key: 32 bytes.
        plaintext: any length below 64 GiB.
        context: authenticated with it; opening needs the same, so a sealed value cannot be moved elsewhere.

    Returns:
        A 12-byte random nonce, the ciphertext, a 16-byte tag (NIST SP 800-38D).
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Decrypt what `seal` returned.

    Raises:
        cryptography.exceptions.InvalidTag: another key, another context, or a changed value.
    """
    return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)


class KeyEncryptionKey:
    """The key that wraps the subjects' keys, and the secrets derived from it. It never stands in the database."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            msg = f"the key-encryption key must be {KEY_BYTES} bytes, it is {len(key)}"
            raise ConfigError(msg)
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> KeyEncryptionKey:
        """Read base64 text.

        Raises:
            ConfigError: the file cannot be read or does not hold 32 bytes.
        """
        try:
            return cls(base64.b64decode(path.read_text(encoding="ascii"), validate=False))
        except (OSError, ValueError) as error:
            msg = f"CANDOR_KEK_FILE {path}: {type(error).__name__}; it must hold 32 random bytes in base64"
            raise ConfigError(msg) from error

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Seal a key under this one."""
        return seal(self._key, key, b"wrap:" + context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open a wrapped key."""
        return open_sealed(self._key, wrapped, b"wrap:" + context)

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose: HMAC-SHA256 of its name, as one step of HKDF-Expand (RFC 5869)."""
        return hmac.digest(self._key, purpose.encode() + b"\x01", hashlib.sha256)


class SubjectKeys:
    """One random key per subject, wrapped. Rows are found by pseudonym, so the table names nobody."""

    def __init__(self, kek: KeyEncryptionKey) -> None:
        self._kek = kek
        self._pepper = kek.derive("subject-pseudonym")

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> SubjectKeys:
        """Build from the settings' key-encryption key."""
        return cls(KeyEncryptionKey.from_file(settings.kek_file))

    def pseudonym(self, subject: str) -> bytes:
        """Return the subject's keyed pseudonym, 32 bytes: HMAC-SHA256 under a secret outside the database."""
        return hmac.digest(self._pepper, subject.encode(), hashlib.sha256)

    async def key(self, connection: Connection, subject: str) -> bytes:
        """Return the subject's key, made on first use.

        The row is locked against erasure until the transaction ends: look at `erased_at` after this call, not before.
        """
        pseudonym = self.pseudonym(subject)
        wrapped = await self._locked(connection, pseudonym)
        while wrapped is None:
            await connection.execute(
                "INSERT INTO kit_subject_key (pseudonym, wrapped) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (pseudonym, self._kek.wrap(new_key(), pseudonym)),
            )
            wrapped = await self._locked(connection, pseudonym)
        return self._kek.unwrap(wrapped, pseudonym)

    async def find(self, connection: Connection, subject: str) -> bytes | None:
        """Return the subject's key, or None when there is none."""
        return await self.find_by_pseudonym(connection, self.pseudonym(subject))

    async def find_by_pseudonym(self, connection: Connection, pseudonym: bytes) -> bytes | None:
        """Return the key of the subject with this pseudonym, or None when there is none."""
        cursor = await connection.execute("SELECT wrapped FROM kit_subject_key WHERE pseudonym = %s", (pseudonym,))
        row = await cursor.fetchone()
        return self._kek.unwrap(row["wrapped"], pseudonym) if row else None

    async def find_many(self, connection: Connection, subjects: Collection[str]) -> dict[str, bytes]:
        """Return the keys of those of the subjects that have one, by one question to the database."""
        by_pseudonym = {self.pseudonym(subject): subject for subject in subjects}
        cursor = await connection.execute(
            "SELECT pseudonym, wrapped FROM kit_subject_key WHERE pseudonym = ANY(%s)", (list(by_pseudonym),)
        )
        return {
            by_pseudonym[row["pseudonym"]]: self._kek.unwrap(row["wrapped"], row["pseudonym"])
            for row in await cursor.fetchall()
        }

    async def erase(self, connection: Connection, subject: str, at: datetime) -> bool:
        """Destroy the subject's key and remember that what was made until `at` must not come back.

        Returns:
            Whether there was a key.
        """
        pseudonym = self.pseudonym(subject)
        cursor = await connection.execute("DELETE FROM kit_subject_key WHERE pseudonym = %s", (pseudonym,))
        await connection.execute(
            "INSERT INTO kit_erased_subject (pseudonym, erased_at) VALUES (%s, %s)"
            " ON CONFLICT (pseudonym) DO UPDATE"
            " SET erased_at = greatest(kit_erased_subject.erased_at, excluded.erased_at)",
            (pseudonym, at),
        )
        return cursor.rowcount == 1

    async def erased_at(self, connection: Connection, subject: str) -> datetime | None:
        """Return when the subject was last erased, or None. What was made at or before it is discarded."""
        cursor = await connection.execute(
            "SELECT erased_at FROM kit_erased_subject WHERE pseudonym = %s", (self.pseudonym(subject),)
        )
        row = await cursor.fetchone()
        return row["erased_at"] if row else None

    @staticmethod
    async def _locked(connection: Connection, pseudonym: bytes) -> bytes | None:
        cursor = await connection.execute(
            "SELECT wrapped FROM kit_subject_key WHERE pseudonym = %s FOR KEY SHARE", (pseudonym,)
        )
        row = await cursor.fetchone()
        return row["wrapped"] if row else None
