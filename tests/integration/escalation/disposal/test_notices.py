"""Notices on the real stack: from a backend's form to the decision, the answer and the report."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from candor.escalation.v1 import disposal_pb2, facts_pb2, model_pb2, notice_pb2
from candor.rights.v1 import model_pb2 as rights_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal

from .disposal_desk import DELIVER, LIMIT, WARN, refusal, stamp, until
from .notice_desk import (
    ACTED,
    ANSWER,
    COMPLAINT,
    CONFIRMATION,
    ILLEGAL,
    INTIMATE,
    LAW,
    NOT_ACTED,
    TERMS,
    URL,
    WORDS,
    NoticeDesk,
)
from .test_holder import counts, left_of

FALLEN, RUNNING = model_pb2.CLOCK_STATE_FALLEN, model_pb2.CLOCK_STATE_RUNNING
KNOWN, UNKNOWN = notice_pb2.NOTICE_CONTENT_KNOWN, notice_pb2.NOTICE_CONTENT_UNKNOWN
ERASED = notice_pb2.NOTICE_CONTENT_ERASED


async def refused(call: Any) -> tuple[str, str]:
    """The reason and the words that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = Refusal.from_rpc(caught.value)
    assert found is not None, caught.value
    return found.reason, f"{[violation.field for violation in found.violations]} {found}"


async def content(notices: NoticeDesk, notice_id: str, wanted: notice_pb2.NoticeContent.ValueType) -> None:
    await until(lambda: notices.opened(notice_id), lambda seen: seen.notice.content == wanted)


@pytest.mark.clause("DSA 16")
@pytest.mark.clause("DSA 17")
async def test_dsa_16_a_notice_is_confirmed_decided_by_a_person_acted_on_and_answered(notices: NoticeDesk) -> None:
    generation_id = await notices.generated()
    notice = await notices.submit(generation_id=generation_id)
    before = await notices.clocks(notice)
    texts = await notices.texts(notice.notice_id)
    await notices.sent(notice.notice_id, CONFIRMATION)
    confirmed = await notices.clocks(notice)
    early = await refusal(notices.sent(notice.notice_id, ANSWER))
    alone = await refusal(notices.decider.DecideNotice(notices.judgement(notice.notice_id, ACTED, basis=LAW)))
    disposal_id = await notices.removed(notice.notice_id, generation_id=generation_id, subject=notices.subject)
    await notices.decider.DecideNotice(notices.judgement(notice.notice_id, ACTED, basis=LAW, automated_means=True))
    again = await refusal(notices.decider.DecideNotice(notices.judgement(notice.notice_id)))
    answer = await notices.texts(notice.notice_id)
    decided = await notices.clocks(notice)
    await notices.sent(notice.notice_id, ANSWER)
    seen = await notices.incident(notice.incident_ids[0])
    (told, *_) = await notices.asked(disposal_id, DELIVER)
    shown = await notices.opened(notice.notice_id)

    assert {name: clock.state for name, clock in before.items()} == {
        "eu.dsa.16/confirmation": RUNNING, "eu.dsa.16/decision": RUNNING,
    }  # fmt: skip
    assert {clock.anchor.name for clock in before.values()} == {"notice_received"}
    assert notice.notice_id in texts.confirmation_en
    assert (texts.answer_en, early, alone, again) == (
        "", "NOTICE_UNDECIDED", "NOTICE_WITHOUT_DISPOSAL", "NOTICE_DECIDED",
    )  # fmt: skip
    assert confirmed["eu.dsa.16/confirmation"].state == FALLEN
    assert decided["eu.dsa.16/decision"].state == RUNNING  # decided, and not told yet
    assert {clock.state for clock in seen.clocks} == {FALLEN}
    assert seen.incident.state == model_pb2.INCIDENT_STATE_CLOSED
    for words in ("on the basis of the law", "with automated means", "court", "the-sealed-reasons"):
        assert words in answer.answer_en
    assert "article 16 notice" in (await notices.statement(told)).en
    assert notices.notifier not in (await notices.statement(told)).en
    assert (shown.notifier, shown.explanation, list(shown.locations)) == (notices.notifier, WORDS, [URL])
    assert (list(shown.disposal_ids), shown.notice.outcome, shown.notice.basis) == ([disposal_id], ACTED, LAW)
    assert (await notices.seen(disposal_id)).disposal.notice_id == notice.notice_id


