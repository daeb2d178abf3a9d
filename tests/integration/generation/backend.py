"""The generation service as its callers see it; every instance has subjects and words of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from candor.generation.v1 import facts_pb2, model_pb2, service_pb2, service_pb2_grpc
from candor.rights.v1 import holder_pb2, holder_pb2_grpc
from candor.rights.v1 import model_pb2 as rights_model_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal
from deployment import Deployment
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

PATIENCE = 30.0


def stamp(at: datetime) -> Timestamp:
    wire = Timestamp()
    wire.FromDatetime(at)
    return wire


async def refusal(call: Awaitable[Any]) -> str:
    """The reason that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    assert found.domain == "candor.generation.v1"
    return found.reason


def _present_log(base: str, kind: str = "generation") -> str:
    """Where the log of the present period is served."""
    listed = json.loads(_fetch(f"{base}/log")[2])["logs"]
    (found,) = [log["path"] for log in listed if log["kind"] == kind and log["is_present"]]
    return f"{base}/{found}"


@dataclass(frozen=True)
class Ran:
    """What a command printed and exited with."""

    code: int
    output: str

    def checks(self) -> dict[str, bool]:
        return {check["name"]: check["holds"] for check in json.loads(self.output)["checks"]}


class Backend:
    """Calls the generation service as a backend, an auditor, an operator or a matcher."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment = deployment
        self.folder = folder
        self.word = uuid4().hex[:12]
        self.subject = f"user-{self.word}"
        self.log_url = _present_log(deployment.http("generation"))
        stub = service_pb2_grpc.GenerationServiceStub
        self.backend = stub(deployment.channel("generation", "backend"))
        self.auditor = stub(deployment.channel("generation", "auditor", name="auditor"))
        self.matcher = stub(deployment.channel("generation", "matcher", name="candor.refutation"))
        self.alice = stub(deployment.channel("generation", "operator", name="alice"))
        self.bob = stub(deployment.channel("generation", "operator", name="bob"))
        self._holder = holder_pb2_grpc.DataHolderServiceStub(
            deployment.channel("generation", "service", name="candor.rights")
        )

    def generation(self, **overrides: Any) -> service_pb2.RecordRequest:
        fields: dict[str, Any] = {
            "command_id": command_id(),
            "subject": self.subject,
            "occurred_at": stamp(datetime.now(UTC)),
            "provider": "example",
            "model": "example-7b",
            "product": "chat",
            "locale": "zh-CN",
            "modality": model_pb2.MODALITY_TEXT,
            "prompt": f"你好 {self.word}",
            "output": f"你好，有什么可以帮您？{self.word}",
        }
        return service_pb2.RecordRequest(**{**fields, **overrides})

    async def record(self, **overrides: Any) -> str:
        """Record one generation; return its id."""
        answer: service_pb2.RecordResponse = await self.backend.Record(self.generation(**overrides))
        return answer.generation_id

    async def admit(self, feature_id: str, term: str) -> None:
        """Let alice propose and bob review and admit a term that calls for review from now on."""
        proposal = service_pb2.ProposeFeatureRequest(
            command_id=command_id(),
            feature_id=feature_id,
            kind=model_pb2.FEATURE_KIND_TERM,
            value=term,
            category="false-information",
            decision=model_pb2.DECISION_REVIEW,
            citation="Deep Synthesis 10",
            source="test",
            reason="test",
        )
        await self.alice.ProposeFeature(proposal)
        await self.review(feature_id)
        admission = service_pb2.AdmitFeatureRequest(
            command_id=command_id(), feature_id=feature_id, mode=model_pb2.FEATURE_MODE_ACTIVE, reason="test"
        )
        await self.bob.AdmitFeature(admission)

    async def review(self, feature_id: str, *also: str, approved: bool = True) -> service_pb2.ReviewFeatureResponse:
        """Let bob review what was proposed."""
        answer: service_pb2.ReviewFeatureResponse = await self.bob.ReviewFeature(
            service_pb2.ReviewFeatureRequest(
                command_id=command_id(),
                feature_id=feature_id,
                also=also,
                approved=approved,
                standard="standard 1",
                reason="test",
            )
        )
        return answer

    async def recorded(self, *generation_ids: str) -> list[facts_pb2.GenerationRecorded]:
        """Wait until generations have their places in the log; return the facts, by index."""
        wanted = set(generation_ids)
        facts = await self.deployment.facts(
            "generation",
            facts_pb2.GenerationRecorded,
            lambda fact: fact.generation_id in wanted,
            count=len(wanted),
            timeout=PATIENCE,
        )
        return sorted(facts, key=lambda fact: fact.log_index)

    async def get(self, generation_id: str) -> model_pb2.Generation:
        answer = await self.backend.GetGeneration(service_pb2.GetGenerationRequest(generation_id=generation_id))
        found: model_pb2.Generation = answer.generation
        return found

    async def evidence(self, generation_id: str) -> service_pb2.GetEvidenceResponse:
        answer: service_pb2.GetEvidenceResponse = await self.auditor.GetEvidence(
            service_pb2.GetEvidenceRequest(generation_id=generation_id)
        )
        return answer

    def lay(self, evidence: service_pb2.GetEvidenceResponse) -> str:
        """Write evidence to a file, as an auditor is given it; return its path."""
        path = self.folder / f"{uuid4().hex}.json"
        path.write_text(json_format.MessageToJson(evidence), encoding="utf-8")
        return str(path)

    async def verify(self, *arguments: str, module: str = "candor_generation.verify") -> Ran:
        """Run the verifier in a process of its own, which is told nothing of the deployment."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *module.split(),
            *arguments,
            env={"PATH": ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return Ran(process.returncode or 0, output.decode())

    async def fetch(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """GET a file of the log: status, headers in lower case, body."""
        return await asyncio.to_thread(_fetch, f"{self.log_url}/{path}")

    async def get_http(self, path: str) -> str:
        """GET a text beside the log."""
        return (await asyncio.to_thread(_fetch, f"{self.deployment.http('generation')}/{path}"))[2].decode()

    async def vkey(self) -> str:
        return (await self.fetch("vkey"))[2].decode().strip()

    async def outputs(self, start: int, end: int, origin: str = "") -> list[service_pb2.ReadOutputsResponse]:
        request = service_pb2.ReadOutputsRequest(from_index=start, to_index=end, origin=origin)
        return [item async for item in self.matcher.ReadOutputs(request)]

    async def export(self) -> list[holder_pb2.ExportResponse]:
        request = holder_pb2.ExportRequest(task_id=str(uuid4()), subject=self.subject)
        return [item async for item in self._holder.Export(request)]

    async def row(self, generation_id: str) -> dict[str, Any]:
        rows = await self.deployment.rows("generation", "SELECT * FROM record WHERE generation_id = %s", generation_id)
        return rows[0]

    async def ask(
        self,
        right: rights_model_pb2.Right.ValueType,
        *,
        requested_at: datetime | None = None,
        task_id: str = "",
        attempt: int = 1,
    ) -> rights_service_pb2.AnswerTaskRequest:
        """Ask as the rights service does, and wait for the answer to that attempt."""
        return await self.deployment.ask(
            "generation", self.subject, right, requested_at=requested_at, task_id=task_id, attempt=attempt
        )


async def until(check: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE) -> None:
    """Wait for what has no event to await."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - another process has no event to await
            await asyncio.sleep(0.1)


def _fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the deployment's own address
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()
