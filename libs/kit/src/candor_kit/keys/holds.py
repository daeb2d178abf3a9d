"""One random key per legal hold: what a hold keeps of an erased person is wrapped by the hold's key instead.

Destroying the hold's key lets go of everything it kept. Rotation treats it as any other key.
"""

from __future__ import annotations

import hashlib
import hmac

from candor_kit.database import Connection
from candor_kit.keys.ring import KeyRing
from candor_kit.keys.rows import WrappedKeys


class HoldKeys:
    """The holds' keys, beside the subjects' in one table, under pseudonyms that no subject can have."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._rows = WrappedKeys(ring)

    async def key(self, connection: Connection, hold_id: str) -> bytes:
        """Return the hold's key, 32 bytes, made on first use; it cannot be destroyed until the transaction ends."""
        return await self._rows.take(connection, self._pseudonym(hold_id))

    async def find(self, connection: Connection, hold_id: str) -> bytes | None:
        """Return the hold's key, or None when there is none."""
        return await self._rows.find(connection, self._pseudonym(hold_id))

    async def destroy(self, connection: Connection, hold_id: str) -> bool:
        """Destroy the hold's key, and with it what it kept; return whether there was one."""
        return await self._rows.delete(connection, self._pseudonym(hold_id))

    def _pseudonym(self, hold_id: str) -> bytes:
        return hmac.digest(self._ring.derive("hold-pseudonym"), hold_id.encode(), hashlib.sha256)
