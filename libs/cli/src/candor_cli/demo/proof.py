"""The auditor's part: nothing but public endpoints and `candor verify`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
from candor.generation.v1 import service_pb2 as generation_pb2
from candor.generation.v1 import service_pb2_grpc as generation_grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError
from candor_cli.session import Session


@dataclass(frozen=True)
class Witness:
    """What the auditor kept: the checkpoint of then, its root, and the evidence of one record."""

    generation_id: str
    log_index: int
    checkpoint: str
    evidence: Path
    vkey: str

    @property
    def root(self) -> str:
        """The third line of a checkpoint (C2SP tlog-checkpoint)."""
        return self.checkpoint.splitlines()[2]


async def before(session: Session, telling: Telling, folder: Path, record: generation_pb2.RecordRequest) -> Witness:
    """Take evidence of one record and verify it; then show that a changed record does not verify."""
    answer = await _evidence(session, record.command_id)
    if answer.opening.output != record.output:
        raise StoryError("the evidence opens to another text than was recorded")
    vkey = (await get(f"{_log_url(session, answer)}/vkey")).strip()
    evidence = write(folder / "evidence.json", answer)
    said = await verify(evidence, "--vkey", vkey)
    demand(said, expected=0)
    witness = Witness(record.command_id, answer.log_index, answer.checkpoint, evidence, vkey)
    telling.ok(f"record {answer.log_index} verifies against the checkpoint of size {answer.checkpoint.splitlines()[1]}")
    answer.opening.output += "!"
    tampered = await verify(write(folder / "tampered.json", answer), "--vkey", vkey)
    demand(tampered, expected=1)
    telling.ok("the same record with one character added does not verify")
    await _offline(session, telling, folder, record.command_id)
    return witness


async def after(session: Session, telling: Telling, folder: Path, witness: Witness) -> None:
    """After the erasure: the old evidence verifies, the tree of then is a part of the tree of now, the text is gone."""
    answer = await _evidence(session, witness.generation_id)
    if answer.HasField("opening"):
        raise StoryError("the erased record can still be opened")
    log_url = _log_url(session, answer)
    now = write(folder / "evidence-after.json", answer)
    demand(await verify(now, "--vkey", witness.vkey), expected=0)
    telling.ok(f"record {answer.log_index} still verifies, and no key opens what it commits to")
    old = await verify(
        witness.evidence, "--vkey", witness.vkey, "--checkpoint", f"{log_url}/checkpoint", "--log-url", log_url
    )
    demand(old, expected=0)
    telling.ok(f"the root of then, {witness.root}, is still the root at that size: the log is consistent")
    whole = await verify("--vkey", witness.vkey, "--log-url", log_url)
    demand(whole, expected=0)
    size, root = answer.checkpoint.splitlines()[1:3]
    telling.ok(f"the whole log was read again over HTTP and has the root that is signed: {root} at size {size}")
    telling.figure("root before the erasure, and at that size after it", f"{witness.root} (the same)")


async def _offline(session: Session, telling: Telling, folder: Path, generation_id: str) -> None:
    """A proof that fits into an e-mail, verified with nothing but the log's key (C2SP tlog-proof)."""
    stub = generation_grpc.GenerationServiceStub(session.channel("generation", "auditor", name="auditor"))
    answer = await stub.GetProofFile(generation_pb2.GetProofFileRequest(generation_id=generation_id))
    file = folder / "record.tlog-proof"
    file.write_text(answer.proof, encoding="utf-8")
    demand(await verify(file, "--vkey", answer.vkey), expected=0)
    telling.ok(f"an offline proof file of {len(answer.proof)} characters verifies with nothing but the log's key")


def _log_url(session: Session, answer: generation_pb2.GetEvidenceResponse) -> str:
    """Where the log of a record is served: its origin ends with the same kind and period."""
    kind, period = answer.origin.split("/")[-2:]
    return f"{session.http('generation')}/log/{kind}/{period}"


async def _evidence(session: Session, generation_id: str) -> generation_pb2.GetEvidenceResponse:
    stub = generation_grpc.GenerationServiceStub(session.channel("generation", "auditor", name="auditor"))
    return await stub.GetEvidence(generation_pb2.GetEvidenceRequest(generation_id=generation_id))


def write(path: Path, answer: Message) -> Path:
    """Write an answer to a file, as protobuf JSON."""
    path.write_text(json_format.MessageToJson(answer), encoding="utf-8")
    return path


async def verify(*arguments: str | Path) -> tuple[int, str]:
    """Run `candor verify` as the auditor would, and return its exit code and what it said."""
    command = Path(sys.executable).with_name("candor")
    process = await asyncio.create_subprocess_exec(
        command, "verify", *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


def demand(said: tuple[int, str], *, expected: int) -> None:
    """Go on only if a verification ended as it has to. Raises StoryError."""
    if said[0] != expected:
        raise StoryError(f"candor verify exited {said[0]} instead of {expected}:\n{said[1]}")


async def get(url: str) -> str:
    """GET a text."""
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.get(url)
        answer.raise_for_status()
        return answer.text
