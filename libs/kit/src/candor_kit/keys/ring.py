"""The key ring: a few key-encryption keys, wrapped by the master key in the database, in memory once opened.

The newest version wraps. Older ones unwrap what a rotation has not come to yet. A process that meets a version it does
not know, or wraps by one that is no longer the newest, reads the ring again; nothing has to tell it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag

from candor_kit import log
from candor_kit.database import TRY_AGAIN, Connection, Pool
from candor_kit.errors import ConfigError, Unavailable
from candor_kit.keys.master import LocalMaster, Masters
from candor_kit.keys.sealing import Cipher, new_key
from candor_kit.stop import Stop

# Shared by every transaction that makes a key, exclusive for whoever changes the ring: after a new version is
# committed, no key can appear under an older one.
RING_LOCK = (0x43414E44, 1)
_FIRST = 1
_LEGACY = 0
_ROOT = b"root secret"
_LOG = log.get(__name__)


@dataclass(frozen=True)
class _Opened:
    current: int
    keys: Mapping[int, bytes]
    root: bytes
    ciphers: Mapping[int, Cipher] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ciphers", {version: Cipher(key) for version, key in self.keys.items()})


class KeyRing:
    """The ring of one service. Only its constructor may be used before it is opened (`open_ring`)."""

    def __init__(self, masters: Masters) -> None:
        self.masters = masters
        self._opened: _Opened | None = None
        self._reading = asyncio.Lock()

    @property
    def current(self) -> int:
        """The version that wraps, as far as this process knows."""
        return self._now.current

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose: HMAC-SHA256 of its name, as one step of HKDF-Expand (RFC 5869).

        They come from the root secret, which no rotation changes.
        """
        return hmac.digest(self._now.root, purpose.encode() + b"\x01", hashlib.sha256)

    def wrap(self, key: bytes, context: bytes) -> tuple[int, bytes]:
        """Wrap a key under the newest version known; return that version and 60 bytes."""
        now = self._now
        return now.current, now.ciphers[now.current].seal(key, b"wrap:" + context)

    def unwrap(self, version: int, wrapped: bytes, context: bytes) -> bytes:
        """Open a wrapped key of a version that is known (`know`).

        Raises:
            cryptography.exceptions.InvalidTag: it was wrapped for another context, or changed.
        """
        return self._now.ciphers[version].open(wrapped, b"wrap:" + context)

    def wrapped_root(self) -> tuple[int, bytes]:
        """Return the root secret wrapped under the newest version known, and that version in front."""
        now = self._now
        return now.current, now.ciphers[now.current].seal(now.root, _ROOT)

    async def know(self, connection: Connection, versions: Iterable[int]) -> None:
        """Read the ring again where one of the versions is not known.

        Raises:
            Unavailable: the master key cannot be asked now.
            LookupError: the database has no such version either.
        """
        unknown = set(versions) - self._now.keys.keys()
        if not unknown:
            return
        await self.refresh(connection)
        if missing := unknown - self._now.keys.keys():
            raise LookupError(f"keys are wrapped by version {min(missing)}, which is not in the key ring")

    async def refresh(self, connection: Connection) -> None:
        """Read the ring again. The master key is asked only about versions that are new.

        Raises:
            Unavailable: the master key cannot be asked now, or refuses: that is not the caller's fault.
        """
        async with self._reading:
            try:
                await self._read(connection)
            except ConfigError as error:
                _LOG.error("the key ring cannot be read", reason=str(error))
                raise Unavailable("the master key") from error

    async def open(self, connection: Connection) -> None:
        """Open the ring, made on first use; inside a transaction.

        Raises:
            ConfigError: it is wrapped by another master key, or the master key refuses.
            Unavailable: the master key does not answer.
        """
        if not await self._read(connection):
            await connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", RING_LOCK)
            if not await self._read(connection):
                await self._make(connection)
                await self._read(connection)

    @property
    def _now(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("the key ring is not open yet: ask it in a handler or a first step, not in compose")
        return self._opened

    async def _read(self, connection: Connection) -> bool:
        # One statement, so one snapshot: a rotation may move the root secret to another version at any time.
        cursor = await connection.execute(
            "SELECT ring.version, ring.master, ring.wrapped, root.wrapped AS root"
            " FROM kit_key_ring AS ring LEFT JOIN kit_root_secret AS root USING (version)"
            " WHERE ring.wrapped IS NOT NULL ORDER BY ring.version"
        )
        rows = await cursor.fetchall()
        if not rows:
            return False
        # Versions retired since stay in memory: a reader in an older snapshot may still meet them.
        keys = dict(self._opened.keys) if self._opened else {}
        for row in rows:
            if row["version"] not in keys:
                master = self.masters.by_id(row["master"])
                keys[row["version"]] = await master.unwrap(row["wrapped"], ring_context(row["version"]))
        root = self._opened.root if self._opened else _root_of(rows, keys)
        self._opened = _Opened(rows[-1]["version"], keys, root)
        return True

    async def _make(self, connection: Connection) -> None:
        """Make version 1 and the root secret; keep working what a master key wrapped by itself."""
        legacy = await _legacy_key(connection, self.masters)
        if legacy is not None:
            await self.add(connection, _LEGACY, legacy)
        first = new_key()
        await self.add(connection, _FIRST, first)
        await connection.execute(
            "INSERT INTO kit_root_secret (version, wrapped) VALUES (%s, %s)",
            (_FIRST, Cipher(first).seal(new_key() if legacy is None else legacy, _ROOT)),
        )
        _LOG.info("key ring made", version=_FIRST)

    async def add(self, connection: Connection, version: int, key: bytes) -> None:
        """Put a key into the database's ring; the caller holds RING_LOCK."""
        master = self.masters.current
        await connection.execute(
            "INSERT INTO kit_key_ring (version, master, wrapped) VALUES (%s, %s, %s)",
            (version, master.id, await master.wrap(key, ring_context(version))),
        )


def ring_context(version: int) -> bytes:
    """What a wrapped version of the ring is bound to."""
    return b"ring:%d" % version


def _root_of(rows: Sequence[dict[str, Any]], keys: Mapping[int, bytes]) -> bytes:
    for row in rows:
        if row["root"] is not None:
            return Cipher(keys[row["version"]]).open(row["root"], _ROOT)
    raise ConfigError("the key ring has no root secret; was this database restored in part?")


async def open_ring(ring: KeyRing, pool: Pool, stop: Stop) -> bool:
    """Open the ring, waiting for a master key that is away. False when the service was stopped meanwhile.

    Raises:
        ConfigError: the master key is not the one this database's ring is wrapped by, or refuses.
    """
    delay = 0.2
    while True:
        try:
            async with pool.connection() as connection, connection.transaction():
                await ring.open(connection)
        except (Unavailable, *TRY_AGAIN) as error:
            _LOG.warning("waiting for the master key", retry_in=delay, type=type(error).__name__)
            if await stop.wait(delay):
                return False
            delay = min(delay * 2, 5.0)
        else:
            return True


async def _legacy_key(connection: Connection, masters: Masters) -> bytes | None:
    """Return the master key that wraps keys of this database itself, from before there was a ring."""
    cursor = await connection.execute(
        "SELECT (SELECT array[pseudonym, wrapped] FROM kit_subject_key LIMIT 1) AS sample,"
        " EXISTS (SELECT FROM kit_erased_subject) OR EXISTS (SELECT FROM kit_command)"
        " OR EXISTS (SELECT FROM kit_view) AS derived"
    )
    row = await cursor.fetchone()
    if row is None or (row["sample"] is None and not row["derived"]):
        return None
    for master in masters:
        if isinstance(master, LocalMaster) and _opens(master.key, row["sample"]):
            return master.key
    raise ConfigError(
        "this database has keys wrapped by a key-encryption key that is not configured; give that key as"
        " CANDOR_KEK_FILE, or as CANDOR_KEK_PREVIOUS_FILE beside the one that replaces it"
    )


def _opens(key: bytes, sample: list[bytes] | None) -> bool:
    if sample is None:
        return True
    try:
        Cipher(key).open(sample[1], b"wrap:" + sample[0])
    except InvalidTag:
        return False
    return True
