"""What an auditor checks of one record, step by step, with nothing but the evidence and the log's verifier key."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

from candor_generation.domain import leaf as leaves
from candor_generation.domain import merkle, note
from candor_generation.domain.generation import Payload


class EvidenceError(ValueError):
    """The evidence does not fit together; the message says where."""


@dataclass(frozen=True)
class Opening:
    """With it anyone can recompute a record's commitments; without it nobody can."""

    commitment_key: bytes
    payload: Payload


@dataclass(frozen=True)
class Evidence:
    """One record's place in the log.

    Attributes:
        origin: the log it is said to be in.
        log_index: its place, from 0.
        entry: the log entry, byte for byte.
        inclusion_proof: hashes, the leaf's sibling first.
        checkpoint: the signed checkpoint that the proof is for.
        opening: absent once the record is erased.
    """

    origin: str
    log_index: int
    entry: bytes
    inclusion_proof: tuple[bytes, ...]
    checkpoint: str
    opening: Opening | None


def check_checkpoint(
    signed: str, origin: str, vkey: note.Vkey, holds: Callable[[bytes, bytes, bytes], bool]
) -> note.Checkpoint:
    """Read a checkpoint that this key signed for this log.

    Raises:
        NoteError: the key has not signed it, or it is no checkpoint.
        EvidenceError: it is another log's.

    Source: C2SP tlog-checkpoint
    """
    signed_note = note.parse_note(signed)
    note.verify(signed_note, vkey, holds)
    checkpoint = note.parse_checkpoint(signed_note.text)
    if checkpoint.origin != origin:
        raise EvidenceError(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
    return checkpoint


def check_opening(entry: bytes, opening: Opening) -> None:
    """Check that the entry commits to what the opening says.

    Raises:
        LeafError: the entry is none.
        EvidenceError: a commitment is to something else; the message names the field.

    Source: GDPR 17(1); PIPL 47
    """
    committed = leaves.decode(entry).commitments
    recomputed = leaves.commit(opening.commitment_key, opening.payload)
    for field in fields(committed):
        if not hmac.compare_digest(getattr(committed, field.name), getattr(recomputed, field.name)):
            raise EvidenceError(f"the entry commits to another {field.name} than the evidence opens")


class Placed(Protocol):
    """An entry that is said to stand at an index of a log."""

    @property
    def log_index(self) -> int:
        """Its place, from 0."""

    @property
    def entry(self) -> bytes:
        """The entry, byte for byte."""

    @property
    def inclusion_proof(self) -> tuple[bytes, ...]:
        """Hashes, the leaf's sibling first."""


def check_inclusion(evidence: Placed, checkpoint: note.Checkpoint) -> None:
    """Check that the entry stands at its index in the tree of the checkpoint.

    Raises:
        ProofError: it does not.

    Source: RFC 9162 2.1.3.2
    """
    merkle.verify_inclusion(
        evidence.log_index,
        checkpoint.size,
        merkle.leaf_hash(evidence.entry),
        evidence.inclusion_proof,
        checkpoint.root,
    )
