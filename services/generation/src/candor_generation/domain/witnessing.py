"""What a log and a witness say to each other: the request of add-checkpoint, and what its answers mean.

Source: C2SP tlog-witness
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from candor_generation.domain import note
from candor_generation.domain.cosignature import Cosignature, Holds
from candor_generation.domain.note import Note, NoteError
from candor_generation.domain.policy import Witness, cosignatures

SIZE_TYPE = "text/x.tlog.size"
MAX_HASHES = 63
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class Outcome(StrEnum):
    """What came of asking one witness."""

    COSIGNED = "cosigned"
    AWAY = "away"
    """No connection, or it broke."""
    SLOW = "slow"
    """No answer within the time-out."""
    RESTING = "resting"
    """It failed lately, and is not asked again yet."""
    REFUSED = "refused"
    """It does not know the log or its key, or answers with another status than the protocol's."""
    MALFORMED = "malformed"
    """The answer is none of the protocol's."""
    FORGED = "forged"
    """The answer carries no cosignature of the witness's key on this checkpoint, or one that does not hold."""
    AHEAD = "ahead"
    """It has cosigned a larger tree: this log was rolled back, or is written to elsewhere."""
    FORKED = "forked"
    """What it has cosigned is not a prefix of our tree: the log has two histories."""
    UNPROVEN = "unproven"
    """Our own proof could not be made."""


ALARMING = frozenset({Outcome.AHEAD, Outcome.FORKED})
"""The witness tells of a second history; these concern the log, not the witness."""


class WitnessError(Exception):
    """A witness has not cosigned."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True)
class Answer:
    """A witness's answer as it came."""

    status: int
    content_type: str
    content: bytes


def request(old: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """The body of add-checkpoint.

    Args:
        old: the size that the witness cosigned last, 0 where it is not known.
        proof: the consistency proof from there; empty from 0 and from the size itself.
        checkpoint: the signed checkpoint.

    Source: C2SP tlog-witness
    """
    lines = "".join(f"{note.to_base64(item)}\n" for item in proof)
    return f"old {old}\n{lines}\n{checkpoint}".encode()


def read_answer(answer: Answer, signed: Note, old: int, size: int, witness: Witness, holds: Holds) -> Cosignature | int:
    """What the witness says to a checkpoint of `size` leaves that was sent as a continuation of `old`.

    Returns:
        Its cosignature, or the size that it wants to be asked from.

    Raises:
        WitnessError: it says something else.

    Source: C2SP tlog-witness
    """
    if answer.status == HTTPStatus.OK:
        return _cosignature(answer.content, signed, witness, holds)
    if answer.status == HTTPStatus.CONFLICT:
        return _other_size(answer, old, size)
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and old > 0:
        raise WitnessError(Outcome.FORKED, f"what it cosigned at {old} leaves is not how this tree begins")
    raise WitnessError(Outcome.REFUSED, f"status {answer.status}")


def _cosignature(content: bytes, signed: Note, witness: Witness, holds: Holds) -> Cosignature:
    """The witness's own cosignature; lines of other keys are ignored."""
    try:
        lines = note.parse_signatures(content.decode())
    except (NoteError, UnicodeDecodeError) as error:
        raise WitnessError(Outcome.MALFORMED, "the answer is no signature lines") from error
    try:
        found = cosignatures(Note(signed.text, lines), (witness,), holds).get(witness.name)
    except NoteError as error:
        raise WitnessError(Outcome.FORGED, str(error)) from error
    if found is None:
        raise WitnessError(Outcome.FORGED, "the answer carries no cosignature of the witness's key")
    return found


def _other_size(answer: Answer, old: int, size: int) -> int:
    """The size in a conflict. Some versions of the protocol answer a second root for one size so, some with 422."""
    of_size = answer.content_type.partition(";")[0].strip().lower() == SIZE_TYPE
    told = _SIZE.fullmatch(answer.content) if of_size else None
    other = int(told[1]) if told else old
    if other == old and old == size and old > 0:
        raise WitnessError(Outcome.FORKED, "it has cosigned another root of this size")
    if told is None or other == old:
        raise WitnessError(Outcome.MALFORMED, f"a conflict that names no other size in {SIZE_TYPE}")
    if other > size:
        raise WitnessError(Outcome.AHEAD, f"it has cosigned {other} leaves, and this tree has {size}")
    return other
