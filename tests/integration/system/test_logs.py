"""No log ever holds a prompt, a key or an identity: all that could carry one is tried, then every log is read."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import grpc
from candor.generation.v1 import facts_pb2 as generation_facts
from candor.generation.v1 import model_pb2, service_pb2, service_pb2_grpc
from candor.rights.v1 import model_pb2 as rights_model
from candor.rights.v1 import service_pb2 as rights_pb2
from candor.rights.v1 import service_pb2_grpc as rights_grpc
from candor_cli.session import command_id
from deployment import Deployment

PROMPT, OUTPUT = "marker-prompt-8c1f", "marker-output-8c1f"
SUBJECT, CONTACT = "marker-subject-8c1f", "marker-contact-8c1f@example.com"


async def test_no_log_holds_a_prompt_a_key_or_an_identity(deployment: Deployment) -> None:
    await _good(deployment)
    await _bad(deployment)
    secrets = [PROMPT, OUTPUT, SUBJECT, CONTACT, *_keys(Path(deployment.description.folder) / "keys")]
    logs = sorted((Path(deployment.description.folder) / "logs").glob("*.log"))
    assert {log.stem for log in logs} >= {"consent", "rights", "generation", "refutation", "escalation", "console"}
    for log in logs:
        text = log.read_text(encoding="utf-8", errors="replace")
        assert [secret for secret in secrets if secret in text] == [], log.name


async def _good(deployment: Deployment) -> None:
    record = _record()
    await deployment.emit("generation", record)
    await deployment.facts(
        "generation", generation_facts.GenerationRecorded, lambda fact: fact.generation_id == record.command_id
    )
    stub = rights_grpc.RightsServiceStub(deployment.channel("rights", "backend"))
    request = rights_pb2.OpenRequestRequest(
        command_id=command_id(),
        subject=SUBJECT,
        right=rights_model.RIGHT_ACCESS,
        regime=rights_model.REGIME_GDPR,
        contact=CONTACT,
    )
    request.received_at.GetCurrentTime()
    await stub.OpenRequest(request)


async def _bad(deployment: Deployment) -> None:
    """Malformed, refused, unexpected by the database: whatever an error message could quote."""
    broken = f'{{"subject": "{SUBJECT}", "prompt": "{PROMPT}", "occurredAt": "{OUTPUT}"}}'.encode()
    identifier = await deployment.emit("generation", _record(), as_json=True, value=broken)
    await deployment.dead_letters("generation", lambda headers: headers.get("ce_id") == identifier)
    nul = _record()
    nul.output = OUTPUT + "\0"
    await deployment.emit("generation", nul)
    await deployment.dead_letters("generation", lambda headers: headers.get("ce_id") == nul.command_id)
    stub = service_pb2_grpc.GenerationServiceStub(deployment.channel("generation", "backend"))
    for wrong in (_record(subject=CONTACT), service_pb2.RecordRequest(prompt=PROMPT, subject=SUBJECT), nul):
        with contextlib.suppress(grpc.aio.AioRpcError):
            await stub.Record(wrong)
    repeated = _record()
    await stub.Record(repeated)
    repeated.prompt += "!"
    with contextlib.suppress(grpc.aio.AioRpcError):
        await stub.Record(repeated)


def _record(subject: str = SUBJECT) -> service_pb2.RecordRequest:
    record = service_pb2.RecordRequest(
        command_id=command_id(),
        subject=subject,
        provider="p",
        model="m",
        product="chat",
        locale="en",
        modality=model_pb2.MODALITY_TEXT,
        prompt=PROMPT,
        output=OUTPUT,
    )
    record.occurred_at.FromDatetime(datetime.now(UTC))
    return record


def _keys(folder: Path) -> list[str]:
    """Every secret of the local stack, as it lies in its file: key-encryption keys, tokens, the issuer's key."""
    found: list[str] = []
    for path in folder.iterdir():
        if path.is_file() and path.suffix in (".kek", ".token", ".pem"):
            lines = path.read_text(encoding="ascii").splitlines()
            found.extend(line for line in lines if line and not line.startswith("-----"))
    assert len(found) >= 12
    return found
