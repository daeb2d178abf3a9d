"""The protection that a label carries: which log its number is in, signed by a key that the log's key certifies.

A commitment to the content cannot stand in a label that is handed out before the content is sequenced; a signature can.
It leads whoever finds a file back to its log entry.

Source: GB 45438-2025 Annex E; GB 45438-2025 Annex F
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from candor_generation.domain import note
from candor_generation.domain.note import NoteError, Vkey

SIGNATURE_SIZE = 64
_VERSION = "v1"
_TITLE = "candor label key"
_CODE = re.compile(r"v1\.(?P<origin>[A-Za-z0-9_-]{1,684})\.(?P<key>[0-9a-f]{8})\.(?P<signature>[A-Za-z0-9_-]{86})")


class LabelCodeError(ValueError):
    """A reserved code is none of ours, or does not hold; the message says which."""


@dataclass(frozen=True)
class LabelCode:
    """A reserved code: the log's origin, four bytes of the label key's id, an Ed25519 signature of 64 bytes."""

    origin: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """`v1.<base64url of the origin>.<8 hex digits>.<base64url of the signature>`, only characters of Annex E.

        Source: GB 45438-2025 Annex E
        """
        return f"{_VERSION}.{_encode(self.origin.encode())}.{self.key_id.hex()}.{_encode(self.signature)}"


def parse(text: str) -> LabelCode:
    """Read a reserved code.

    Raises:
        LabelCodeError: it is none of ours.
    """
    found = _CODE.fullmatch(text)
    if found is None:
        raise LabelCodeError("the reserved code is not of this kind")
    try:
        origin = note.check_key_name(_decode(found["origin"]).decode("utf-8"))
    except (UnicodeDecodeError, NoteError) as error:
        raise LabelCodeError("the reserved code names no log") from error
    return LabelCode(origin, bytes.fromhex(found["key"]), _decode(found["signature"]))


def message(origin: str, content_id: str) -> bytes:
    """What is signed: that content of this number is, or will be, in this log."""
    return f"candor label {_VERSION}\n{origin}\n{content_id}\n".encode()


def key_name(origin: str) -> str:
    """The name of a log's label keys."""
    return f"{origin}/label"


def certificate_text(origin: str, key: Vkey) -> str:
    """What the log's key signs: that this key signs labels for it. No checkpoint reads like this.

    Source: C2SP signed-note
    """
    return f"{_TITLE}\n{origin}\n{key.text}\n"


def parse_certificate(text: str) -> tuple[str, Vkey]:
    """The origin and the label key of a certificate, the text of a note that the caller MUST have verified.

    Raises:
        NoteError: it is none.
    """
    lines = text.split("\n")
    if len(lines) != len(("title", "origin", "key", "")) or lines[0] != _TITLE or lines[3]:
        raise NoteError("a label key's certificate has the lines title, origin and key")
    key = note.parse_vkey(lines[2])
    if key.name != key_name(lines[1]):
        raise NoteError("the label key is not named after the log")
    return lines[1], key


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LabelCodeError("the reserved code holds what should be base64 and is not") from error
    if _encode(data) != text:
        raise LabelCodeError("the reserved code is not in its one canonical form")
    return data
