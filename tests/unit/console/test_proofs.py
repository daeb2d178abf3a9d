"""Only what the log's answer proves is shown as proved."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from candor.generation.v1 import service_pb2 as generation
from candor_console import proofs
from hypothesis import given
from hypothesis import strategies as st

KIND = "candor.escalation.v1.ClockStarted"
KEY = b"k" * 32
FACT = b"the fact"


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree(leaves: list[bytes]) -> bytes:
    """MTH by the definition of RFC 6962 2.1."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(tree(leaves[:middle]), tree(leaves[middle:]))


def path(leaves: list[bytes], index: int) -> list[bytes]:
    """PATH by the definition of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < middle:
        return [*path(leaves[:middle], index), tree(leaves[middle:])]
    return [*path(leaves[middle:], index - middle), tree(leaves[:middle])]


def evidence(index: int = 2, size: int = 5, **changed: Any) -> generation.GetActEvidenceResponse:
    commitment = hmac.digest(KEY, KIND.encode() + b"\x00" + FACT, hashlib.sha256)
    entry = json.dumps(
        {"source": "candor.escalation", "id": "f", "type": KIND, "commitment": commitment.hex()}
    ).encode()
    leaves = [entry if number == index else b"%d" % number for number in range(size)]
    checkpoint = f"log/acts/2026\n{size}\n{base64.b64encode(tree(leaves)).decode()}\n\n— log AAAA\n"
    fields: dict[str, Any] = {
        "origin": "log/acts/2026",
        "log_index": index,
        "entry": entry,
        "inclusion_proof": path(leaves, index),
        "checkpoint": checkpoint,
        "commitment_key": KEY,
        "fact": FACT,
    }
    return generation.GetActEvidenceResponse(**{**fields, **changed})


@given(data=st.data(), size=st.integers(1, 70))
def test_every_place_of_every_tree_is_proved(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proven = proofs.check("f", KIND, evidence(index, size))
    assert (proven.index, proven.size, proven.opened) == (index, size, True)


@given(data=st.data(), size=st.integers(1, 40))
def test_no_other_path_leads_to_the_root(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    right = evidence(index, size)
    others = [
        [*right.inclusion_proof, bytes(32)],
        list(right.inclusion_proof)[:-1],
        list(reversed(right.inclusion_proof)),
        [bytes(32) for _ in right.inclusion_proof],
    ]
    for other in others:
        if other != list(right.inclusion_proof):
            with pytest.raises(proofs.ProofWrong):
                proofs.check("f", KIND, evidence(index, size, inclusion_proof=other))


@pytest.mark.parametrize(
    "changed",
    [
        {"entry": b"no json"},
        {"entry": b"[]"},
        {"entry": b'{"source": "candor.escalation"}'},
        {"checkpoint": "none"},
        {"origin": "another/log"},
        {"log_index": 3},
        {"log_index": -1},
        {"log_index": 5},
        {"fact": b"another fact"},
        {"commitment_key": b"x" * 32},
    ],
    ids=str,
)
def test_what_does_not_fit_is_no_proof(changed: dict[str, Any]) -> None:
    with pytest.raises(proofs.ProofWrong):
        proofs.check("f", KIND, evidence(**changed))


def test_a_proof_of_another_act_is_none_of_this() -> None:
    for fact_id, kind in (("g", KIND), ("f", "candor.escalation.v1.ClockStopped")):
        with pytest.raises(proofs.ProofWrong):
            proofs.check(fact_id, kind, evidence())


def test_an_erased_act_is_proved_without_its_content() -> None:
    assert not proofs.check("f", KIND, evidence(commitment_key=b"", fact=b"")).opened