@pytest.mark.clause("DSA 16")
async def test_dsa_16_no_fact_says_who_gave_it_or_why_and_a_repeated_command_is_one_notice(
    notices: NoticeDesk,
) -> None:
    request = notices.notice()
    for _ in range(2):
        await notices.deployment.emit("escalation", request)
    over_grpc = await notices.form.SubmitNotice(request)
    announced = await notices.deployment.facts(
        "escalation", facts_pb2.NoticeReceived, lambda fact: fact.notice.product == notices.product
    )
    changed = notices.notice(command_id=request.command_id, category="STATEMENT_CATEGORY_VIOLENCE")

    (fact,) = announced
    assert fact.notice.notice_id == over_grpc.notice_id
    everything = b"".join(one.value for one in await notices.deployment.published("escalation"))
    for secret in (notices.notifier, WORDS, URL):
        assert secret.encode() not in everything
    assert await refusal(notices.form.SubmitNotice(changed)) == "COMMAND_ID_REUSED"


@pytest.mark.clause("DSA 16")
@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"locations": []}, "INVALID_FIELD", "locations"),
        ({"good_faith": False}, "INVALID_FIELD", "good_faith"),
        ({"contact_held": False}, "INVALID_FIELD", "contact_held"),
        ({"notifier": ""}, "INVALID_FIELD", "notifier"),
        ({"explanation": ""}, "INVALID_FIELD", "explanation"),
        ({"generation_id": "the third from above"}, "INVALID_FIELD", "generation_id"),
        ({"forms": (ILLEGAL, ILLEGAL)}, "INVALID_FIELD", "forms"),
        ({"category": "SOMETHING"}, "CATEGORY_UNKNOWN", "category"),
        ({"received_at": stamp(datetime.now(UTC) + timedelta(days=1))}, "TIME_IN_FUTURE", ""),
    ],
)
async def test_dsa_16_what_a_notice_lacks_is_said_with_its_field(
    notices: NoticeDesk, change: dict[str, Any], reason: str, field: str
) -> None:
    told, words = await refused(notices.form.SubmitNotice(notices.notice(**change)))

    assert told == reason
    assert field in words


@pytest.mark.clause("DSA 16")
async def test_dsa_16_who_gives_notice_of_child_abuse_need_not_be_named(notices: NoticeDesk) -> None:
    notice = await notices.submit(
        notifier="", contact_held=False, child_abuse_offence=True, category="STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
    )
    clocks = await notices.clocks(notice)
    await notices.decider.DecideNotice(notices.judgement(notice.notice_id))
    shown = await notices.opened(notice.notice_id)

    assert set(clocks) == {"eu.dsa.16/decision"}  # nobody to confirm it to
    assert (shown.notifier, shown.explanation) == ("", WORDS)
    assert {clock.state for clock in (await notices.clocks(notice)).values()} == {FALLEN}


async def test_take_it_down_s_48_hours_run_from_a_valid_request(notices: NoticeDesk) -> None:
    asked_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    valid = await notices.submit(INTIMATE, signed=True, received_at=stamp(asked_at), category="intimate_image")
    unsigned = await notices.submit(INTIMATE, category="intimate_image")
    clock = (await notices.clocks(valid))["us.take-it-down/removal"]

    assert clock.anchor.name == "valid_request_received"
    assert clock.strict_due.ToDatetime(UTC) == asked_at + timedelta(hours=48)
    assert await notices.clocks(unsigned) == {}  # a person looks: the incident stays open, with a question
    assert (await notices.incident(unsigned.incident_ids[0])).incident.state == model_pb2.INCIDENT_STATE_OPEN


@pytest.mark.clause("Generative AI Measures 15")
async def test_a_complaint_of_the_public_may_come_without_a_name_and_is_answered(notices: NoticeDesk) -> None:
    notice = await notices.submit(COMPLAINT, ILLEGAL, category="STATEMENT_CATEGORY_SCAMS_AND_FRAUD", contact_held=True)
    anonymous = await notices.submit(COMPLAINT, notifier="", contact_held=False, good_faith=False, category="fraud")
    before = {name for name, clock in (await notices.clocks(anonymous)).items() if clock.state == RUNNING}
    await notices.decider.DecideNotice(notices.judgement(anonymous.notice_id))

    assert {"cn.genai.15/answer", "cn.deep-synthesis.12/accept", "cn.deep-synthesis.12/answer"} <= before
    assert {clock.state for clock in (await notices.clocks(anonymous)).values()} == {FALLEN}  # nobody to tell
    assert before <= set(await notices.clocks(notice))
    assert set(await notices.clocks(notice, 1)) == {"eu.dsa.16/confirmation", "eu.dsa.16/decision"}


