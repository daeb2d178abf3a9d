"""The leaf of a compliance act, and what an auditor checks of one with nothing but the evidence and the log's key.

An act is a public fact of a service, as it was published. The leaf says which one (source, id, type, time) and commits
to its bytes under a key of its own, because a fact may name a person: with that key destroyed the leaf says nothing of
them, and the tree stays as it is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from candor_generation.domain import leaf
from candor_generation.domain.evidence import EvidenceError
from candor_generation.domain.leaf import LeafError

KIND = "act"
_COMMITMENT_SIZE = 32


@dataclass(frozen=True)
class Act:
    """What the log says of a fact for ever.

    Attributes:
        source: the service that published it, `ce_source`: "candor.consent".
        fact_id: its `ce_id`.
        type: its full message name, `ce_type`.
        at: when it was published.
        commitment: 32 bytes, see `commit`.
    """

    source: str
    fact_id: str
    type: str
    at: datetime
    commitment: bytes


@dataclass(frozen=True)
class ActOpening:
    """With it anyone can recompute the commitment; it is gone once the person whom the fact names is erased."""

    commitment_key: bytes
    fact: bytes


@dataclass(frozen=True)
class ActEvidence:
    """One act's place in the log; the attributes are those of a record's evidence."""

    origin: str
    log_index: int
    entry: bytes
    inclusion_proof: tuple[bytes, ...]
    checkpoint: str
    opening: ActOpening | None


def commit(key: bytes, kind: str, fact: bytes) -> bytes:
    """HMAC-SHA256 of a fact's type, a zero byte and its serialized bytes: 32 bytes.

    Source: GDPR 17(1); PIPL 47
    """
    return hmac.digest(key, kind.encode() + b"\x00" + fact, hashlib.sha256)


def encode(act: Act) -> bytes:
    """The entry, byte for byte.

    Raises:
        LeafError: it is longer than a bundle can carry.

    Source: C2SP tlog-tiles
    """
    return leaf.encode_act(
        KIND,
        act.at,
        {"commitment": act.commitment.hex(), "id": act.fact_id, "source": act.source, "type": act.type},
    )


def decode(entry: bytes) -> Act:
    """Read an entry.

    Raises:
        LeafError: it is not what `encode` would write, down to the byte.
    """
    try:
        value = json.loads(entry)
        at = datetime.strptime(value["time"], leaf.TIME).replace(tzinfo=UTC)
        act = Act(value["source"], value["id"], value["type"], at, bytes.fromhex(value["commitment"]))
        canonical = encode(act)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LeafError("the entry is not an entry of a log of acts") from error
    if canonical != entry or len(act.commitment) != _COMMITMENT_SIZE:
        raise LeafError("the entry is not in its canonical form")
    return act


def is_act(entry: bytes) -> bool:
    """Whether an entry says that it is of an act; whether it is one, `decode` says."""
    try:
        value = json.loads(entry)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("kind") == KIND


def check_opening(entry: bytes, opening: ActOpening) -> None:
    """Check that the entry commits to the fact.

    Raises:
        LeafError: the entry is none of an act.
        EvidenceError: it commits to something else.

    Source: GDPR 17(1); PIPL 47
    """
    act = decode(entry)
    if not hmac.compare_digest(act.commitment, commit(opening.commitment_key, act.type, opening.fact)):
        raise EvidenceError("the entry commits to another fact than the evidence opens")
