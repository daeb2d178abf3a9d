"""The registry as a holder of personal data: what the rights service asks, and the proof it is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from candor.consent.v1 import facts_pb2, model_pb2
from candor.rights.v1 import model_pb2 as rights_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2

from .registry import Registry, refusal, stamp

CHILD = {
    "age_band": model_pb2.AGE_BAND_UNDER_14,
    "kind": model_pb2.CONSENT_KIND_SEPARATE,
    "guardian": model_pb2.Guardian(guardian_ref="parent-of-two", method="id-document"),
}


def counts(answer: rights_service_pb2.AnswerTaskRequest) -> dict[str, int]:
    return {kind.kind: kind.count for kind in answer.proof.kinds}


async def left_of(registry: Registry) -> list[str]:
    """Every row of every table of the service's database, as text."""
    tables = await registry.deployment.rows(
        "consent", "SELECT format('%%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    rows: list[str] = []
    for table in tables:
        query = f"SELECT row_to_json(t)::text AS row FROM {table['name']} AS t"  # noqa: S608 - our own
        rows += [row["row"] for row in await registry.deployment.rows("consent", query)]
    return rows


@pytest.mark.clause("PIPL 45")
async def test_pipl_45_access_counts_what_the_export_gives(registry: Registry) -> None:
    await registry.prepare()
    consent_id = await registry.agree(registry.chat, **CHILD)
    await registry.backend.WithdrawConsent(registry.withdrawal(registry.chat))
    await registry.backend.RefuseTraining(registry.refusal_of_training())

    answer = await registry.ask(rights_pb2.RIGHT_ACCESS)
    items = await registry.export()

    assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    assert counts(answer) == {"consent": 2, "training_refusal": 1}
    assert [item.kind for item in items] == ["consent", "consent", "training_refusal"]
    first = json.loads(items[0].json)
    assert (first["act"], first["consent_id"], first["channel"]) == ("GRANTED", consent_id, "signup")
    assert first["guardian"]["guardian_ref"] == "parent-of-two"


async def test_a_person_who_is_not_on_record_is_answered_so(registry: Registry) -> None:
    answer = await registry.ask(rights_pb2.RIGHT_ACCESS)

    assert answer.proof.outcome == rights_pb2.OUTCOME_NOTHING_HELD
    assert counts(answer) == {}
    assert await registry.export() == []


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_after_erasure_the_acts_stay_and_nothing_tells_whose_they_were(registry: Registry) -> None:
    await registry.prepare()
    given_at = datetime.now(UTC)
    await registry.agree(registry.chat, **CHILD, given_at=stamp(given_at))
    await registry.agree(registry.training, expires_at=stamp(given_at + timedelta(hours=1)))
    proven = await registry.deployment.rows(
        "consent", "SELECT person_id, consent_id, at FROM act WHERE purpose_id = %s", registry.chat
    )

    answer = await registry.ask(rights_pb2.RIGHT_DELETION)

    assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    assert counts(answer) == {"consent": 2}
    expires = answer.proof.last_copy_expires_at.ToDatetime(tzinfo=UTC)
    assert timedelta(days=7) < expires - given_at < timedelta(days=9)
    after = await registry.deployment.rows(
        "consent", "SELECT person_id, consent_id, at FROM act WHERE purpose_id = %s", registry.chat
    )
    assert [(row["consent_id"], row["at"]) for row in after] == [(row["consent_id"], row["at"]) for row in proven]
    assert after[0]["person_id"] != proven[0]["person_id"]
    rows = await left_of(registry)
    assert any(str(after[0]["person_id"]) in row for row in rows)
    assert not [row for row in rows if registry.subject in row or "parent-of-two" in row]
    assert not [row for row in rows if str(proven[0]["person_id"]) in row]
    linked = await registry.deployment.rows(
        "consent",
        "SELECT pseudonym, sealed_subject, sealed_guardian FROM act JOIN person USING (person_id)"
        " WHERE consent_id = %s",
        proven[0]["consent_id"],
    )
    assert linked == [{"pseudonym": None, "sealed_subject": None, "sealed_guardian": None}]
    facts = await registry.deployment.facts(
        "consent", facts_pb2.SubjectErased, lambda fact: fact.task_id == answer.task_id
    )
    assert facts[0].records == 2
    assert (await registry.check(registry.chat)).state == model_pb2.CONSENT_STATE_NONE
    assert await refusal(registry.history()) == "SUBJECT_UNKNOWN"


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_was_made_before_the_erasure_does_not_come_back(registry: Registry) -> None:
    await registry.prepare()
    before = datetime.now(UTC)
    await registry.agree(registry.chat)
    await registry.ask(rights_pb2.RIGHT_DELETION)

    assert await refusal(registry.agree(registry.training, given_at=stamp(before))) == "SUBJECT_ERASED"
    late = registry.grant(registry.training, given_at=stamp(before))
    await registry.deployment.emit("consent", late)
    letters = await registry.deployment.dead_letters("consent", lambda headers: headers.get("ce_id") == late.command_id)
    assert "SUBJECT_ERASED" in letters[0].values()

    await registry.agree(registry.chat)
    assert [act.purpose_id for act in await registry.history()] == [registry.chat]


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_the_person_agreed_to_after_asking_stays(registry: Registry) -> None:
    await registry.prepare()
    await registry.agree(registry.chat)
    asked_at = datetime.now(UTC)
    soon = datetime.now(UTC) + timedelta(seconds=6)
    kept = await registry.agree(registry.training, **CHILD, expires_at=stamp(soon))

    answer = await registry.ask(rights_pb2.RIGHT_DELETION, requested_at=asked_at)

    assert counts(answer) == {"consent": 1}
    acts = [act for act in await registry.history() if act.act == model_pb2.ConsentAct.ACT_GRANTED]
    assert [(act.consent_id, act.guardian.guardian_ref) for act in acts] == [(kept, "parent-of-two")]
    await registry.deployment.facts("consent", facts_pb2.ConsentExpired, lambda fact: fact.consent_id == kept)


async def test_asked_again_the_same_proof_is_given_again(registry: Registry) -> None:
    await registry.prepare()
    await registry.agree(registry.chat)
    first = await registry.ask(rights_pb2.RIGHT_DELETION)

    second = await registry.ask(rights_pb2.RIGHT_DELETION, task_id=first.task_id, attempt=2)

    assert second.proof == first.proof
    assert second.command_id != first.command_id


@pytest.mark.clause("PIPL 15")
async def test_pipl_15_withdrawal_of_everything_ends_what_was_in_force_then(registry: Registry) -> None:
    await registry.prepare()
    ended = [await registry.agree(registry.chat), await registry.agree(registry.training)]
    asked_at = datetime.now(UTC)
    fresh = await registry.agree(registry.training)

    answer = await registry.ask(rights_pb2.RIGHT_CONSENT_WITHDRAWAL, requested_at=asked_at)

    assert counts(answer) == {"consent": 1}
    assert (await registry.check(registry.chat)).state == model_pb2.CONSENT_STATE_WITHDRAWN
    assert (await registry.check(registry.training)).consent_id == fresh
    facts = await registry.deployment.facts(
        "consent", facts_pb2.ConsentWithdrawn, lambda fact: fact.subject == registry.subject
    )
    assert [fact.consent_id for fact in facts] == ended[:1]


@pytest.mark.clause("PIPL 44")
async def test_pipl_44_refusal_of_training_by_request(registry: Registry) -> None:
    await registry.prepare()
    await registry.agree(registry.training)

    answer = await registry.ask(rights_pb2.RIGHT_TRAINING_REFUSAL)

    assert counts(answer) == {"consent": 1, "training_refusal": 1}
    assert (await registry.check_training()).citation == "PIPL 44"


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_a_refusal_asked_for_before_the_erasure_does_not_bring_the_person_back(
    registry: Registry,
) -> None:
    asked_at = datetime.now(UTC)
    await registry.ask(rights_pb2.RIGHT_DELETION)

    answer = await registry.ask(rights_pb2.RIGHT_TRAINING_REFUSAL, requested_at=asked_at)

    assert answer.proof.outcome == rights_pb2.OUTCOME_NOTHING_HELD
    assert await registry.export() == []
    later = await registry.ask(rights_pb2.RIGHT_TRAINING_REFUSAL)
    assert counts(later) == {"training_refusal": 1}