async def test_a_generation_that_is_unknown_is_flagged_until_it_arrives(notices: NoticeDesk) -> None:
    generation_id = command_id()
    notice = await notices.submit(generation_id=generation_id)
    await content(notices, notice.notice_id, UNKNOWN)
    told = {fact.name: fact.value.string_value for fact in (await notices.incident(notice.incident_ids[0])).facts}
    await notices.generated(generation_id)
    await notices.deployment.rows(
        "escalation",
        "UPDATE content_notice SET look_at = now() WHERE notice_id = %s RETURNING 1 AS one",
        notice.notice_id,
    )
    await content(notices, notice.notice_id, KNOWN)

    assert told["content_state"] == "unknown"


async def test_a_notice_of_an_erased_generation_is_taken_and_says_so(notices: NoticeDesk) -> None:
    generation_id = await notices.generated()
    await notices.deployment.ask("generation", notices.subject, rights_pb2.RIGHT_DELETION)
    notice = await notices.submit(generation_id=generation_id)
    await content(notices, notice.notice_id, ERASED)
    await notices.decider.DecideNotice(notices.judgement(notice.notice_id, reasons="the content is gone already"))


@pytest.mark.clause("DSA 22")
async def test_dsa_22_notices_of_trusted_flaggers_come_first(notices: NoticeDesk) -> None:
    ordinary = await notices.submit()
    trusted = await notices.submit(trusted_flagger=True)
    listed = await notices.notices("auditor").ListNotices(notice_pb2.ListNoticesRequest(open_only=True))
    ours = [one.notice_id for one in listed.notices if one.product == notices.product]
    incident = (await notices.incident(trusted.incident_ids[0])).incident

    assert ours == [trusted.notice_id, ordinary.notice_id]
    assert "trusted flagger" in incident.title


@pytest.mark.clause("DSA 23")
async def test_dsa_23_unfounded_notices_count_and_who_is_suspended_is_refused_but_not_for_other_forms(
    notices: NoticeDesk,
) -> None:
    notices.subject = notices.notifier.removesuffix("-notifier")
    who = notices.notifier
    for _ in range(3):
        notice = await notices.submit()
        await notices.decider.DecideNotice(notices.judgement(notice.notice_id, NOT_ACTED, manifestly_unfounded=True))
    proposed = await notices.officer.ProposeSanction(disposal_pb2.ProposeSanctionRequest(subject=who))
    warning = notices.sanction(WARN)
    warning.subject = who
    await notices.officer.ImposeSanction(warning)
    limit = notices.sanction(LIMIT, functions=["notices"], until=datetime.now(UTC) + timedelta(days=1))
    limit.subject = who
    await notices.officer.ImposeSanction(limit)

    assert (proposed.unfounded, proposed.abuse) == (3, WARN)
    assert await refusal(notices.form.SubmitNotice(notices.notice())) == "NOTICE_CLOSED"
    assert await notices.submit(INTIMATE, signed=True, category="intimate_image")


@pytest.mark.clause("PIPL 45")
@pytest.mark.clause("PIPL 47")
async def test_who_gave_a_notice_is_given_it_and_erased_from_it(notices: NoticeDesk) -> None:
    early = notices.notice()
    open_, decided = await notices.submit(), await notices.submit(locations=[URL])
    await notices.decider.DecideNotice(notices.judgement(decided.notice_id))
    notices.subject, owner = notices.notifier, notices.subject
    access = await notices.ask(rights_pb2.RIGHT_ACCESS)
    items = await notices.export()
    answer = await notices.ask(rights_pb2.RIGHT_DELETION)
    notices.subject = owner
    rows = await left_of(notices)
    late = await refusal(notices.form.SubmitNotice(early))
    await notices.decider.DecideNotice(notices.judgement(open_.notice_id))
    texts = await notices.texts(open_.notice_id)

    assert counts(access) == {"notice": 2}
    told = {item.item_id: json.loads(item.json) for item in items}
    assert told[open_.notice_id]["explanation"] == WORDS
    assert "the-sealed-reasons" in told[decided.notice_id]["reasons"]
    assert answer.proof.outcome == rights_pb2.OUTCOME_RESTRICTED
    assert counts(answer) == {"notice_restricted": 2}
    for secret in (notices.notifier, "the-sealed-", URL):
        assert not [row for row in rows if secret in row]
    assert late == "SUBJECT_ERASED"
    assert "the-sealed-reasons" in texts.answer_en  # the answer is still owed


