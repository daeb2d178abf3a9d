"""Labels over gRPC: a file goes out labelled, is found again, and leads back to its entry in the log."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from candor.generation.v1 import facts_pb2, label_pb2, label_pb2_grpc
from candor_cli.session import command_id
from candor_generation import credentials, labelkey
from candor_generation.domain import label, note
from label_samples import FILES, image_file

from .backend import Backend, refusal

CHUNK = 4096


@pytest.fixture
async def labels(backend: Backend) -> Any:
    return label_pb2_grpc.LabelServiceStub(backend.deployment.channel("generation", "backend"))


@pytest.fixture
async def auditor(backend: Backend) -> Any:
    return label_pb2_grpc.LabelServiceStub(backend.deployment.channel("generation", "auditor", name="auditor"))


async def parts(header: dict[str, Any], data: bytes, kind: Any) -> AsyncIterator[Any]:
    yield kind(header=header)
    for start in range(0, len(data), CHUNK):
        yield kind(chunk=data[start : start + CHUNK])


async def labelled(labels: Any, data: bytes, **header: Any) -> tuple[label_pb2.LabelledHeader, bytes]:
    requests = parts({"locale": "zh-CN"} | header, data, label_pb2.LabelRequest)
    replies = [reply async for reply in labels.Label(requests)]
    return replies[0].header, b"".join(reply.chunk for reply in replies[1:])


async def told(labels: Any, data: bytes) -> label_pb2.ReadLabelResponse:
    answer = await labels.ReadLabel(parts({}, data, label_pb2.ReadLabelRequest))
    assert isinstance(answer, label_pb2.ReadLabelResponse)
    return answer


@pytest.mark.clause("GB 45438-2025 6.1", "Generative AI Labelling Measures 5")
@pytest.mark.parametrize("name", ["text", "png", "pdf-table", "docx"])
async def test_a_found_file_leads_back_to_its_log_entry(backend: Backend, labels: Any, auditor: Any, name: str) -> None:
    media_type, make = FILES[name]
    generation_id = await backend.record()
    header, content = await labelled(labels, make(), generation_id=generation_id, media_type=media_type)
    assert label.parse(header.label.json).problems == ()
    await backend.recorded(generation_id)
    found = await told(auditor, content)
    assert found.signature == label_pb2.SIGNATURE_STATE_HOLDS
    assert found.generation_id == generation_id
    assert found.log_index == (await backend.get(generation_id)).log_index
    assert found.sha256 == header.labelled_sha256


@pytest.mark.clause("AI Act 50(2)")
async def test_a_signed_file_leads_to_the_log_by_its_manifest_too(backend: Backend, labels: Any, auditor: Any) -> None:
    generation_id = await backend.record()
    placed = await backend.recorded(generation_id)
    header = {"generation_id": generation_id, "media_type": "image/png", "credentials": True}
    _, content = await labelled(labels, image_file("PNG"), **header)
    manifest = credentials.read(io.BytesIO(content), "image/png")
    assert manifest is not None
    assert (manifest.state, manifest.failures) == ("Valid", ("signingCredential.untrusted",))
    assert manifest.pointer == credentials.Pointer(placed[0].origin, generation_id)
    assert (await told(auditor, content)).generation_id == generation_id


async def test_a_label_is_checked_offline_with_what_the_log_serves(backend: Backend, labels: Any) -> None:
    generation_id = await backend.record()
    header, _ = await labelled(labels, b"text", generation_id=generation_id, media_type="text/plain")
    code = header.label.reserved_code1
    vkey = note.parse_vkey((await backend.get_http("log/vkey")).strip())
    certificate = await backend.get_http(f"log/labelkey/{code.split('.')[2]}")
    assert labelkey.verify(code, generation_id, [certificate], vkey).origin == vkey.name


async def test_the_label_that_a_record_is_answered_with_holds_too(backend: Backend, auditor: Any) -> None:
    recorded = await backend.backend.Record(backend.generation())
    front = f"---\nAIGC: {json.dumps(json.loads(recorded.label.json)['AIGC'])}\n---\n".encode()
    assert (await told(auditor, front)).signature == label_pb2.SIGNATURE_STATE_HOLDS


async def test_a_broken_file_is_refused_with_its_reason(labels: Any) -> None:
    header = {"generation_id": command_id(), "media_type": "image/png"}
    assert await refusal(labelled(labels, image_file("PNG")[:50], **header)) == "FILE_MALFORMED"


@pytest.mark.clause("Generative AI Labelling Measures 9")
async def test_labelling_measures_9_applied_accepted_delivered_and_on_record(
    backend: Backend, labels: Any, auditor: Any
) -> None:
    apply = label_pb2.ApplyUnlabelledRequest(
        command_id=command_id(), subject=backend.subject, product="chat", purpose="a film poster"
    )
    applied = await labels.ApplyUnlabelled(apply)
    deliver = {"application_id": applied.application_id, "generation_id": command_id(), "subject": backend.subject}

    def delivery() -> label_pb2.DeliverUnlabelledRequest:
        return label_pb2.DeliverUnlabelledRequest(command_id=command_id(), **deliver)

    assert await refusal(labels.DeliverUnlabelled(delivery())) == "APPLICATION_STATE"
    accept = label_pb2.AcceptDutiesRequest(
        command_id=command_id(),
        application_id=applied.application_id,
        subject=backend.subject,
        duties_version=applied.duties_version,
    )
    await labels.AcceptDuties(accept)
    (granted,) = await backend.deployment.facts(
        "generation", facts_pb2.UnlabelledGranted, where=lambda fact: fact.application_id == applied.application_id
    )
    assert granted.duties_version == applied.duties_version
    delivered = await labels.DeliverUnlabelled(delivery())
    listed = await auditor.ListUnlabelledDeliveries(label_pb2.ListUnlabelledDeliveriesRequest(subject=backend.subject))
    (entry,) = listed.deliveries
    assert (entry.delivery_id, entry.purpose) == (delivered.delivery_id, "a film poster")
    kept = entry.retained_until.ToDatetime() - entry.delivered_at.ToDatetime()
    assert kept >= timedelta(days=181)
