"""One file that proves to anybody that an entry is in the log, with nothing but the log's verifier key.

The extra data of the file is the log entry itself. The format does not authenticate extra data, but here the leaf hash
that the proof starts from is computed from it: another entry leads to another root.

Source: C2SP tlog-proof
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from candor_generation.domain import merkle, note, policy
from candor_generation.domain.cosignature import Holds
from candor_generation.domain.note import NoteError
from candor_generation.domain.policy import Policy, Trusted

HEADER = "c2sp.org/tlog-proof@v1"
MEDIA_TYPE = "text/plain; charset=utf-8"
SUFFIX = ".tlog-proof"
MAX_HASHES = 63
MAX_CHARACTERS = 1 << 20
_EXTRA = "extra "
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class ProofFileError(ValueError):
    """The text is no proof file; the message says where."""


@dataclass(frozen=True)
class ProofFile:
    """A proof that an entry stands at an index of a log.

    Attributes:
        index: the entry's place, from 0.
        hashes: the inclusion proof, the leaf's sibling first, 32 bytes each.
        checkpoint: the signed checkpoint that the proof is for, word for word.
        extra: in this project's files the entry, byte for byte; not authenticated by itself.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    @property
    def text(self) -> str:
        """The file.

        Source: C2SP tlog-proof
        """
        extra = "" if self.extra is None else f"{_EXTRA}{note.to_base64(self.extra)}\n"
        proof = "".join(f"{note.to_base64(item)}\n" for item in self.hashes)
        return f"{HEADER}\n{extra}index {self.index}\n{proof}\n{self.checkpoint}"


def parse_proof_file(text: str) -> ProofFile:
    """Read a proof file; its checkpoint is not looked into.

    Raises:
        ProofFileError: it is none.

    Source: C2SP tlog-proof
    """
    if len(text) > MAX_CHARACTERS:
        raise ProofFileError(f"a proof is not longer than {MAX_CHARACTERS} characters")
    head, blank, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not blank:
        raise ProofFileError(f"a proof begins with {HEADER} and has an empty line before its checkpoint")
    extra = _binary(lines.pop(0).removeprefix(_EXTRA)) if lines and lines[0].startswith(_EXTRA) else None
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise ProofFileError("a proof has a line: index <number>")
    return ProofFile(int(index[1]), _hashes(lines), checkpoint, extra)


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_HASHES:
        raise ProofFileError(f"a proof has no more than {MAX_HASHES} hashes")
    hashes = tuple(_binary(line) for line in lines)
    if any(len(item) != merkle.HASH_SIZE for item in hashes):
        raise ProofFileError(f"the hashes of a proof are {merkle.HASH_SIZE} bytes")
    return hashes


def _binary(text: str) -> bytes:
    try:
        return note.from_base64(text)
    except NoteError as error:
        raise ProofFileError(str(error)) from error


def check_inclusion(proof: ProofFile, entry: bytes, checkpoint: note.Checkpoint) -> None:
    """Check that the entry stands at the proof's index in the tree of the checkpoint.

    Raises:
        ProofError: it does not.

    Source: RFC 9162 2.1.3.2
    """
    merkle.verify_inclusion(proof.index, checkpoint.size, merkle.leaf_hash(entry), proof.hashes, checkpoint.root)


def verify(proof: ProofFile, trust: Policy, holds: Holds, entry: bytes | None = None) -> Trusted:
    """Check a proof: the log signed its checkpoint, the quorum cosigned it, and the entry is in its tree.

    Args:
        proof: the file.
        trust: the logs and witnesses trusted; for a single key `Policy((Log(vkey),))`.
        holds: whether an Ed25519 signature holds.
        entry: the entry asked about; by default the file's own extra data.

    Raises:
        NoteError, UntrustedError: the checkpoint is not to be trusted.
        ProofFileError: there is no entry.
        ProofError: the entry is not in the tree. In each case the caller MUST NOT use the entry.

    Source: C2SP tlog-proof
    """
    trusted = policy.check_checkpoint(proof.checkpoint, trust, holds)
    found = proof.extra if entry is None else entry
    if found is None:
        raise ProofFileError("the proof carries no entry, and none was given")
    check_inclusion(proof, found, trusted.checkpoint)
    return trusted
