"""One person: consent, withdrawal, a copy, deletion."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from candor.consent.v1 import facts_pb2 as consent_facts
from candor.consent.v1 import model_pb2 as consent_model
from candor.consent.v1 import service_pb2 as consent_pb2
from candor.consent.v1 import service_pb2_grpc as consent_grpc
from candor.rights.v1 import facts_pb2 as rights_facts
from candor.rights.v1 import model_pb2 as rights_model
from candor.rights.v1 import service_pb2 as rights_pb2
from candor.rights.v1 import service_pb2_grpc as rights_grpc

from candor_cli.demo import setting
from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError
from candor_cli.session import Session, command_id

PERSON = "account-0007"
HOLDERS = {"consent", "generation", "refutation", "escalation"}
_OTHERS = ("account-0001", "account-0002", "account-0003")


async def agree(session: Session, telling: Telling) -> None:
    """Grant consents through the intake topic and wait for the facts."""
    commands = [
        _grant(subject, purpose) for subject in (PERSON, *_OTHERS) for purpose in (setting.SERVICE, setting.TRAINING)
    ]
    for command in commands:
        await session.emit("consent", command, as_json=True, key=command.subject)
    facts = await session.facts(
        "consent",
        consent_facts.ConsentGranted,
        lambda fact: fact.subject in (PERSON, *_OTHERS),
        count=len(commands),
    )
    check = await _training(session)
    if not check.eligible:
        raise StoryError(f"training should be allowed after consent: {check.explanation}")
    telling.ok(f"{len(facts)} consents from JSON records; {PERSON} may be trained on: {', '.join(check.purpose_ids)}")
    telling.figure("consents recorded", len(facts))


async def withdraw(session: Session, telling: Telling) -> None:
    """Withdraw training consent: what was done before stays lawful, nothing after it (PIPL 15)."""
    before = datetime.now(UTC)
    command = consent_pb2.WithdrawConsentRequest(command_id=command_id(), subject=PERSON, purpose_id=setting.TRAINING)
    command.withdrawn_at.FromDatetime(before)
    await session.emit("consent", command, key=PERSON)
    await session.facts("consent", consent_facts.ConsentWithdrawn, lambda fact: fact.subject == PERSON)
    now = await _training(session)
    then = await _training(session, before - timedelta(milliseconds=1))
    if now.eligible or not then.eligible:
        raise StoryError("a withdrawal must end training from then on, and not before")
    telling.ok(f"{PERSON} may no longer be trained on ({now.citation}); just before, it was lawful")


async def copy(session: Session, telling: Telling, generations: int) -> None:
    """Ask for a copy and read the package (PIPL 45)."""
    request_id = await _ask(session, rights_model.RIGHT_ACCESS)
    await session.facts("rights", rights_facts.RequestClosed, lambda fact: fact.request_id == request_id, timeout=60)
    stub = rights_grpc.RightsServiceStub(session.channel("rights", "privacy_officer", name="officer"))
    pieces = [piece.chunk async for piece in stub.GetPackage(rights_pb2.GetPackageRequest(request_id=request_id))]
    package = json.loads(b"".join(pieces))
    items = {holder["holder_id"]: holder["items"] for holder in package["holders"]}
    found = [item for item in items["generation"] if item["kind"] == "generation"]
    if len(found) != generations:
        raise StoryError(f"the package holds {len(found)} generations, the person made {generations}")
    counts = ", ".join(f"{holder} {len(held)}" for holder, held in sorted(items.items()))
    telling.ok(f"one JSON package of {sum(map(len, pieces))} bytes: {counts}")
    telling.figure("generations in the person's copy", len(found))


async def delete(session: Session, telling: Telling) -> None:
    """Ask for deletion and see every holder prove it (PIPL 47)."""
    request_id = await _ask(session, rights_model.RIGHT_DELETION)
    answers = await session.facts(
        "rights",
        rights_facts.TaskAnswered,
        lambda fact: fact.request_id == request_id,
        count=len(HOLDERS),
        timeout=60,
    )
    if {answer.holder_id for answer in answers} != HOLDERS:
        raise StoryError(f"proofs came from {sorted(answer.holder_id for answer in answers)} only")
    for answer in answers:
        outcome = rights_model.Outcome.Name(answer.proof.outcome).removeprefix("OUTCOME_").lower().replace("_", " ")
        kinds = ", ".join(f"{kind.count} {kind.kind}" for kind in answer.proof.kinds) or "-"
        telling.ok(f"proof of {answer.holder_id}: {outcome}; {kinds}")
    stub = rights_grpc.RightsServiceStub(session.channel("rights", "privacy_officer", name="officer"))
    shown = (await stub.GetRequest(rights_pb2.GetRequestRequest(request_id=request_id))).summary
    expiries = [a.proof.last_copy_expires_at for a in answers if a.proof.HasField("last_copy_expires_at")]
    last = max((expiry.ToDatetime(UTC) for expiry in expiries), default=None)
    due = shown.strict_due.ToDatetime(UTC)
    when = f"closes when the last copy in a topic is gone, {last:%Y-%m-%d %H:%M}" if last else "closes at once"
    telling.ok(
        f"{shown.tasks_answered} of {shown.tasks} holders have proven it; {when}; due {due:%Y-%m-%d} ({shown.citation})"
    )
    telling.figure("holders that proved the deletion", f"{shown.tasks_answered} of {shown.tasks}")


async def _ask(session: Session, right: rights_model.Right.ValueType) -> str:
    stub = rights_grpc.RightsServiceStub(session.channel("rights", "backend", name="portal"))
    command = rights_pb2.OpenRequestRequest(
        command_id=command_id(),
        subject=PERSON,
        right=right,
        regime=rights_model.REGIME_PIPL,
        contact="person@example.com",
    )
    command.received_at.GetCurrentTime()
    opened = await stub.OpenRequest(command)
    await stub.VerifyIdentity(
        rights_pb2.VerifyIdentityRequest(
            command_id=command_id(), request_id=opened.request_id, verified=True, method="session"
        )
    )
    return str(opened.request_id)


async def _training(session: Session, at: datetime | None = None) -> consent_pb2.CheckTrainingResponse:
    stub = consent_grpc.ConsentServiceStub(session.channel("consent", "backend"))
    question = consent_pb2.CheckTrainingRequest(subject=PERSON)
    if at is not None:
        question.at.FromDatetime(at)
    return await stub.CheckTraining(question)


def _grant(subject: str, purpose: str) -> consent_pb2.GrantConsentRequest:
    command = consent_pb2.GrantConsentRequest(
        command_id=command_id(),
        subject=subject,
        purpose_id=purpose,
        notice_id=setting.NOTICE,
        notice_version=1,
        kind=consent_model.CONSENT_KIND_SEPARATE,
        age_band=consent_model.AGE_BAND_ADULT,
        channel="signup",
    )
    command.given_at.GetCurrentTime()
    return command
