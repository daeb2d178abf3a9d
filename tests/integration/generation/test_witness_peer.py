"""Our client against a witness that others wrote, and our proof files before their verifier: torchwood, in Go."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2
import pytest
from candor_generation.domain import merkle, note, policy, proof_file
from candor_generation.domain.policy import Policy
from candor_generation.domain.proof_file import ProofFile
from candor_generation.domain.witnessing import Outcome
from candor_generation.signing import Signer, holds
from candor_generation.witness import WitnessClient
from go_peers import litewitness, proof_reader, running_litewitness

ORIGIN = "candor.example/log/2026"
SIGNER = Signer(ORIGIN, bytes(range(32)))
ENTRIES = [f"entry {index}".encode() for index in range(300)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]


def checkpoint(leaves: Sequence[bytes]) -> str:
    return SIGNER.sign(note.Checkpoint(ORIGIN, len(leaves), merkle.tree_hash(leaves)).text)


def prove(old: int, size: int) -> Sequence[bytes]:
    return [merkle.tree_hash(LEAVES[start:end]) for start, end in merkle.consistency_spans(old, size)]


@pytest.fixture
async def trust(jar_cache: Path, tmp_path: Path) -> AsyncIterator[bytes]:
    """A policy of our log and a running litewitness."""
    program = await asyncio.to_thread(litewitness, jar_cache / "go")
    async with running_litewitness(program, tmp_path, "witness.example/lite", SIGNER.vkey) as (url, vkey):
        yield f"log {SIGNER.vkey.text}\nwitness lite {vkey.text} {url}\nquorum lite\n".encode()


def client(trust: Policy) -> WitnessClient:
    return WitnessClient(trust, client=httpx2.AsyncClient(trust_env=False), timeout=20)


@pytest.mark.clause("C2SP tlog-witness", "C2SP tlog-cosignature", "C2SP tlog-proof")
async def test_litewitness_cosigns_and_torchwood_reads_our_proof(trust: bytes, jar_cache: Path, tmp_path: Path) -> None:
    parsed = policy.parse_policy(trust)
    asking = client(parsed)
    try:
        for size in (1, 3, 3, 256, 257):
            answer = await asking.cosign(checkpoint(LEAVES[:size]), size, prove)
            assert answer.outcomes == {"lite": Outcome.COSIGNED}
    finally:
        await asking.close()
    again = client(parsed)  # knows no size: told 257 and goes on from there
    try:
        answer = await again.cosign(checkpoint(LEAVES), 300, prove)
        assert answer.quorum
    finally:
        await again.close()
    spans = merkle.inclusion_spans(123, 300)
    hashes = tuple(merkle.tree_hash(LEAVES[start:end]) for start, end in spans)
    proof = ProofFile(123, hashes, answer.checkpoint, ENTRIES[123])
    assert set(proof_file.verify(proof, parsed, holds).cosigned) == {"lite"}

    reader = await asyncio.to_thread(proof_reader, jar_cache / "go")
    files = [tmp_path / name for name in ("policy", "entry", "proof")]

    def read(*contents: bytes) -> int:
        for path, content in zip(files, contents, strict=True):
            path.write_bytes(content)
        return subprocess.run([reader, *files], capture_output=True, check=False, timeout=60).returncode

    text = proof.text.encode()
    bare = ProofFile(123, hashes, checkpoint(LEAVES), ENTRIES[123]).text.encode()
    assert await asyncio.to_thread(read, trust, ENTRIES[123], text) == 0
    assert await asyncio.to_thread(read, trust, ENTRIES[124], text) == 1
    assert await asyncio.to_thread(read, trust, ENTRIES[123], bare) == 1
    assert await asyncio.to_thread(read, trust.replace(b"quorum lite", b"quorum none"), ENTRIES[123], bare) == 0


@pytest.mark.clause("C2SP tlog-witness")
async def test_litewitness_sees_a_second_history(trust: bytes) -> None:
    parsed = policy.parse_policy(trust)
    other = [merkle.leaf_hash(b"other"), *LEAVES[1:]]
    asking = client(parsed)
    try:
        assert (await asking.cosign(checkpoint(LEAVES[:8]), 8, prove)).quorum
    finally:
        await asking.close()
    for size, outcome in ((8, Outcome.FORKED), (9, Outcome.FORKED), (7, Outcome.AHEAD)):
        asking = client(parsed)
        try:
            answer = await asking.cosign(checkpoint(other[:size]), size, prove)
        finally:
            await asking.close()
        assert answer.outcomes == {"lite": outcome}
