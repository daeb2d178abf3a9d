"""Consent through the real service: by gRPC, by topic, over time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from candor.consent.v1 import facts_pb2, model_pb2, service_pb2
from candor.edge.v1 import views_pb2, views_pb2_grpc

from .registry import Registry, ago, refusal, stamp

GUARDIAN = model_pb2.Guardian(guardian_ref="parent-of-one", method="id-document")


@pytest.mark.clause("PIPL 13(1)", "PIPL 15")
async def test_pipl_15_a_consent_is_given_checked_taken_back_and_the_past_stays(registry: Registry) -> None:
    await registry.prepare()
    assert (await registry.check(registry.chat)).state == model_pb2.CONSENT_STATE_NONE

    consent_id = await registry.agree(registry.chat)
    between = datetime.now(UTC)
    given = await registry.check(registry.chat)
    assert (given.allowed, given.consent_id, given.citation) == (True, consent_id, "PIPL 13(1)")

    withdrawn = await registry.backend.WithdrawConsent(registry.withdrawal(registry.chat))
    assert withdrawn.consent_id == consent_id
    after = await registry.check(registry.chat)
    assert (after.allowed, after.state, after.citation) == (False, model_pb2.CONSENT_STATE_WITHDRAWN, "PIPL 15")
    assert (await registry.check(registry.chat, at=between)).allowed

    granted = await registry.deployment.facts(
        "consent", facts_pb2.ConsentGranted, lambda fact: fact.consent_id == consent_id
    )
    ended = await registry.deployment.facts(
        "consent", facts_pb2.ConsentWithdrawn, lambda fact: fact.consent_id == consent_id
    )
    assert (granted[0].subject, granted[0].purpose_id, ended[0].subject) == (
        registry.subject,
        registry.chat,
        registry.subject,
    )


@pytest.mark.clause("PIPL 14")
async def test_pipl_14_change_of_method_needs_fresh_consent(registry: Registry) -> None:
    await registry.prepare()
    await registry.agree(registry.chat)
    same = await registry.define(registry.chat)
    assert (same.purpose.version, same.fresh_consent_needed) == (1, False)
    before = datetime.now(UTC)

    changed = await registry.define(registry.chat, method="A person reads the prompt")

    assert (changed.purpose.version, changed.fresh_consent_needed) == (2, True)
    outdated = await registry.check(registry.chat)
    assert (outdated.state, outdated.citation) == (model_pb2.CONSENT_STATE_OUTDATED, "PIPL 14")
    assert (await registry.check(registry.chat, at=before)).allowed
    assert await refusal(registry.agree(registry.chat)) == "NOTICE_LACKS_PURPOSE"

    version = await registry.publish(**{registry.chat: 2, registry.training: 1})
    assert await refusal(registry.agree(registry.chat)) == "NOTICE_SUPERSEDED"
    await registry.agree(registry.chat, notice_version=version)
    assert (await registry.check(registry.chat)).allowed


async def test_a_yes_that_the_law_does_not_take_is_refused_with_its_reason(registry: Registry) -> None:
    await registry.prepare()
    child = {"age_band": model_pb2.AGE_BAND_UNDER_14}
    separate = {"kind": model_pb2.CONSENT_KIND_SEPARATE}

    assert await refusal(registry.agree(registry.chat, **child)) == "SEPARATE_CONSENT_REQUIRED"
    assert await refusal(registry.agree(registry.chat, **child, **separate)) == "GUARDIAN_REQUIRED"
    assert await refusal(registry.agree(registry.chat, notice_version=9)) == "NOTICE_UNKNOWN"
    assert await refusal(registry.agree("nowhere")) == "PURPOSE_UNKNOWN"
    assert await refusal(registry.agree(registry.chat, given_at=stamp(ago(-900)))) == "TIME_IN_FUTURE"
    assert await refusal(registry.backend.WithdrawConsent(registry.withdrawal(registry.chat))) == "SUBJECT_UNKNOWN"
    assert await refusal(registry.history()) == "SUBJECT_UNKNOWN"

    await registry.agree(registry.training)
    assert await refusal(registry.backend.WithdrawConsent(registry.withdrawal(registry.chat))) == "NOTHING_TO_WITHDRAW"
    earlier = stamp(datetime.now(UTC))
    await registry.agree(registry.training)
    assert await refusal(registry.agree(registry.training, given_at=earlier)) == "OUT_OF_ORDER"


@pytest.mark.clause("PIPL 31")
async def test_pipl_31_the_guardian_is_on_record_and_nobody_reads_it_unseen(registry: Registry) -> None:
    await registry.prepare()
    await registry.agree(
        registry.chat,
        age_band=model_pb2.AGE_BAND_UNDER_14,
        kind=model_pb2.CONSENT_KIND_SEPARATE,
        guardian=GUARDIAN,
    )

    acts = await registry.history()

    assert [act.act for act in acts] == [model_pb2.ConsentAct.ACT_GRANTED]
    assert acts[0].guardian == GUARDIAN
    views = views_pb2_grpc.ViewServiceStub(registry.deployment.channel("consent", "auditor"))
    seen = await views.ListViews(views_pb2.ListViewsRequest(page_size=100))
    assert any(view.method.endswith("ListConsentHistory") for view in seen.views)
    assert not any(registry.subject in view.request for view in seen.views)
    stored = await registry.deployment.rows("consent", "SELECT act::text AS row FROM act")
    assert not any("parent-of-one" in row["row"] for row in stored)


async def test_commands_come_by_topic_in_any_language_and_bad_ones_are_set_aside(registry: Registry) -> None:
    await registry.prepare()
    command = registry.grant(registry.chat)
    await registry.deployment.emit("consent", command, as_json=True)
    wrong = registry.grant(registry.chat, notice_version=7)
    await registry.deployment.emit("consent", wrong)

    await registry.deployment.facts("consent", facts_pb2.ConsentGranted, lambda fact: fact.subject == registry.subject)
    letters = await registry.deployment.dead_letters(
        "consent", lambda headers: headers.get("ce_id") == wrong.command_id
    )
    assert "NOTICE_UNKNOWN" in letters[0].values()
    assert (await registry.check(registry.chat)).allowed


async def test_rivals_for_one_person_leave_one_history(registry: Registry) -> None:
    await registry.prepare()
    one_instant = registry.grant(registry.chat).given_at
    commands = [registry.grant(registry.chat, given_at=one_instant) for _ in range(12)]

    answers = await asyncio.gather(*(registry.backend.GrantConsent(command) for command in commands))
    again = await asyncio.gather(*(registry.backend.GrantConsent(command) for command in commands))

    assert again == answers
    assert sorted(act.consent_id for act in await registry.history()) == sorted(one.consent_id for one in answers)
    people = await registry.deployment.rows(
        "consent", "SELECT count(DISTINCT person_id) AS people FROM act WHERE purpose_id = %s", registry.chat
    )
    assert people[0]["people"] == 1


@pytest.mark.clause("PIPL 13(1)")
async def test_pipl_13_1_a_consent_runs_out_once_even_when_the_service_was_away(registry: Registry) -> None:
    await registry.prepare()
    soon = datetime.now(UTC) + timedelta(seconds=6)
    expiring = await registry.agree(registry.chat, expires_at=stamp(soon))
    renewed = await registry.agree(registry.training, expires_at=stamp(soon))
    await registry.agree(registry.training)

    registry.deployment.runner.kill_service("consent")
    await asyncio.to_thread(registry.deployment.runner.start_service, "consent")
    facts = await registry.deployment.facts(
        "consent", facts_pb2.ConsentExpired, lambda fact: fact.subject == registry.subject
    )

    assert [(fact.consent_id, fact.expired_at) for fact in facts] == [(expiring, stamp(soon))]
    assert (await registry.check(registry.chat)).state == model_pb2.CONSENT_STATE_EXPIRED
    assert (await registry.check(registry.chat, at=soon - timedelta(seconds=1))).allowed
    deeds = [act.act for act in await registry.history() if act.consent_id in {expiring, renewed}]
    assert deeds.count(model_pb2.ConsentAct.ACT_EXPIRED) == 1
    left = await registry.deployment.rows("consent", "SELECT 1 FROM term WHERE consent_id = %s", expiring)
    assert left == []


async def test_a_term_shorter_than_the_clock_can_tell_ends_as_it_begins(registry: Registry) -> None:
    await registry.prepare()
    command = registry.grant(registry.chat)
    command.given_at.nanos -= command.given_at.nanos % 1000
    command.expires_at.CopyFrom(command.given_at)
    command.expires_at.nanos += 100

    await registry.backend.GrantConsent(command)

    assert (await registry.check(registry.chat)).state == model_pb2.CONSENT_STATE_EXPIRED


@pytest.mark.clause("Generative AI Measures 7", "PIPL 44")
async def test_genai_7_refusal_of_training_ends_it_until_a_later_yes(registry: Registry) -> None:
    await registry.prepare()
    nothing = await registry.check_training()
    assert (nothing.eligible, nothing.citation) == (False, "Generative AI Measures 7")
    consent_id = await registry.agree(registry.training)
    between = datetime.now(UTC)
    eligible = await registry.check_training()
    assert (eligible.eligible, list(eligible.purpose_ids)) == (True, [registry.training])

    refused = await registry.backend.RefuseTraining(registry.refusal_of_training())

    assert list(refused.withdrawn_consent_ids) == [consent_id]
    answer = await registry.check_training()
    assert (answer.eligible, answer.citation) == (False, "PIPL 44")
    assert answer.explanation
    assert (await registry.check_training(at=between)).eligible
    await registry.deployment.facts("consent", facts_pb2.TrainingRefused, lambda fact: fact.subject == registry.subject)
    await registry.agree(registry.training)
    assert (await registry.check_training()).eligible


async def test_purposes_are_listed_in_their_present_version(registry: Registry) -> None:
    await registry.prepare()
    await registry.define(registry.chat, categories=["prompt", "voice"])

    listed = await registry.backend.ListPurposes(service_pb2.ListPurposesRequest())

    present = {purpose.purpose_id: purpose for purpose in listed.purposes}
    assert present[registry.chat].version == 2
    assert list(present[registry.chat].categories) == ["prompt", "voice"]


async def test_a_notice_must_explain_the_present_version(registry: Registry) -> None:
    await registry.prepare()
    await registry.define(registry.chat, method="otherwise")

    assert await refusal(registry.publish(**{registry.chat: 1})) == "VERSION_CONFLICT"
    assert await refusal(registry.publish(**{registry.chat: 5})) == "PURPOSE_UNKNOWN"