@pytest.mark.clause("PIPL 47")
async def test_pipl_47_a_notice_that_the_law_keeps_no_longer_is_emptied_once_it_is_decided(notices: NoticeDesk) -> None:
    open_, decided = await notices.submit(), await notices.submit()
    await notices.decider.DecideNotice(notices.judgement(decided.notice_id))
    notices.subject, owner = notices.notifier, notices.subject
    await notices.ask(rights_pb2.RIGHT_DELETION)
    notices.subject = owner
    await notices.deployment.rows(
        "escalation",
        "UPDATE content_notice SET restricted_until = now() - interval '1 second' WHERE product = %s"
        " RETURNING 1 AS one",
        notices.product,
    )
    query = "SELECT notice_id::text, sealed IS NULL AS gone, category FROM content_notice WHERE product = %s"

    async def gone() -> dict[str, bool]:
        return {
            row["notice_id"]: row["gone"] for row in await notices.deployment.rows("escalation", query, notices.product)
        }

    assert await until(gone, lambda found: found[decided.notice_id]) == {
        open_.notice_id: False, decided.notice_id: True,
    }  # fmt: skip
    assert await refusal(notices.texts(decided.notice_id)) == "NOTICE_UNKNOWN"


@pytest.mark.clause("DSA 15")
async def test_dsa_15_the_report_counts_notices_by_type_action_means_and_time(notices: NoticeDesk) -> None:
    start = datetime.now(UTC)
    acted = await notices.submit(trusted_flagger=True)
    await notices.removed(acted.notice_id)
    await notices.decider.DecideNotice(notices.judgement(acted.notice_id, ACTED, basis=TERMS, automated_means=True))
    other = await notices.submit(category="STATEMENT_CATEGORY_VIOLENCE")
    await notices.decider.DecideNotice(notices.judgement(other.notice_id))
    await notices.submit()
    await notices.submit(COMPLAINT, category="fraud")
    figures = await _figures(notices, start, disposal_pb2.DISPOSAL_REPORT_KIND_DSA)
    annual = await _figures(notices, start, disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL)

    assert figures["notices", "total"] == "3"
    assert figures["notices", "by trusted flaggers"] == "1"
    assert figures["notices by category", "STATEMENT_CATEGORY_VIOLENCE"] == "1"
    assert figures["notices by action", "on the basis of the terms"] == "1"
    assert (figures["notices by action", "none"], figures["notices by action", "waiting"]) == ("1", "1")
    assert figures["notices", "processed by automated means"] == "1"
    assert 0 <= int(figures["notices", "median seconds until action"]) < 60
    assert (annual["举报", "受理"], annual["举报", "已处置"], annual["举报", "未处置"], annual["举报", "办理中"]) == (
        "4", "1", "1", "2",
    )  # fmt: skip


async def test_a_disposal_cannot_rest_on_a_notice_that_there_is_not(notices: NoticeDesk) -> None:
    order = notices.order(disposal_pb2.MEASURE_REMOVE)
    order.grounds.notice_id = command_id()

    assert await refusal(notices.officer.OrderDisposal(order)) == "NOTICE_UNKNOWN"
    assert await refusal(notices.decider.DecideNotice(notices.judgement(command_id()))) == "NOTICE_UNKNOWN"
    assert await refusal(notices.sent(command_id(), CONFIRMATION)) == "NOTICE_UNKNOWN"
    assert await refusal(notices.form.DecideNotice(notices.judgement(command_id()))) == "WRONG_ROLE"


async def _figures(desk: NoticeDesk, start: datetime, kind: Any) -> dict[tuple[str, str], str]:
    request = disposal_pb2.ExportDisposalReportRequest(
        to=stamp(datetime.now(UTC)), kind=kind, format=disposal_pb2.DISPOSAL_REPORT_FORMAT_CSV
    )
    getattr(request, "from").CopyFrom(stamp(start))
    pieces = [piece.content async for piece in desk.stub("auditor").ExportDisposalReport(request)]
    text = b"".join(pieces).decode("utf-8-sig")
    return {(row[0], row[1]): row[2] for row in csv.reader(io.StringIO(text))}
