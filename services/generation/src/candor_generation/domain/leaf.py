"""The log entry: canonical bytes that hold keyed commitments and codes only.

A short prompt can be guessed, so a plain hash of it would be personal data that the log could never forget. Each
commitment is keyed by the record's own key: with that key destroyed it says nothing, and the tree stays as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from candor_generation.domain.generation import Decision, Meta, Modality, Payload
from candor_generation.domain.tiles import MAX_ENTRY

VERSION = 1
_COMMITMENT_INFO = b"candor generation commitment 1\x01"
_SHA256 = hashlib.sha256
_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class LeafError(ValueError):
    """The bytes are no entry of this log in its one canonical form."""


@dataclass(slots=True)
class Commitments:
    """HMAC-SHA256 of each personal field under the record's commitment key, 32 bytes each."""

    subject: bytes
    prompt: bytes
    output: bytes


@dataclass(frozen=True)
class Leaf:
    """What the log says of a generation for ever.

    Source: GDPR 17(1); PIPL 47; Generative AI Labelling Measures 9
    """

    generation_id: str
    occurred_at: datetime
    model: str
    modality: Modality
    label: str
    decision: Decision
    library_digest: bytes
    commitments: Commitments


def commitment_key(record_key: bytes) -> bytes:
    """The key that a record's commitments are made under; it opens them and nothing else.

    One HKDF-Expand step (RFC 5869 2.3), so that handing it to an auditor does not hand over the record key.

    Source: RFC 5869 2.3
    """
    inner, outer = _pads(record_key)
    return _SHA256(outer + _SHA256(inner + _COMMITMENT_INFO).digest()).digest()


def _pads(key: bytes) -> tuple[bytes, bytes]:
    """The two blocks that HMAC-SHA256 puts before what it hashes, for keys of 64 bytes at most.

    Written out because the library's one-shot prepares the key anew for every field, at twice the cost of the hashing.

    Spec: RFC 2104 2
    """
    block = key.ljust(_BLOCK, b"\x00")
    return block.translate(_INNER), block.translate(_OUTER)


def commit(key: bytes, payload: Payload) -> Commitments:
    """Commit to a payload. The field's name is part of what is committed to, so equal texts do not look equal.

    Source: GDPR 17(1); PIPL 47
    """
    return commit_to(key, payload.subject.encode(), payload.prompt.encode(), payload.output.encode())


def commit_to(key: bytes, subject: bytes, prompt: bytes, output: bytes) -> Commitments:
    """Commit to a payload's bytes."""
    inner, outer = _pads(key)
    return Commitments(
        _SHA256(outer + _SHA256(inner + b"subject\x00" + subject).digest()).digest(),
        _SHA256(outer + _SHA256(inner + b"prompt\x00" + prompt).digest()).digest(),
        _SHA256(outer + _SHA256(inner + b"output\x00" + output).digest()).digest(),
    )


def make(meta: Meta, label: str, decision: Decision, library_digest: bytes, commitments: Commitments) -> Leaf:
    """The leaf of a generation."""
    return Leaf(
        meta.generation_id,
        meta.occurred_at,
        meta.model,
        meta.modality,
        label,
        decision,
        library_digest,
        commitments,
    )


def encode(leaf: Leaf) -> bytes:
    """The entry, byte for byte: JSON in ASCII, keys in order, no white space.

    Raises:
        LeafError: it is longer than a bundle can carry.

    Source: C2SP tlog-tiles
    """
    entry = generation_entry(
        leaf.generation_id,
        leaf.occurred_at.astimezone(UTC).strftime(TIME),
        leaf.model,
        leaf.modality.value,
        leaf.label,
        leaf.decision.name.lower(),
        leaf.library_digest.hex(),
        leaf.commitments,
    )
    return _short_enough(entry)


def generation_entry(
    generation_id: str,
    time: str,
    model: str,
    modality: str,
    label: str,
    decision: str,
    library: str,
    commitments: Commitments,
) -> bytes:
    """The entry of a generation out of its parts, which are plain ASCII but for the model."""
    return (
        f'{{"commitments":{{"output":"{commitments.output.hex()}","prompt":"{commitments.prompt.hex()}",'
        f'"subject":"{commitments.subject.hex()}"}},"decision":"{decision}","id":"{generation_id}",'
        f'"kind":"generation","label":"{label}","library":"{library}","modality":"{modality}",'
        f'"model":{_quoted(model)},"time":"{time}","v":{VERSION}}}'
    ).encode("ascii")


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return json.dumps(text)


def encode_act(kind: str, at: datetime, fields: Mapping[str, str | int]) -> bytes:
    """The entry of anything that is not a generation: codes, counts, ids and keyed commitments, nothing personal.

    Raises:
        LeafError: it is longer than a bundle can carry.

    Source: C2SP tlog-tiles
    """
    value = {**fields, "kind": kind, "time": at.astimezone(UTC).strftime(TIME), "v": VERSION}
    return _short_enough(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii"))


def _short_enough(entry: bytes) -> bytes:
    if len(entry) > MAX_ENTRY:
        raise LeafError(f"an entry of {len(entry)} bytes is too long for the log")
    return entry


def decode(entry: bytes) -> Leaf:
    """Read an entry.

    Raises:
        LeafError: it is not what `encode` would write, down to the byte.
    """
    try:
        value = json.loads(entry)
        leaf = Leaf(
            value["id"],
            datetime.strptime(value["time"], TIME).replace(tzinfo=UTC),
            value["model"],
            Modality(value["modality"]),
            value["label"],
            Decision[value["decision"].upper()],
            bytes.fromhex(value["library"]),
            Commitments(**{field: bytes.fromhex(text) for field, text in value["commitments"].items()}),
        )
        canonical = encode(leaf)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LeafError("the entry is not an entry of a generation log") from error
    if canonical != entry:
        raise LeafError("the entry is not in its canonical form")
    return leaf
