"""The master key: what wraps the key ring. It stands in a file, in an environment secret, or in a KMS."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from pydantic import SecretStr

from candor_kit.errors import ConfigError
from candor_kit.keys.sealing import KEY_BYTES, Cipher
from candor_kit.settings import KeySettings

_CHECK_BYTES = 8


class MasterKey(Protocol):
    """Wraps the key ring: a few calls at a start. Whatever is asked per record is asked of the ring instead."""

    @property
    def id(self) -> str:
        """Tell this master key from every other, and nothing about it."""

    async def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap 32 bytes; unwrapping needs the same context.

        Raises:
            Unavailable: it does not answer now.
            ConfigError: it refuses.
        """

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return what was wrapped. Raises as `wrap` does; ConfigError also where another key or context wrapped it."""

    async def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Return the same key wrapped by the newest state of this master key. Raises as `unwrap` does."""


class LocalMaster:
    """A master key that this process holds itself: 32 bytes."""

    def __init__(self, key: bytes, name: str = "the key-encryption key") -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError(f"{name} must be {KEY_BYTES} random bytes in base64, it is {len(key)} bytes")
        self.key = key
        self._name = name
        self._cipher = Cipher(key)

    @classmethod
    def from_file(cls, path: Path, setting: str = "CANDOR_KEK_FILE") -> LocalMaster:
        """Read base64 text. Raises ConfigError: the file cannot be read or does not hold 32 bytes."""
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{setting} {path}: {type(error).__name__}; it must hold {KEY_BYTES} random bytes in base64"
            ) from error
        return cls.from_text(text, f"{setting} {path}")

    @classmethod
    def from_text(cls, text: str, name: str) -> LocalMaster:
        """Decode base64 text. Raises ConfigError naming `name`, never the text."""
        try:
            return cls(base64.b64decode("".join(text.split()), validate=True), name)
        except (binascii.Error, ValueError):
            raise ConfigError(f"{name}: not base64; it must hold {KEY_BYTES} random bytes in base64") from None

    @property
    def id(self) -> str:
        """A key check value: eight bytes of HMAC-SHA256 over a constant."""
        check = hmac.digest(self.key, b"candor key check", hashlib.sha256)
        return f"local:{check[:_CHECK_BYTES].hex()}"

    async def wrap(self, key: bytes, context: bytes) -> bytes:
        """Seal a key under this one."""
        return self._cipher.seal(key, b"wrap:" + context)

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open a wrapped key. Raises ConfigError: another key or context wrapped it, or it was changed."""
        try:
            return self._cipher.open(wrapped, b"wrap:" + context)
        except InvalidTag:
            raise ConfigError(f"{self._name} does not open what {self.id} is said to have wrapped") from None

    async def rewrap(self, wrapped: bytes, context: bytes) -> bytes:
        """A local key has one state only, but a fresh nonce does no harm."""
        return await self.wrap(await self.unwrap(wrapped, context), context)


@dataclass(frozen=True)
class Masters:
    """The master key that wraps, and the one it replaces while that is still needed."""

    current: MasterKey
    previous: MasterKey | None = None

    def __iter__(self) -> Iterator[MasterKey]:
        yield self.current
        if self.previous is not None:
            yield self.previous

    def by_id(self, identifier: str) -> MasterKey:
        """Return the master key with this id.

        Raises:
            ConfigError: none of those configured; the message says which one is wanted.
        """
        for master in self:
            if master.id == identifier:
                return master
        has = " and ".join(master.id for master in self)
        raise ConfigError(
            f"this database's key ring is wrapped by master key {identifier}, the configured one is {has}; give that"
            " key back, or give it as CANDOR_KEK_PREVIOUS… until `candor keys rewrap` has replaced it"
        )


def masters_of(settings: KeySettings) -> Masters:
    """Build the master keys that the settings name; nothing is asked over the network.

    Raises:
        ConfigError: none or several are named, a file cannot be read, or a value is not a key.
    """
    current = _named(settings, "CANDOR_KEK", settings.kek_file, settings.kek, settings.kek_vault_key)
    if current is None:
        raise ConfigError("one of CANDOR_KEK_FILE, CANDOR_KEK and CANDOR_KEK_VAULT_KEY must be set")
    previous = _named(
        settings,
        "CANDOR_KEK_PREVIOUS",
        settings.kek_previous_file,
        settings.kek_previous,
        settings.kek_previous_vault_key,
    )
    return Masters(current, previous)


def _named(
    settings: KeySettings, prefix: str, file: Path | None, text: SecretStr | None, vault_key: str
) -> MasterKey | None:
    given = [name for name, value in (("_FILE", file), ("", text), ("_VAULT_KEY", vault_key)) if value]
    if len(given) > 1:
        raise ConfigError(f"only one of {', '.join(prefix + name for name in given)} may be set")
    if file:
        return LocalMaster.from_file(file, f"{prefix}_FILE")
    if text:
        return LocalMaster.from_text(text.get_secret_value(), prefix)
    return _vault(settings, vault_key) if vault_key else None


def _vault(settings: KeySettings, key: str) -> MasterKey:
    from candor_kit.keys.vault import Transit, VaultMaster  # its HTTP client is only loaded where it is used

    if settings.kek_vault_token_file is None:
        raise ConfigError("CANDOR_KEK_VAULT_TOKEN_FILE must name the file with the token for Vault")
    transit = Transit(
        address=settings.kek_vault_addr,
        mount=settings.kek_vault_mount,
        namespace=settings.kek_vault_namespace,
        token_file=settings.kek_vault_token_file,
        ca_file=settings.kek_vault_ca_file,
    )
    return VaultMaster(transit, key)
