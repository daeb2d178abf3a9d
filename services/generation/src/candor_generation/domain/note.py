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
"""The signature type of a log's key."""
COSIGNATURE = b"\x04"
"""The signature type of a witness's Ed25519 key (C2SP tlog-cosignature)."""
KEY_SIZE = 32
KEY_ID_SIZE = 4
_DASH = "\u2014"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_PRIVATE = "PRIVATE+KEY+"
_SURROGATES = ("\ud800", "\udfff")


class NoteError(ValueError):
    """A note, checkpoint or key is not well-formed, or its signature does not hold; the message says which."""


def check_key_name(name: str) -> str:
    """Give the name back.

    Raises:
        NoteError: it is empty, is no UTF-8, or holds a space, a plus sign or a control character.

    Source: C2SP signed-note
    """
    if not name or "+" in name or any(letter.isspace() or ord(letter) < ord(" ") for letter in name):
        raise NoteError("a key name is not empty and holds no space, no control character and no '+'")
    if any(_SURROGATES[0] <= letter <= _SURROGATES[1] for letter in name):
        raise NoteError("a key name is UTF-8")
    return name


def key_id(name: str, public_key: bytes, kind: bytes = ED25519) -> bytes:
    """SHA-256(name || 0x0A || kind || public key), its first four bytes.

    Source: C2SP signed-note
    """
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:KEY_ID_SIZE]


@dataclass(frozen=True)
class Vkey:
    """A verifier key: an Ed25519 public key of 32 bytes with its name and its signature type."""

    name: str
    public_key: bytes
    kind: bytes = ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line starts with."""
        return key_id(self.name, self.public_key, self.kind)

    @property
    def text(self) -> str:
        """`<name>+<hex key id>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(self.kind + self.public_key)}"


def parse_vkey(text: str, kind: bytes = ED25519) -> Vkey:
    """Read a verifier key of a log, or with `kind` COSIGNATURE of a witness.

    Raises:
        NoteError: it is none, is of another type, or its id is another key's.

    Source: C2SP signed-note
    """
    name, public_key, stated = _parse_key(text.strip(), kind)
    vkey = Vkey(name, public_key, kind)
    if vkey.key_id != stated:
        raise NoteError("the verifier key's id is not the id of its key")
    return vkey


def private_text(name: str, public_key: bytes, seed: bytes) -> str:
    """A signer key in the text form of Go's sumdb/note; `seed` are the 32 secret bytes."""
    return f"{_PRIVATE}{name}+{key_id(name, public_key).hex()}+{to_base64(ED25519 + seed)}"


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


def _parse_key(text: str, kind: bytes = ED25519) -> tuple[str, bytes, bytes]:
    parts = text.split("+", 2)
    if len(parts) != len(("name", "id", "key")) or not _KEY_ID.fullmatch(parts[1]):
        raise NoteError("a key reads <name>+<8 hex digits>+<base64>")
    key = from_base64(parts[2])
    if key[:1] != kind or len(key) != 1 + KEY_SIZE:
        raise NoteError(f"only Ed25519 keys of type {kind[0]} are taken here")
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
        return f"{_DASH} {self.name} {to_base64(self.key_id + self.blob)}\n"


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
    _check_letters(signed)
    text, blank, lines = signed.rpartition("\n\n")
    if not blank:
        raise NoteError("a note ends in a blank line and signature lines")
    return Note(f"{text}\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines: a note's end, or a witness's answer.

    Raises:
        NoteError: there is none, a line is no signature, or the last one does not end.

    Source: C2SP signed-note
    """
    _check_letters(lines)
    if not lines.endswith("\n"):
        raise NoteError("signature lines end in a line feed")
    return tuple(_parse_signature(line) for line in lines.removesuffix("\n").split("\n"))


def _check_letters(text: str) -> None:
    if any((letter < " " and letter != "\n") or _SURROGATES[0] <= letter <= _SURROGATES[1] for letter in text):
        raise NoteError("a note is UTF-8 and holds no control characters")


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != len(("dash", "name", "blob")) or parts[0] != _DASH:
        raise NoteError("a signature line reads <em dash> <key name> <base64>")
    blob = from_base64(parts[2])
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
        return "".join(f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note.

    Raises:
        NoteError: it is none.

    Source: C2SP tlog-checkpoint
    """
    _check_letters(text)
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < len(("origin", "size", "root")) or not all(lines) or not text.endswith("\n"):
        raise NoteError("a checkpoint has the lines origin, size and root, each with its line feed, and no empty line")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise NoteError("a checkpoint's size is a decimal number without leading zeros")
    digest = from_base64(root)
    if len(digest) != HASH_SIZE:
        raise NoteError(f"a checkpoint's root is {HASH_SIZE} bytes")
    return Checkpoint(origin, int(size), digest, tuple(extensions))


def to_base64(data: bytes) -> str:
    """Base64 as notes, keys and proofs write it (RFC 4648 4, with padding)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read base64.

    Raises:
        NoteError: it is none, or not in its one canonical form.

    Source: RFC 4648 3.5
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("what should be base64 is not") from error
    if to_base64(data) != text:
        raise NoteError("what should be base64 is not in its one canonical form")
    return data
