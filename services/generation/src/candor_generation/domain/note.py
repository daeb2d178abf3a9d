"""Signed notes and checkpoints: their text and key ids. Signatures themselves are made and checked elsewhere.

Source: C2SP signed-note
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from candor_generation.domain.merkle import HASH_SIZE

ED25519 = b"\x01"
KEY_SIZE = 32
KEY_ID_SIZE = 4
_DASH = "\u2014"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_PRIVATE = "PRIVATE+KEY+"


class NoteError(ValueError):
    """A note, checkpoint or key is not well-formed, or its signature does not hold; the message says which."""


def check_key_name(name: str) -> str:
    """Give the name back.

    Raises:
        NoteError: it is empty or holds a space, a plus sign or a control character.

    Source: C2SP signed-note
    """
    if not name or "+" in name or any(letter.isspace() or ord(letter) < ord(" ") for letter in name):
        raise NoteError("a key name is not empty and holds no space, no control character and no '+'")
    return name


def key_id(name: str, public_key: bytes) -> bytes:
    """SHA-256(name || 0x0A || 0x01 || public key), its first four bytes.

    Source: C2SP signed-note
    """
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:KEY_ID_SIZE]


@dataclass(frozen=True)
class Vkey:
    """A verifier key: an Ed25519 public key of 32 bytes with its name."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line starts with."""
        return key_id(self.name, self.public_key)

    @property
    def text(self) -> str:
        """`<name>+<hex key id>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(ED25519 + self.public_key)}"


def parse_vkey(text: str) -> Vkey:
    """Read a verifier key.

    Raises:
        NoteError: it is none, is not Ed25519, or its id is another key's.

    Source: C2SP signed-note
    """
    name, public_key, stated = _parse_key(text.strip())
    vkey = Vkey(name, public_key)
    if vkey.key_id != stated:
        raise NoteError("the verifier key's id is not the id of its key")
    return vkey


def private_text(name: str, public_key: bytes, seed: bytes) -> str:
    """A signer key in the text form of Go's sumdb/note; `seed` are the 32 secret bytes."""
    return f"{_PRIVATE}{name}+{key_id(name, public_key).hex()}+{_encode(ED25519 + seed)}"


def parse_private(text: str) -> tuple[str, bytes, bytes]:
    """Read a signer key.

    Returns:
        Its name, its 32 secret bytes, and the key id it states, which the caller MUST compare with its public key's.

    Raises:
        NoteError: it is none or is not Ed25519. The message does not repeat the key.
    """
    text = text.strip()
    if not text.startswith(_PRIVATE):
        raise NoteError(f"a signer key starts with {_PRIVATE}")
    return _parse_key(text.removeprefix(_PRIVATE))


def _parse_key(text: str) -> tuple[str, bytes, bytes]:
    parts = text.split("+", 2)
    if len(parts) != len(("name", "id", "key")) or not _KEY_ID.fullmatch(parts[1]):
        raise NoteError("a key reads <name>+<8 hex digits>+<base64>")
    key = _decode(parts[2])
    if key[:1] != ED25519 or len(key) != 1 + KEY_SIZE:
        raise NoteError("only Ed25519 keys (type 1) are known here")
    return check_key_name(parts[0]), key[1:], bytes.fromhex(parts[1])


@dataclass(frozen=True)
class Signature:
    """One signature line: key name, four bytes of key id, signature bytes."""

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """The line with its line feed."""
        return f"{_DASH} {self.name} {_encode(self.key_id + self.blob)}\n"


@dataclass(frozen=True)
class Note:
    """A text, ending in a line feed, with its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def signed(self) -> str:
        """The note as it is written to a file."""
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"


def parse_note(signed: str) -> Note:
    """Split a signed note into its text and signatures.

    Raises:
        NoteError: it has no blank line before its signatures, a control character, or a line that is no signature.

    Source: C2SP signed-note
    """
    if any(ord(letter) < ord(" ") and letter != "\n" for letter in signed):
        raise NoteError("a note holds no control characters")
    text, blank, lines = signed.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("a note ends in a blank line and signature lines")
    return Note(f"{text}\n", tuple(_parse_signature(line) for line in lines.removesuffix("\n").split("\n")))


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != len(("dash", "name", "blob")) or parts[0] != _DASH:
        raise NoteError("a signature line reads <em dash> <key name> <base64>")
    blob = _decode(parts[2])
    if len(blob) <= KEY_ID_SIZE:
        raise NoteError("a signature line holds a key id and a signature")
    return Signature(check_key_name(parts[1]), blob[:KEY_ID_SIZE], blob[KEY_ID_SIZE:])


def verify(note: Note, vkey: Vkey, holds: Callable[[bytes, bytes, bytes], bool]) -> None:
    """Check that the note is signed by the key; signatures of unknown keys are ignored.

    Args:
        note: the note.
        vkey: whose signature is asked for.
        holds: `(public key, message, signature)` to whether the Ed25519 signature holds.

    Raises:
        NoteError: the key has not signed it, or its signature does not hold; the caller MUST NOT use the text.

    Source: C2SP signed-note
    """
    own = [item for item in note.signatures if (item.name, item.key_id) == (vkey.name, vkey.key_id)]
    if not own:
        raise NoteError(f"the note carries no signature of {vkey.name}+{vkey.key_id.hex()}")
    message = note.text.encode()
    if not all(holds(vkey.public_key, message, signature.blob) for signature in own):
        raise NoteError(f"the signature of {vkey.name} does not hold")


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to: its origin, its size in leaves, its root of 32 bytes.

    Source: C2SP tlog-checkpoint
    """

    origin: str
    size: int
    root: bytes
    extensions: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The text to be signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, _encode(self.root), *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note.

    Raises:
        NoteError: it is none.

    Source: C2SP tlog-checkpoint
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < len(("origin", "size", "root")) or not all(lines):
        raise NoteError("a checkpoint has the lines origin, size and root, and no empty line")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise NoteError("a checkpoint's size is a decimal number without leading zeros")
    if len(_decode(root)) != HASH_SIZE:
        raise NoteError(f"a checkpoint's root is {HASH_SIZE} bytes")
    return Checkpoint(origin, int(size), _decode(root), tuple(extensions))


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("what should be base64 is not") from error
    if _encode(data) != text:
        raise NoteError("what should be base64 is not in its one canonical form")
    return data
