"""The log's Ed25519 key: made once, kept in a file, used for nothing but its checkpoints."""

from __future__ import annotations

import contextlib
import os
import secrets
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from candor_generation import durable
from candor_generation.domain import note

_MODE = 0o600


class Signer:
    """Signs notes under one name.

    Args:
        name: the key's name, which is the log's origin.
        seed: 32 secret bytes.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = note.Vkey(note.check_key_name(name), self._key.public_key().public_bytes_raw())

    def under(self, name: str) -> Signer:
        """The same key under another name, which gives it another id."""
        return Signer(name, self._key.private_bytes_raw())

    def sign(self, text: str) -> str:
        """The signed note; the same text always gives the same bytes (RFC 8032 5.1.6)."""
        blob = self._key.sign(text.encode())
        return note.Note(text, (note.Signature(self.vkey.name, self.vkey.key_id, blob),)).signed


class LogKey:
    """The logs' key, read from its file (or made) when it is first asked for.

    Every log of a deployment signs with it under a name of its own, its origin, so that no checkpoint passes for
    another log's.

    Args:
        path: the key file.
        origin: what every log's origin begins with; the key in the file carries it as its name.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self.origin = origin

    @cached_property
    def signer(self) -> Signer:
        """The signer in the name of all the logs; it certifies what they have in common.

        Raises:
            NoteError: the file is no key, or another deployment's.
        """
        return load_or_make(self._path, self.origin)

    def signer_of(self, origin: str) -> Signer:
        """The signer of one log.

        Raises:
            NoteError: the file is no key, or another deployment's.
        """
        return self.signer.under(origin)


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature holds."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signer_of(private_text: str) -> Signer:
    """The signer of a key in the text form of Go's sumdb/note.

    Raises:
        NoteError: it is none, or states another key's id.
    """
    name, seed, stated = note.parse_private(private_text)
    signer = Signer(name, seed)
    if signer.vkey.key_id != stated:
        raise note.NoteError("the signer key's id is not the id of its key")
    return signer


def load_or_make(path: Path, origin: str) -> Signer:
    """The log's signer from its file, which is made where there is none.

    The file appears whole or not at all, and the first of several processes wins.

    Raises:
        NoteError: the file is no key, or another log's.
    """
    if not path.exists():
        _make(path, origin)
    signer = signer_of(path.read_text(encoding="ascii"))
    if signer.vkey.name != origin:
        raise note.NoteError(
            f"{path} is the key of the log {signer.vkey.name}, not of {origin}: a log's name stays for ever, so name it"
            " (CANDOR_LOG_ORIGIN), or put this log's own key there (CANDOR_LOG_KEY_FILE)"
        )
    return signer


def _make(path: Path, origin: str) -> None:
    seed = secrets.token_bytes(note.KEY_SIZE)
    text = note.private_text(origin, Signer(origin, seed).vkey.public_key, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(temporary)
    temporary.unlink()
    durable.sync_folder(path.parent)
