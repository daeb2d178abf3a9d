"""Whether the log of compliance acts holds an act, computed from what the log answered.

What `candor verify` computes of a proof, but for the checkpoint's signature: the key to check that with must come from
elsewhere than from us. An outsider checks the files themselves.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from candor.generation.v1 import service_pb2 as generation

from candor_console.checkpoint import CheckpointError, parse

SOURCE = "candor.escalation"


class ProofWrong(ValueError):
    """The answer does not prove the act; the message says where."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An act's place in the log. `opened` says whether the fact itself could be compared."""

    origin: str
    index: int
    size: int
    opened: bool


def check(fact_id: str, kind: str, answer: generation.GetActEvidenceResponse) -> Proven:
    """Check leaf, path and commitment of an act.

    Raises ProofWrong.

    Spec: RFC 6962 2.1.1
    """
    try:
        checkpoint = parse(answer.checkpoint)
        entry = json.loads(answer.entry)
        told = (entry["source"], entry["id"], entry["type"])
        commitment = bytes.fromhex(entry["commitment"])
    except (CheckpointError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ProofWrong("the leaf or the checkpoint is not in its form") from error
    if told != (SOURCE, fact_id, kind):
        raise ProofWrong("the leaf is of another act")
    if checkpoint.origin != answer.origin:
        raise ProofWrong("the checkpoint is of another log")
    root = path_root(answer.entry, answer.log_index, checkpoint.size, answer.inclusion_proof)
    if not hmac.compare_digest(root, checkpoint.root):
        raise ProofWrong("the path does not lead to the checkpoint's root")
    opened = bool(answer.commitment_key)
    if opened and not hmac.compare_digest(commitment, _commitment(answer.commitment_key, kind, answer.fact)):
        raise ProofWrong("the leaf commits to another fact")
    return Proven(answer.origin, answer.log_index, checkpoint.size, opened)


def path_root(entry: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a path leads to from a leaf: 32 bytes.

    Raises ProofWrong when the path is too short or too long for the place.

    Spec: RFC 6962 2.1.1
    """
    if not 0 <= index < size:
        raise ProofWrong("the leaf is not in the tree")
    node, last = index, size - 1
    found = hashlib.sha256(b"\x00" + entry).digest()
    for sibling in path:
        if last == 0:
            raise ProofWrong("the path is too long")
        if node % 2 or node == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        node, last = node // 2, last // 2
    if last:
        raise ProofWrong("the path is too short")
    return found


def hex_of(text: str) -> str:
    """A digest that protobuf JSON carries as base64, in hex; the text itself where it is none."""
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text


def _commitment(key: bytes, kind: str, fact: bytes) -> bytes:
    return hmac.digest(key, kind.encode() + b"\x00" + fact, hashlib.sha256)
