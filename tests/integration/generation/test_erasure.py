"""A person is erased without breaking a proof (PIPL 45, 47; GDPR 15, 17)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from candor.generation.v1 import facts_pb2, hold_pb2, hold_pb2_grpc, model_pb2, review_pb2, review_pb2_grpc
from candor.generation.v1.facts_pb2 import GenerationRecorded
from candor.rights.v1 import model_pb2 as rights_pb2
from candor_cli.session import command_id

from .backend import Backend, refusal, stamp, until


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.clause("PIPL 47", "GDPR 17(1)")
async def test_pipl_47_erasing_a_person_leaves_the_log_and_its_proofs_as_they_are(backend: Backend) -> None:
    made = [await backend.record(occurred_at=stamp(ago(60))) for _ in range(3)]
    facts = await backend.recorded(*made)
    before = await backend.evidence(made[0])
    path = f"tile/entries/{before.log_index // 256:03d}.p/{before.log_index % 256 + 1}"
    entry = bytes(before.entry)

    answer = await backend.ask(rights_pb2.RIGHT_DELETION)
    assert answer.holder_id == "generation"
    assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    assert {kind.kind: kind.count for kind in answer.proof.kinds} == {"generation": 3}
    assert answer.proof.last_copy_expires_at.ToDatetime(tzinfo=UTC) > datetime.now(UTC)
    (erased,) = await backend.deployment.facts(
        "generation", facts_pb2.SubjectErased, lambda fact: fact.task_id == answer.task_id
    )
    assert erased.records == 3

    for generation_id in made:
        row = await backend.row(generation_id)
        assert (row["subject"], row["payload"], row["wrapped_key"]) == (None, None, None)
        assert (await backend.get(generation_id)).state == model_pb2.GENERATION_STATE_ERASED
    read = await backend.outputs(facts[0].log_index, facts[-1].log_index + 1)
    of_person = [item for item in read if item.generation_id in made]
    assert [(item.erased, item.output) for item in of_person] == [(True, "")] * 3

    after = await backend.evidence(made[0])
    assert not after.HasField("opening")
    assert after.entry == entry
    vkey = await backend.vkey()
    for evidence in (before, after):
        ran = await backend.verify(backend.lay(evidence), "--vkey", vkey, "--log-url", backend.log_url)
        assert ran.code == 0, ran.output
    assert (await backend.verify("--log-url", backend.log_url, "--vkey", vkey)).code == 0
    assert (await backend.fetch(path))[0] in (200, 404)
    assert await backend.export() == []
    left = await _rows_of_all_tables(backend)
    assert not [row for row in left if backend.word in row or backend.word.encode().hex() in row]


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_was_found_in_an_erased_text_is_forgotten_with_it(backend: Backend) -> None:
    feature_id = f"f-{backend.word}"
    await backend.admit(feature_id, f"谣言{backend.word}")
    command = backend.generation(output=f"谣言{backend.word}", occurred_at=stamp(ago(60)))
    first = await backend.backend.Record(command)
    assert [hit.feature_id for hit in first.verdict.hits] == [feature_id]

    await backend.ask(rights_pb2.RIGHT_DELETION)
    again = await backend.backend.Record(command)
    assert (again.label, again.verdict.decision) == (first.label, first.verdict.decision)
    assert not again.verdict.hits
    late = await backend.backend.Record(backend.generation(output=f"谣言{backend.word}", occurred_at=stamp(ago(50))))
    assert (late.verdict.decision, len(late.verdict.hits)) == (model_pb2.DECISION_REVIEW, 0)
    kept = (await backend.row(first.generation_id))["fact"]
    assert GenerationRecorded.FromString(kept).verdict.decision == model_pb2.DECISION_REVIEW
    assert feature_id.encode() not in kept


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_asked_again_it_answers_with_the_same_proof(backend: Backend) -> None:
    await backend.record(occurred_at=stamp(ago(60)))
    task_id = str(uuid4())
    first = await backend.ask(rights_pb2.RIGHT_DELETION, task_id=task_id)
    again = await backend.ask(rights_pb2.RIGHT_DELETION, task_id=task_id, attempt=2)
    assert first.proof == again.proof
    assert first.command_id != again.command_id


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_was_made_before_an_erasure_and_comes_after_it_is_discarded_and_counted(
    backend: Backend,
) -> None:
    await backend.ask(rights_pb2.RIGHT_DELETION)
    counted = await _discarded(backend)
    late = await backend.backend.Record(backend.generation(occurred_at=stamp(ago(60))))
    assert json.loads(late.label.json)["AIGC"]["ProduceID"] == late.generation_id
    by_topic = backend.generation(occurred_at=stamp(ago(60)))
    await backend.deployment.emit("generation", by_topic)
    # The topic keeps order per key only, so wait for the count itself.
    await _until_discarded(backend, counted + 2)
    rows = await backend.deployment.rows(
        "generation",
        "SELECT generation_id FROM record WHERE generation_id = ANY(%s::uuid[])",
        [late.generation_id, by_topic.command_id],
    )
    assert rows == []
    metrics = await backend.get_http("metrics")
    (shown,) = [line for line in metrics.splitlines() if line.startswith("candor_generation_discarded_total")]
    assert float(shown.split()[1]) >= 2


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_was_made_after_the_request_is_kept_and_still_opens(backend: Backend) -> None:
    old = await backend.record(occurred_at=stamp(ago(600)))
    new = await backend.record(occurred_at=stamp(ago(60)))
    await backend.recorded(old, new)
    answer = await backend.ask(rights_pb2.RIGHT_DELETION, requested_at=ago(300))
    assert {kind.kind: kind.count for kind in answer.proof.kinds} == {"generation": 1}
    assert not (await backend.evidence(old)).HasField("opening")
    evidence = await backend.evidence(new)
    assert evidence.opening.subject == backend.subject
    ran = await backend.verify(backend.lay(evidence), "--vkey", await backend.vkey())
    assert ran.code == 0, ran.output
    assert [item.item_id for item in await backend.export()] == [new]


@pytest.mark.clause("PIPL 45")
async def test_pipl_45_access_counts_what_the_export_gives(backend: Backend) -> None:
    made = [await backend.record(occurred_at=stamp(ago(60 - number))) for number in range(5)]
    answer = await backend.ask(rights_pb2.RIGHT_ACCESS)
    items = await backend.export()
    assert {kind.kind: kind.count for kind in answer.proof.kinds} == {"generation": 5}
    assert not answer.proof.HasField("last_copy_expires_at")
    assert [item.item_id for item in items] == made
    first = json.loads(items[0].json)
    assert first["prompt"] == f"你好 {backend.word}"
    assert first["label"]["AIGC"]["ProduceID"] == made[0]
    assert {item.kind for item in items} == {"generation"}


@pytest.mark.parametrize("right", [rights_pb2.RIGHT_CONSENT_WITHDRAWAL, rights_pb2.RIGHT_TRAINING_REFUSAL])
async def test_rights_that_concern_consents_find_nothing_here(
    backend: Backend, right: rights_pb2.Right.ValueType
) -> None:
    generation_id = await backend.record()
    answer = await backend.ask(right)
    assert answer.proof.outcome == rights_pb2.OUTCOME_NOTHING_HELD
    assert (await backend.row(generation_id))["subject"] == backend.subject


@pytest.mark.clause("PIPL 47", "GDPR 17(1)")
async def test_pipl_47_one_record_is_erased_and_the_persons_others_stay(backend: Backend) -> None:
    gone = await _flagged(backend)
    stays = await backend.record(occurred_at=stamp(ago(50)))
    facts = await backend.recorded(gone, stays)
    officer, reviewer = _holds(backend), _reviews(backend)
    await reviewer.GetReview(review_pb2.GetReviewRequest(generation_id=gone))
    erase = hold_pb2.EraseGenerationRequest(command_id=command_id(), generation_id=gone, basis="PIPL 47(1)(1)")
    answer = await officer.EraseGeneration(erase)
    assert answer == await officer.EraseGeneration(erase)
    erase.command_id = command_id()
    assert await refusal(officer.EraseGeneration(erase)) == "GENERATION_ERASED"
    (fact,) = await backend.deployment.facts(
        "generation", facts_pb2.GenerationErased, lambda fact: fact.generation_id == gone
    )
    assert (fact.basis, fact.erased_at) == ("PIPL 47(1)(1)", answer.erased_at)

    shown = await backend.get(gone)
    assert shown.state == model_pb2.GENERATION_STATE_ERASED
    assert (shown.verdict.decision, len(shown.verdict.hits)) == (model_pb2.DECISION_REVIEW, 0)
    review = await reviewer.GetReview(review_pb2.GetReviewRequest(generation_id=gone))
    assert review.review.state == model_pb2.REVIEW_STATE_ERASED
    assert not review.HasField("text")
    read = {item.generation_id: item for item in await backend.outputs(facts[0].log_index, facts[-1].log_index + 1)}
    assert (read[gone].erased, read[gone].output) == (True, "")
    assert not read[stays].erased
    assert [item.item_id for item in await backend.export()] == [stays]
    vkey = await backend.vkey()
    for identifier, opens in ((gone, False), (stays, True)):
        evidence = await backend.evidence(identifier)
        assert evidence.HasField("opening") == opens
        ran = await backend.verify(backend.lay(evidence), "--vkey", vkey, "--log-url", backend.log_url)
        assert ran.code == 0, ran.output


@pytest.mark.clause("PIPL 45", "GDPR 15(3)")
async def test_pipl_45_what_a_person_said_in_an_appeal_is_counted_and_exported(backend: Backend) -> None:
    identifier = await _flagged(backend)
    statement = await _appeal(backend, identifier)
    access = await backend.ask(rights_pb2.RIGHT_ACCESS)
    exported = await backend.export()
    assert {kind.kind: kind.count for kind in access.proof.kinds} == {"generation": 1, "appeal_statement": 1}
    assert [(item.kind, item.item_id) for item in exported] == [
        ("generation", identifier),
        ("appeal_statement", identifier),
    ]
    assert json.loads(exported[-1].json)["statement"] == statement


@pytest.mark.clause("PIPL 47", "GDPR 18(2)")
async def test_pipl_47_what_a_hold_keeps_is_out_of_everybodys_reach(backend: Backend) -> None:
    kept = await _flagged(backend)
    await _appeal(backend, kept)
    gone = await backend.record(occurred_at=stamp(ago(50)))
    facts = await backend.recorded(kept, gone)
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    await _place(backend, ends_at, kept)
    assert (await backend.evidence(kept)).opening.subject == backend.subject
    proof = (await backend.ask(rights_pb2.RIGHT_DELETION)).proof
    assert proof.outcome == rights_pb2.OUTCOME_RESTRICTED
    assert {kind.kind: kind.count for kind in proof.kinds} == {"generation": 1, "generation_restricted": 1}
    assert (proof.restriction_basis, proof.restricted_until) == ("GDPR 17(3)(b)", stamp(ends_at))

    shown = await backend.get(kept)
    assert shown.state == model_pb2.GENERATION_STATE_RESTRICTED
    assert not shown.verdict.hits
    assert (await backend.get(gone)).state == model_pb2.GENERATION_STATE_ERASED
    read = await backend.outputs(facts[0].log_index, facts[-1].log_index + 1)
    assert [(item.erased, item.output) for item in read if item.generation_id in (kept, gone)] == [(True, "")] * 2
    assert await backend.export() == []
    assert not (await backend.evidence(kept)).HasField("opening")
    review = await _reviews(backend).GetReview(review_pb2.GetReviewRequest(generation_id=kept))
    assert not review.HasField("text")
    waiting = await _reviews(backend).ListReviews(review_pb2.ListReviewsRequest(page_size=1000))
    assert kept not in {review.generation_id for review in waiting.reviews}
    left = await _rows_of_all_tables(backend)
    assert not [row for row in left if backend.subject in row]


@pytest.mark.clause("PIPL 47", "GDPR 17(3)")
async def test_gdpr_17_3_what_a_hold_keeps_still_proves_itself_and_goes_when_it_ends(backend: Backend) -> None:
    identifier = await _flagged(backend)
    await backend.recorded(identifier)
    officer, vkey = _holds(backend), await backend.vkey()
    hold_id = await _place(backend, datetime.now(UTC) + timedelta(hours=1), identifier)
    await backend.ask(rights_pb2.RIGHT_DELETION)
    (held,) = [item async for item in officer.ReadHeld(hold_pb2.ReadHeldRequest(hold_id=hold_id))]
    assert (held.generation_id, held.opening.output) == (identifier, f"谣言{backend.word}")
    evidence = await backend.evidence(identifier)
    evidence.opening.CopyFrom(held.opening)
    assert (await backend.verify(backend.lay(evidence), "--vkey", vkey)).code == 0

    await officer.ReleaseHold(hold_pb2.ReleaseHoldRequest(command_id=command_id(), hold_id=hold_id))
    assert (await _ended(backend, hold_id)).records == 1
    assert (await backend.get(identifier)).state == model_pb2.GENERATION_STATE_ERASED
    row = await backend.row(identifier)
    assert (row["subject"], row["payload"], row["wrapped_key"]) == (None, None, None)
    assert [item async for item in officer.ReadHeld(hold_pb2.ReadHeldRequest(hold_id=hold_id))] == []
    listed = await officer.ListHolds(hold_pb2.ListHoldsRequest())
    (hold,) = [hold for hold in listed.holds if hold.hold_id == hold_id]
    assert (hold.state, hold.restricted) == (hold_pb2.HOLD_STATE_EXECUTED, 0)
    evidence = await backend.evidence(identifier)
    ran = await backend.verify(backend.lay(evidence), "--vkey", vkey, "--log-url", backend.log_url)
    assert ran.code == 0, ran.output


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_a_hold_kept_goes_when_its_time_has_passed(backend: Backend) -> None:
    identifier = await backend.record(occurred_at=stamp(ago(60)))
    hold_id = await _place(backend, datetime.now(UTC) + timedelta(seconds=8), identifier)
    officer = _holds(backend)
    erase = hold_pb2.EraseGenerationRequest(command_id=command_id(), generation_id=identifier, basis="PIPL 47(1)(1)")
    answer = await officer.EraseGeneration(erase)
    assert answer.HasField("restricted_until")
    assert not answer.HasField("erased_at")
    ended = await _ended(backend, hold_id)
    assert (ended.records, ended.HasField("released_at")) == (1, False)
    (fact,) = await backend.deployment.facts(
        "generation", facts_pb2.GenerationErased, lambda fact: fact.generation_id == identifier
    )
    assert fact.erased_at.ToDatetime() >= answer.restricted_until.ToDatetime()


async def _flagged(backend: Backend) -> str:
    """Record a generation that screening does not simply allow."""
    await backend.admit(f"f-{backend.word}", f"谣言{backend.word}")
    return await backend.record(output=f"谣言{backend.word}", occurred_at=stamp(ago(60)))


async def _appeal(backend: Backend, generation_id: str) -> str:
    """Let the user appeal; return what they said."""
    appeal = review_pb2.AppealReviewRequest(
        command_id=command_id(), generation_id=generation_id, subject=backend.subject, statement=f"不是 {backend.word}"
    )
    await review_pb2_grpc.ReviewServiceStub(backend.deployment.channel("generation", "backend")).AppealReview(appeal)
    return appeal.statement


async def _place(backend: Backend, ends_at: datetime, *generation_ids: str) -> str:
    """Let the privacy officer place a hold; return its id."""
    placed = await _holds(backend).PlaceHold(
        hold_pb2.PlaceHoldRequest(
            command_id=command_id(),
            generation_ids=generation_ids,
            incident_id=f"incident-{backend.word}",
            reason="an incident is open",
            citation="GDPR 17(3)(b)",
            until=stamp(ends_at),
        )
    )
    return placed.hold.hold_id


async def _ended(backend: Backend, hold_id: str) -> facts_pb2.HoldEnded:
    (ended,) = await backend.deployment.facts("generation", facts_pb2.HoldEnded, lambda fact: fact.hold_id == hold_id)
    return ended


def _holds(backend: Backend) -> hold_pb2_grpc.HoldServiceAsyncStub:
    return hold_pb2_grpc.HoldServiceStub(backend.deployment.channel("generation", "privacy_officer", name="officer"))


def _reviews(backend: Backend) -> review_pb2_grpc.ReviewServiceAsyncStub:
    return review_pb2_grpc.ReviewServiceStub(backend.deployment.channel("generation", "on_call", name="carol"))


async def _discarded(backend: Backend) -> int:
    rows = await backend.deployment.rows("generation", "SELECT coalesce(sum(records), 0) AS records FROM discarded")
    return int(rows[0]["records"])


async def _until_discarded(backend: Backend, count: int) -> None:
    async def reached() -> bool:
        return await _discarded(backend) >= count

    await until(reached)


async def _rows_of_all_tables(backend: Backend) -> list[str]:
    """Every row of every table of the service's database, as text."""
    tables = await backend.deployment.rows(
        "generation", "SELECT format('%%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    found: list[str] = []
    for table in tables:
        query = f"SELECT row_to_json(t)::text AS row FROM {table['name']} AS t"  # noqa: S608 - our own
        found += [row["row"] for row in await backend.deployment.rows("generation", query)]
    return found
