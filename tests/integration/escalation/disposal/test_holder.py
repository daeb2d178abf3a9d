"""Escalation as a holder of personal data: what the rights service asks, and the proof it is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from candor.escalation.v1 import disposal_pb2, facts_pb2
from candor.rights.v1 import model_pb2 as rights_pb2
from candor.rights.v1 import service_pb2 as rights_service_pb2
from candor_cli.session import command_id

from .disposal_desk import APPLY, FACTS, LIFT, SUSPEND, WARN, DisposalDesk, refusal, until

REVERSED = disposal_pb2.COMPLAINT_OUTCOME_REVERSED


def counts(answer: rights_service_pb2.AnswerTaskRequest) -> dict[str, int]:
    return {kind.kind: kind.count for kind in answer.proof.kinds}


async def left_of(desk: DisposalDesk) -> list[str]:
    """Every row of every table of the service's database, as text, but the log of what is on its way out."""
    tables = await desk.deployment.rows(
        "escalation",
        "SELECT format('%%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'kit_outbox'",
    )
    rows: list[str] = []
    for table in tables:
        query = f"SELECT row_to_json(t)::text AS row FROM {table['name']} AS t"  # noqa: S608 - our own
        rows += [row["row"] for row in await desk.deployment.rows("escalation", query)]
    return rows


@pytest.mark.clause("PIPL 45")
async def test_pipl_45_access_counts_what_the_export_gives(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    complaint_id = await desk.complain(disposal_id, "it was satire")
    await desk.officer.RecordUnfoundedNotice(
        disposal_pb2.RecordUnfoundedNoticeRequest(command_id=command_id(), subject=desk.subject, reference="n-1")
    )
    answer = await desk.ask(rights_pb2.RIGHT_ACCESS)
    items = await desk.export()

    assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    assert counts(answer) == {"disposal": 1, "disposal_statement": 1, "complaint": 1, "unfounded_notice": 1}
    by_kind = {item.kind: (item.item_id, json.loads(item.json)) for item in items}
    assert by_kind["disposal"][0] == disposal_id
    assert by_kind["disposal"][1]["facts"] == FACTS
    assert by_kind["disposal"][1]["departure"] == "three times within a day"
    assert FACTS in by_kind["disposal_statement"][1]["zh"]
    assert (by_kind["complaint"][0], by_kind["complaint"][1]["statement"]) == (complaint_id, "it was satire")
    assert len(items) == sum(counts(answer).values())


async def test_a_person_who_is_not_on_record_is_answered_so(desk: DisposalDesk) -> None:
    for right in (rights_pb2.RIGHT_ACCESS, rights_pb2.RIGHT_DELETION, rights_pb2.RIGHT_CONSENT_WITHDRAWAL):
        answer = await desk.ask(right)
        assert answer.proof.outcome == rights_pb2.OUTCOME_NOTHING_HELD
        assert counts(answer) == {}
    assert await desk.export() == []


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_the_law_keeps_is_restricted_with_an_end_and_found_by_nobody(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + timedelta(days=1))
    answer = await desk.ask(rights_pb2.RIGHT_DELETION)
    seen = await desk.seen(disposal_id)
    proof = answer.proof

    assert proof.outcome == rights_pb2.OUTCOME_RESTRICTED
    assert counts(answer) == {"disposal_restricted": 1}
    assert "Generative AI Measures 14" in proof.restriction_basis
    assert proof.restricted_until == seen.disposal.restricted_until
    kept = proof.restricted_until.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=180) < kept < timedelta(days=186)
    assert timedelta(days=7) < proof.last_copy_expires_at.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert await desk.export() == []
    proposed = await desk.officer.ProposeSanction(disposal_pb2.ProposeSanctionRequest(subject=desk.subject))
    assert proposed.earlier == 0
    rows = await left_of(desk)
    told = (desk.subject, "the-quoted-facts", "three times within a day")
    assert not [row for row in rows for words in told if words in row]
    assert (await desk.ask(rights_pb2.RIGHT_ACCESS)).proof.outcome == rights_pb2.OUTCOME_NOTHING_HELD
    erased = await desk.deployment.facts(
        "escalation", facts_pb2.SubjectErased, lambda fact: fact.task_id == answer.task_id
    )
    assert erased[0].records == 1


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_no_ask_names_the_person_after_the_erasure_and_a_complaint_is_still_decided(
    desk: DisposalDesk,
) -> None:
    disposal_id = await desk.impose(SUSPEND, until=datetime.now(UTC) + timedelta(days=1))
    complaint_id = await desk.complain(disposal_id, "it was satire")
    (first, *_) = await desk.asked(disposal_id, APPLY)
    await desk.ask(rights_pb2.RIGHT_DELETION)
    shown = await desk.second.GetComplaint(disposal_pb2.GetComplaintRequest(complaint_id=complaint_id))
    await desk.second.DecideComplaint(desk.decision(complaint_id, REVERSED))
    (lift, *_) = await desk.asked(disposal_id, LIFT)

    assert first.subject == desk.subject
    assert shown.statement == "it was satire"
    assert lift.subject == ""


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_the_law_keeps_no_longer_is_emptied_and_still_counted(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    await desk.ask(rights_pb2.RIGHT_DELETION)
    await desk.deployment.rows(
        "escalation",
        "UPDATE disposal SET restricted_until = now() - interval '1 second' WHERE disposal_id = %s RETURNING 1 AS one",
        disposal_id,
    )
    query = "SELECT measure, sealed, wrapped_key, pseudonym FROM disposal WHERE disposal_id = %s"
    (row,) = await until(
        lambda: desk.deployment.rows("escalation", query, disposal_id), lambda rows: rows[0]["sealed"] is None
    )
    texts = await desk.deployment.rows(
        "escalation", "SELECT sealed FROM disposal_statement WHERE disposal_id = %s", disposal_id
    )

    assert row == {"measure": "warn", "sealed": None, "wrapped_key": None, "pseudonym": None}
    assert [text["sealed"] for text in texts] == [None]
    assert (await desk.seen(disposal_id)).disposal.measure == WARN


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_an_old_record_is_let_go_at_once(desk: DisposalDesk) -> None:
    disposal_id = await desk.impose(WARN)
    await desk.deployment.rows(
        "escalation",
        "UPDATE disposal SET decided_at = now() - interval '200 days' WHERE disposal_id = %s RETURNING 1 AS one",
        disposal_id,
    )
    answer = await desk.ask(rights_pb2.RIGHT_DELETION)

    assert answer.proof.outcome == rights_pb2.OUTCOME_DONE
    assert counts(answer) == {"disposal": 1}
    assert not answer.proof.HasField("restricted_until")


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_what_was_made_before_the_erasure_does_not_come_back_and_what_is_newer_stays(
    desk: DisposalDesk,
) -> None:
    late = desk.sanction(WARN)
    asked_at = datetime.now(UTC)
    newer = await desk.impose(WARN)
    answer = await desk.ask(rights_pb2.RIGHT_DELETION, requested_at=asked_at)

    assert await refusal(desk.officer.ImposeSanction(late)) == "SUBJECT_ERASED"
    assert counts(answer) == {}
    items = await desk.export()
    assert [item.item_id for item in items if item.kind == "disposal"] == [newer]
    assert json.loads(items[0].json)["facts"] == FACTS


async def test_asked_again_the_same_proof_is_given_again(desk: DisposalDesk) -> None:
    await desk.impose(WARN)
    first = await desk.ask(rights_pb2.RIGHT_DELETION)
    second = await desk.ask(rights_pb2.RIGHT_DELETION, task_id=first.task_id, attempt=2)

    assert second.proof == first.proof
