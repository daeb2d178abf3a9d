"""An auditor of the whole system: sees topics and public endpoints, and recomputes everything without the services."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import grpc
from candor.generation.v1 import facts_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import Published
from candor_generation import codec
from candor_generation.domain import act, evidence, note
from candor_generation.domain.act import ActEvidence
from candor_generation.signing import holds
from candor_kit.errors import Refusal
from deployment import Deployment
from google.protobuf import json_format
from google.protobuf.message import Message

SERVICES = ("consent", "rights", "generation", "refutation", "escalation")
PATIENCE = 30.0


@dataclass(frozen=True)
class Auditor:
    """Asks as an auditor, verifies by itself."""

    deployment: Deployment
    folder: Path

    @property
    def stub(self) -> service_pb2_grpc.GenerationServiceAsyncStub:
        return service_pb2_grpc.GenerationServiceStub(self.deployment.channel("generation", "auditor", name="auditor"))

    async def to_be_logged(self) -> list[Published]:
        """Every fact on a public topic of which the acts log has to have a leaf."""
        found = [fact for service in SERVICES for fact in await self.deployment.published(service)]
        return [fact for fact in found if not told_elsewhere(fact)]

    async def act(self, fact: Published) -> service_pb2.GetActEvidenceResponse:
        """The evidence of a fact; it is waited for until its leaf has a place."""
        question = service_pb2.GetActEvidenceRequest(fact_id=fact.fact_id, source=fact.source)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    answer: service_pb2.GetActEvidenceResponse = await self.stub.GetActEvidence(question)
                except grpc.aio.AioRpcError as error:
                    refusal = Refusal.from_rpc(error)
                    if refusal is None or refusal.reason not in {"ACT_UNKNOWN", "NOT_INTEGRATED"}:
                        raise
                    await asyncio.sleep(0.1)
                else:
                    return answer

    async def checked(self, fact: Published) -> ActEvidence:
        """The evidence of a fact, whose leaf is of it and stands in the tree that the log signed."""
        proven = codec.act_evidence_of(await self.act(fact))
        leaf = act.decode(proven.entry)
        assert (leaf.source, leaf.fact_id, leaf.type) == (fact.source, fact.fact_id, fact.type)
        vkey = note.parse_vkey(fetch(f"{self.log_url(proven.origin)}/vkey"))
        checkpoint = evidence.check_checkpoint(proven.checkpoint, proven.origin, vkey, holds)
        evidence.check_inclusion(proven, checkpoint)
        if proven.opening is not None:
            act.check_opening(proven.entry, proven.opening)
            assert proven.opening.fact == fact.value
        return proven

    def log_url(self, origin: str) -> str:
        """Where a log is served: its origin ends with kind and period."""
        return "/".join([self.deployment.http("generation"), "log", *origin.split("/")[-2:]])

    def lay(self, answer: Message) -> str:
        """Write an answer to a file; return its path."""
        path = self.folder / f"{uuid4().hex}.json"
        path.write_text(json_format.MessageToJson(answer), encoding="utf-8")
        return str(path)

    async def verify(self, *arguments: str) -> tuple[int, str]:
        """Run `candor verify` in a process of its own: exit code, and what it said."""
        command = Path(sys.executable).with_name("candor")
        process = await asyncio.create_subprocess_exec(
            command, "verify", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


def told_elsewhere(fact: Published) -> bool:
    """Whether a fact has no leaf: it tells of a leaf already, or is the acts log's own checkpoint."""
    if fact.type == facts_pb2.GenerationRecorded.DESCRIPTOR.full_name:
        return True
    if fact.type != facts_pb2.CheckpointPublished.DESCRIPTOR.full_name:
        return False
    return "/acts/" in facts_pb2.CheckpointPublished.FromString(fact.value).origin


def fetch(url: str) -> str:
    """GET a text of the log."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the deployment's own address
        return str(answer.read().decode())


def logs(deployment: Deployment) -> list[dict[str, str]]:
    """The logs as /log lists them."""
    found: list[dict[str, str]] = json.loads(fetch(f"{deployment.http('generation')}/log"))["logs"]
    return found
