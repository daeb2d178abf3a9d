"""The link in a page by which a person acknowledges it: signed, expiring, good for one page."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from candor_escalation.domain.refusal import Refused

_ID_BYTES = 16
_EXPIRY_BYTES = 8
_MAC_BYTES = 32
_LENGTH = _ID_BYTES + _EXPIRY_BYTES + _MAC_BYTES


class Expired(Refused):
    """A link of ours whose time has passed.

    Attributes:
        expired_at: When.
    """

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(
            "LINK_INVALID", "the link is expired; acknowledge in the console, or by the link of a newer page"
        )
        self.expired_at = expired_at


class Used(Refused):
    """A link of ours that was used before; it works once.

    Attributes:
        by: Who acknowledged.
        at: When.
    """

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__("LINK_INVALID", f"the page was acknowledged before, by {by} at {at:%Y-%m-%d %H:%M} UTC")
        self.by = by
        self.at = at


@dataclass(frozen=True)
class Link:
    """Which page it acknowledges, and until when (whole seconds)."""

    page_id: str
    expires_at: datetime


def sign(link: Link, key: bytes) -> str:
    """The link's token: base64url of page id, expiry and HMAC-SHA256 over both (FIPS 198-1)."""
    signed = UUID(link.page_id).bytes + int(link.expires_at.timestamp()).to_bytes(_EXPIRY_BYTES, "big")
    return base64.urlsafe_b64encode(signed + _mac(signed, key)).rstrip(b"=").decode()


def verify(token: str, key: bytes, now: datetime) -> Link:
    """The link behind a token that we signed and that is not expired.

    Raises:
        Expired: It was ours.
        Refused: LINK_INVALID.
    """
    raw = _decoded(token)
    signed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(raw) != _LENGTH or not hmac.compare_digest(mac, _mac(signed, key)):
        raise Refused("LINK_INVALID", "the link is not ours")
    expires_at = datetime.fromtimestamp(int.from_bytes(signed[_ID_BYTES:], "big"), UTC)
    if now >= expires_at:
        raise Expired(expires_at)
    return Link(str(UUID(bytes=signed[:_ID_BYTES])), expires_at)


def _mac(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"candor.escalation.ack\0" + signed, hashlib.sha256)


def _decoded(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
