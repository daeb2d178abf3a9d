"""One span of an instrumented backend goes all the way: record, label, log, match with a refuted claim, evidence."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

from candor.generation.v1 import facts_pb2, label_pb2, label_pb2_grpc, service_pb2
from candor.refutation.v1 import facts_pb2 as refutation_facts
from candor.refutation.v1 import model_pb2 as refutation_model
from candor.refutation.v1 import service_pb2 as refutation_pb2
from candor.refutation.v1 import service_pb2_grpc as refutation_grpc
from candor_cli.session import command_id
from candor_client import AsyncCandor
from candor_generation.otlp.identity import generation_id
from deployment import Deployment
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from .auditor import Auditor, logs

RUMOUR = "据可靠消息，本市自来水将从本周五起停供整整九天，请各位邻居务必连夜储水，转告家里的老人！"


async def test_a_span_becomes_a_record_with_label_match_and_evidence(deployment: Deployment, tmp_path: Path) -> None:
    auditor = Auditor(deployment, tmp_path)
    claim_id = await refute(deployment)
    subject, said = f"otlp-{uuid4().hex[:12]}", f"有人说：{RUMOUR}"
    identifier = await asyncio.to_thread(chat, deployment, subject, said)

    (told,) = await deployment.facts(
        "generation", facts_pb2.GenerationRecorded, lambda fact: fact.generation_id == identifier
    )
    (match,) = await deployment.facts(
        "refutation", refutation_facts.ClaimMatched, lambda fact: fact.generation_id == identifier, timeout=60
    )
    assert (match.claim_id, match.log_index) == (claim_id, told.log_index)

    answer = await auditor.stub.GetEvidence(service_pb2.GetEvidenceRequest(generation_id=identifier))
    assert (answer.origin, answer.log_index) == (told.origin, told.log_index)
    assert (answer.opening.subject, answer.opening.output) == (subject, said)
    key = ("--key", next(log["vkey"] for log in logs(deployment) if log["origin"] == told.origin))
    code, report = await auditor.verify(auditor.lay(answer), *key, "--log-url", auditor.log_url(told.origin))
    assert code == 0, report
    assert "subject, prompt and output are what the entry commits to" in report
    proof = await auditor.stub.GetProofFile(service_pb2.GetProofFileRequest(generation_id=identifier))
    (tmp_path / "record.tlog-proof").write_text(proof.proof, encoding="utf-8")
    code, report = await auditor.verify(str(tmp_path / "record.tlog-proof"), "--key", proof.vkey)
    assert code == 0, report

    # The answer goes out in a file, which leads back to the same place in the log.
    labelled = await label(deployment, identifier, said)
    found = await read_label(deployment, labelled)
    assert found.signature == label_pb2.SIGNATURE_STATE_HOLDS
    assert (found.origin, found.generation_id, found.log_index) == (told.origin, identifier, told.log_index)
    assert json.loads(told.label.json)["AIGC"]["ReservedCode1"] == "", "a fact's label carries no signature"


def chat(deployment: Deployment, subject: str, said: str) -> str:
    """Tell of one chat as an instrumented backend does; return the id of the record it becomes."""
    exporter = OTLPSpanExporter(
        endpoint=f"{deployment.http('generation')}/v1/traces",
        headers={"authorization": f"Bearer {deployment.token('backend')}"},
    )
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "example",
        "gen_ai.request.model": "example-7b",
        "user.id": subject,
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "有什么新闻？"}]}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": said}], "finish_reason": "stop"}]
        ),
    }
    with provider.get_tracer("system").start_as_current_span("chat example-7b", attributes=attributes) as span:
        pass
    provider.shutdown()
    assert isinstance(span, ReadableSpan)
    context = span.get_span_context()
    assert context is not None
    name = context.trace_id.to_bytes(16, "big") + context.span_id.to_bytes(8, "big")
    return generation_id(span.start_time or 0, name)


async def label(deployment: Deployment, identifier: str, text: str) -> bytes:
    """Label an answer as a product backend does."""
    address = deployment.description.services["generation"].grpc
    async with AsyncCandor(address=address, token=deployment.token("backend")) as candor:
        made = await candor.label(text.encode(), generation_id=identifier, locale="zh-CN", media_type="text/plain")
    assert made.content is not None
    return made.content


async def read_label(deployment: Deployment, content: bytes) -> label_pb2.ReadLabelResponse:
    """Ask what a file says of itself."""
    stub = label_pb2_grpc.LabelServiceStub(deployment.channel("generation", "auditor", name="auditor"))
    parts = [
        label_pb2.ReadLabelRequest(header=label_pb2.ReadLabelHeader()),
        label_pb2.ReadLabelRequest(chunk=content),
    ]
    answer: label_pb2.ReadLabelResponse = await stub.ReadLabel(iter(parts))
    return answer


async def refute(deployment: Deployment) -> str:
    """Register the rumour as a claim that is false; return its id."""
    stub = refutation_grpc.RefutationServiceStub(deployment.channel("refutation", "on_call"))
    registered = await stub.RegisterClaim(
        refutation_pb2.RegisterClaimRequest(command_id=command_id(), text=RUMOUR, locale="zh")
    )
    await stub.RecordVerdict(
        refutation_pb2.RecordVerdictRequest(
            command_id=command_id(),
            claim_id=registered.claim_id,
            verdict=refutation_model.VERDICT_FALSE,
            explanation="自来水公司：没有任何停水安排。",
            sources=[refutation_model.Source(title="Statement", url="https://example.com/water")],
        )
    )
    return str(registered.claim_id)
