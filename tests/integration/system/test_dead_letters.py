"""`candor dlq`: what was set aside is listed, shown and put back, by the real command."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from candor.consent.v1 import facts_pb2, model_pb2, service_pb2, service_pb2_grpc
from candor_cli.session import command_id
from deployment import Deployment

CANDOR = Path(sys.executable).with_name("candor")


async def candor(deployment: Deployment, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        CANDOR,
        *arguments,
        env={**os.environ, "CANDOR_HOME": deployment.description.folder},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_dead_letter_is_listed_shown_and_replayed_once_its_cause_is_gone(deployment: Deployment) -> None:
    suffix = command_id()[-8:]
    purpose, notice = f"replay-{suffix}", f"notice-{suffix}"
    grant = service_pb2.GrantConsentRequest(
        command_id=command_id(),
        subject=f"replayed-{suffix}",
        purpose_id=purpose,
        notice_id=notice,
        notice_version=1,
        kind=model_pb2.CONSENT_KIND_GENERAL,
        age_band=model_pb2.AGE_BAND_ADULT,
        channel="signup",
    )
    stub = service_pb2_grpc.ConsentServiceStub(deployment.channel("consent", "operator"))
    await stub.DefinePurpose(
        service_pb2.DefinePurposeRequest(
            command_id=command_id(), purpose_id=purpose, description="d", method="m", categories=["prompt"]
        )
    )
    # The notice comes a moment too late: the consent is refused, and set aside.
    grant.given_at.FromDatetime(datetime.now(UTC))
    await deployment.emit("consent", grant)
    await deployment.dead_letters("consent", lambda headers: headers["ce_id"] == grant.command_id)

    code, said = await candor(deployment, "dlq", "list", "consent", "--json")
    assert code == 0, said
    letter = next(item for item in map(json.loads, said.splitlines()) if item["id"] == grant.command_id)
    assert letter["reason"] == "NOTICE_UNKNOWN"
    assert grant.subject not in said

    code, said = await candor(deployment, "dlq", "show", "consent", str(letter["partition"]), str(letter["offset"]))
    assert code == 0, said
    assert json.loads(said)["reason"] == "NOTICE_UNKNOWN"

    await _publish(stub, purpose, notice, grant)
    code, said = await candor(deployment, "dlq", "replay", "consent", "--id", grant.command_id)
    assert (code, said.strip()) == (0, "1 put back")
    facts = await deployment.facts("consent", facts_pb2.ConsentGranted, lambda fact: fact.subject == grant.subject)
    code, said = await candor(deployment, "dlq", "replay", "consent", "--id", grant.command_id)
    assert code == 0, said
    answer = await service_pb2_grpc.ConsentServiceStub(deployment.channel("consent", "backend")).GrantConsent(grant)
    assert answer.consent_id == facts[0].consent_id
    assert len({fact.consent_id for fact in facts}) == 1


async def test_a_wrong_use_of_the_command_says_what_to_do(deployment: Deployment) -> None:
    code, said = await candor(deployment, "dlq", "list", "nonsense")
    assert code == 2
    assert "there are: consent, rights" in said
    code, said = await candor(deployment, "dlq", "replay", "consent")
    assert code == 2
    assert "--all" in said


async def _publish(
    stub: service_pb2_grpc.ConsentServiceAsyncStub,
    purpose: str,
    notice: str,
    grant: service_pb2.GrantConsentRequest,
) -> None:
    publish = service_pb2.PublishNoticeRequest(
        command_id=command_id(),
        notice_id=notice,
        locale="en",
        url="https://example.com/notice",
        text_sha256=b"\1" * 32,
        purposes=[model_pb2.PurposeRef(purpose_id=purpose, version=1)],
    )
    publish.effective_from.CopyFrom(grant.given_at)
    await stub.PublishNotice(publish)
