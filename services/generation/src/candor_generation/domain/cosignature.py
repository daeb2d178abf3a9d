"""Cosignatures: what a witness says of a checkpoint, namely that it has seen the log only ever grow up to it.

Signatures themselves are made and checked elsewhere.

Source: C2SP tlog-cosignature
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from candor_generation.domain import note
from candor_generation.domain.note import COSIGNATURE, Note, NoteError, Signature, Vkey

_SIGNATURE_SIZE = 64
_BLOB = struct.Struct(f">Q{_SIGNATURE_SIZE}s")
_LATEST = 2**63 - 1

Holds = Callable[[bytes, bytes, bytes], bool]
"""`(public key, message, signature)` to whether the Ed25519 signature holds."""


@dataclass(frozen=True)
class Cosignature:
    """A cosignature that holds: whose it is, when it was given (seconds since 1970), and its line."""

    witness: Vkey
    timestamp: int
    signature: Signature


def parse_key(text: str) -> Vkey:
    """Read a witness's verifier key.

    Raises:
        NoteError: it is none, or not of the type of a cosignature.

    Source: C2SP tlog-cosignature
    """
    return note.parse_vkey(text, COSIGNATURE)


def signed_message(text: str, timestamp: int) -> bytes:
    """What a witness signs: a header, the time, and the checkpoint's text with its last line feed.

    Source: C2SP tlog-cosignature
    """
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def line_of(witness: Vkey, timestamp: int, signature: bytes) -> Signature:
    """The signature line of a cosignature; `signature` are 64 bytes.

    Source: C2SP tlog-cosignature
    """
    return Signature(witness.name, witness.key_id, _BLOB.pack(timestamp, signature))


def verify(signed: Note, witness: Vkey, holds: Holds) -> Cosignature | None:
    """The latest cosignature of the witness that the note carries, or None where it carries none.

    Raises:
        NoteError: one that is said to be the witness's does not hold; the caller MUST NOT use the note's signatures.

    Source: C2SP tlog-cosignature
    """
    own = [item for item in signed.signatures if (item.name, item.key_id) == (witness.name, witness.key_id)]
    found = [_verified(signed.text, witness, item, holds) for item in own]
    return max(found, key=lambda item: item.timestamp, default=None)


def _verified(text: str, witness: Vkey, line: Signature, holds: Holds) -> Cosignature:
    if len(line.blob) != _BLOB.size:
        raise NoteError(f"a cosignature of {witness.name} is not {_BLOB.size} bytes long")
    timestamp, signature = _BLOB.unpack(line.blob)
    if timestamp > _LATEST:
        raise NoteError(f"the time of a cosignature of {witness.name} is beyond what is allowed")
    if not holds(witness.public_key, signed_message(text, timestamp), signature):
        raise NoteError(f"the cosignature of {witness.name} does not hold")
    return Cosignature(witness, timestamp, line)
