"""Reports as persons make them: edited, compared, approved by another one, sent as a file, confirmed."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docx
import grpc
import pypdf
import pytest
from candor.escalation.v1 import facts_pb2, model_pb2, report_pb2, service_pb2
from candor_cli.session import command_id
from candor_kit.errors import Refusal

from .desk import Desk, stamp, values

CAC_ADDRESS = "12387@cert.org.cn"


async def refused(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    refusal = Refusal.from_rpc(error.value)
    return refusal.reason if refusal else error.value.code().name


async def leak(desk: Desk) -> tuple[str, model_pb2.Clock]:
    """An incident that another network operator has to report within four hours."""
    facts: dict[str, str | float | bool] = {
        "personal_information": True,
        "risk_unlikely": False,
        "persons": 2_000_000.0,
        "system": "备份存储桶",
    }
    reported = await desk.report("pi_leak", facts, aware=datetime.now(UTC) - timedelta(minutes=5))
    return reported.incident_id, await desk.clock(reported.incident_id, "cn.incident-reporting", "other")


async def edit(desk: Desk, clock_id: str, by: str = "li", remark: str = "", **fields: Any) -> Any:
    request = report_pb2.EditDraftRequest(command_id=command_id(), clock_id=clock_id, fields=values(fields))
    if remark:
        request.remark.zh = remark
    return await desk.reports("on_call", name=by).EditDraft(request)


async def approve(desk: Desk, clock_id: str, revision: int, by: str) -> Any:
    request = report_pb2.ApproveReportRequest(command_id=command_id(), clock_id=clock_id, revision=revision)
    return await desk.reports("privacy_officer", name=by).ApproveReport(request)


async def shown(desk: Desk, clock_id: str) -> Any:
    return await desk.reports("auditor").GetReport(report_pb2.GetReportRequest(clock_id=clock_id))


async def file(desk: Desk, **wanted: Any) -> tuple[Any, bytes]:
    pieces = [piece async for piece in desk.reports("auditor").GetReportFile(report_pb2.GetReportFileRequest(**wanted))]
    return pieces[0], b"".join(piece.content for piece in pieces)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


async def test_what_a_person_fills_in_is_a_fact_a_new_revision_and_a_difference(desk: Desk) -> None:
    incident_id, clock = await leak(desk)
    await desk.draft(clock.clock_id)
    edited = await edit(desk, clock.clock_id, cause="配置错误", effects="两百万人", remark="后续补报")
    report = await shown(desk, clock.clock_id)
    compared = await desk.reports("auditor").CompareDrafts(
        report_pb2.CompareDraftsRequest(clock_id=clock.clock_id, from_revision=1, to_revision=2, locale="en")
    )

    assert [draft.revision for draft in edited.drafts] == [2, 2]
    assert "cause" not in edited.drafts[0].missing
    facts = {fact.name: fact for fact in (await desk.incident(incident_id)).facts}
    assert (facts["cause"].value.string_value, facts["cause"].recorded_by, facts["cause"].source) == (
        "配置错误",
        "li",
        "report",
    )
    assert {(change.name, change.before, change.after) for change in report.changes if change.locale == "zh"} == {
        ("cause", "", "配置错误"),
        ("effects", "", "两百万人"),
        ("remark", "", "后续补报"),
    }
    assert {(change.name, change.label) for change in compared.changes} == {
        ("cause", "Cause"),
        ("effects", "Effects so far"),
    }
    gdpr = await desk.clock(incident_id, "eu.gdpr.33", "authority")
    assert "补充说明" not in (await desk.draft(gdpr.clock_id))["zh"].text
    assert "补充说明：后续补报" in (await desk.draft(clock.clock_id))["zh"].text  # the remark stays


async def test_a_field_that_is_not_of_the_form_is_refused_and_nothing_is_recorded(desk: Desk) -> None:
    incident_id, clock = await leak(desk)

    assert await refused(edit(desk, clock.clock_id, cause="x", recipient="me")) == "FIELD_UNKNOWN"
    assert await refused(edit(desk, clock.clock_id, operator_name="another")) == "FIELD_UNKNOWN"
    assert await refused(edit(desk, clock.clock_id, persons="many")) == "FIELD_UNKNOWN"
    assert "cause" not in {fact.name for fact in (await desk.incident(incident_id)).facts}
    assert list((await shown(desk, clock.clock_id)).drafts) == []


async def test_another_person_approves_the_latest_revision_before_it_is_sent(desk: Desk) -> None:
    incident_id, clock = await leak(desk)
    await edit(desk, clock.clock_id, by="li", cause="配置错误")
    await edit(desk, clock.clock_id, by="wang", effects="无")

    assert await refused(approve(desk, clock.clock_id, 1, "zhao")) == "SUPERSEDED"
    assert await refused(approve(desk, clock.clock_id, 2, "wang")) == "SAME_PERSON"
    assert await refused(approve(desk, clock.clock_id, 2, "li")) == "SAME_PERSON"
    assert await refused(desk.submit(clock.clock_id, 2, unapproved_reason="")) == "NOT_APPROVED"
    assert (await approve(desk, clock.clock_id, 2, "zhao")).approval.approved_by == "zhao"
    assert (await approve(desk, clock.clock_id, 2, "qian")).approval.approved_by == "zhao"  # the first one counts
    await desk.submit(clock.clock_id, 2, unapproved_reason="")
    report = await shown(desk, clock.clock_id)

    assert [(approval.revision, approval.approved_by) for approval in report.approvals] == [(2, "zhao")]
    assert (report.submissions[0].approved_by, report.submissions[0].unapproved_reason) == ("zhao", "")
    assert report.submissions[0].kind == model_pb2.REPORT_KIND_FIRST
    assert report.timeliness.punctuality == report_pb2.PUNCTUALITY_IN_TIME
    told = await desk.deployment.facts(
        "escalation", facts_pb2.ReportApproved, lambda fact: fact.clock_id == clock.clock_id
    )
    assert [(fact.incident_id, fact.revision, fact.approved_by) for fact in told] == [(incident_id, 2, "zhao")]


async def test_a_change_after_the_approval_voids_it_and_a_reason_lets_it_go(desk: Desk) -> None:
    _, clock = await leak(desk)
    await edit(desk, clock.clock_id, cause="配置错误")
    await approve(desk, clock.clock_id, 1, "zhao")
    await edit(desk, clock.clock_id, cause="另有原因")

    assert await refused(desk.submit(clock.clock_id, 2, unapproved_reason=" ")) == "NOT_APPROVED"
    await desk.submit(clock.clock_id, 2, unapproved_reason="Ten minutes were left and nobody else was awake.")
    sent = (await shown(desk, clock.clock_id)).submissions[0]

    assert (sent.approved_by, sent.unapproved_reason) == ("", "Ten minutes were left and nobody else was awake.")
    told = await desk.deployment.facts(
        "escalation",
        facts_pb2.ReportSubmitted,
        lambda fact: fact.submission.submission_id == sent.submission_id,
    )
    assert [fact.submission.unapproved_reason for fact in told] == [sent.unapproved_reason]


async def test_the_files_say_what_is_known_and_what_is_missing(desk: Desk) -> None:
    _, clock = await leak(desk)
    hostile = '</td><script>alert(1)</script> #read("/etc/passwd")'
    drafted = (await edit(desk, clock.clock_id, cause=hostile, remark="补充说明文字")).drafts[0]
    head, content = await file(desk, clock_id=clock.clock_id, locale="zh")
    _, again = await file(desk, clock_id=clock.clock_id, revision=1, locale="zh", format=model_pb2.FILE_FORMAT_PDF)
    _, page = await file(desk, clock_id=clock.clock_id, locale="en", format=model_pb2.FILE_FORMAT_HTML)
    word_head, word = await file(desk, clock_id=clock.clock_id, locale="zh", format=model_pb2.FILE_FORMAT_DOCX)
    _, text = await file(desk, clock_id=clock.clock_id, locale="zh", format=model_pb2.FILE_FORMAT_TEXT)
    read = squeezed("".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(content)).pages))

    assert head.media_type == "application/pdf"
    assert head.file_name == f"report-{clock.clock_id}-1.zh.pdf"
    assert (head.size, head.sha256) == (len(content), hashlib.sha256(content).digest())
    assert content == again
    for words in (
        "备份存储桶",
        "属地省级网信部门",
        "【待补：事件类型】",
        "尚缺的项目",
        "补充说明文字",
        squeezed(hostile),
    ):
        assert words in read
    assert b"&lt;script&gt;" in page
    assert b"<script" not in page
    assert b"Still missing" in page
    cells = [cell.text for table in docx.Document(io.BytesIO(word)).tables for row in table.rows for cell in row.cells]
    assert "【待补：事件类型】" in cells
    assert word_head.media_type.endswith("wordprocessingml.document")
    assert (text.decode(), hashlib.sha256(text).digest()) == (drafted.text, drafted.sha256)


async def test_what_was_sent_and_its_proof_are_on_record_by_their_digests(desk: Desk) -> None:
    incident_id, clock = await leak(desk)
    await edit(desk, clock.clock_id, cause="配置错误")
    await approve(desk, clock.clock_id, 1, "zhao")
    submission_id = await desk.submit(clock.clock_id, 1, unapproved_reason="", file_format=model_pb2.FILE_FORMAT_PDF)
    _, drafted = await file(desk, clock_id=clock.clock_id, locale="zh")
    head, sent = await file(desk, submission_id=submission_id)
    proof = hashlib.sha256(b"a screenshot").digest()
    request = service_pb2.RecordReceiptRequest(
        command_id=command_id(),
        submission_id=submission_id,
        reference="12387-2026-0002",
        received_at=stamp(datetime.now(UTC)),
        proof_sha256=proof,
        proof_size=12,
        proof_media_type="image/png",
    )
    await desk.stub("on_call", name="wang").RecordReceipt(request)
    submission = (await desk.incident(incident_id)).submissions[0]

    assert sent == drafted
    assert (submission.sha256, submission.media_type) == (hashlib.sha256(sent).digest(), "application/pdf")
    assert head.sha256 == submission.sha256
    receipt = submission.receipt
    assert (receipt.reference, receipt.recorded_by) == ("12387-2026-0002", "wang")
    assert (receipt.proof_sha256, receipt.proof_size, receipt.proof_media_type) == (proof, 12, "image/png")


async def test_a_supplement_and_a_final_report_follow_the_receipt(desk: Desk) -> None:
    _, clock = await leak(desk)
    await desk.draft(clock.clock_id)

    async def follow(kind: model_pb2.ReportKind.ValueType) -> Any:
        request = service_pb2.DraftReportRequest(command_id=command_id(), clock_id=clock.clock_id, kind=kind)
        return await desk.stub("on_call").DraftReport(request)

    assert await refused(follow(model_pb2.REPORT_KIND_SUPPLEMENT)) == "KIND_OUT_OF_ORDER"
    first = await desk.submit(clock.clock_id, 1)
    assert await refused(follow(model_pb2.REPORT_KIND_FIRST)) == "KIND_OUT_OF_ORDER"
    await desk.receipt(first)
    stopped = await shown(desk, clock.clock_id)
    supplement = (await follow(model_pb2.REPORT_KIND_SUPPLEMENT)).drafts[0]
    second = await desk.submit(clock.clock_id, supplement.revision)
    await desk.receipt(second)
    final = (await follow(model_pb2.REPORT_KIND_FINAL)).drafts[0]
    report = await shown(desk, clock.clock_id)

    assert "（补充报告）" in supplement.text
    assert final.kind == model_pb2.REPORT_KIND_FINAL
    assert [sent.receipt.reference for sent in report.submissions] == ["12387-2026-0001"] * 2
    assert report.clock.stopped_at == stopped.clock.stopped_at  # the first receipt stopped it
    assert await refused(desk.receipt(second)) == "RECEIPT_EXISTS"
    assert await refused(desk.receipt(first)) == "CLOCK_STOPPED"


async def test_a_name_stops_no_clock(desk: Desk) -> None:
    _, clock = await leak(desk)

    async def decide(by: str, named: str) -> model_pb2.ClockState.ValueType:
        request = service_pb2.DecideNotToReportRequest(
            command_id=command_id(), clock_id=clock.clock_id, reason="It was a drill.", approved_by=named
        )
        return (await desk.stub("privacy_officer", name=by).DecideNotToReport(request)).state  # type: ignore[no-any-return]

    async def approve_it(by: str, proposal_id: str, role: str = "privacy_officer") -> Any:
        request = report_pb2.ApproveNotToReportRequest(command_id=command_id(), proposal_id=proposal_id)
        return await desk.reports(role, name=by).ApproveNotToReport(request)

    async def propose() -> str:
        request = report_pb2.ProposeNotToReportRequest(
            command_id=command_id(), clock_id=clock.clock_id, reason="It was a drill after all."
        )
        return str((await desk.reports("on_call", name="li").ProposeNotToReport(request)).proposal.proposal_id)

    assert await decide("li", "wang") == model_pb2.CLOCK_STATE_RUNNING
    assert await decide("zhao", "li") == model_pb2.CLOCK_STATE_RUNNING  # was not asked: a proposal of its own
    first, second = await propose(), await propose()
    assert await refused(approve_it("wang", first)) == "SUPERSEDED"
    assert await refused(approve_it("li", second)) == "SAME_PERSON"
    assert await refused(approve_it("wang", second, "on_call")) == "WRONG_ROLE"
    assert await refused(approve_it("wang", command_id())) == "PROPOSAL_UNKNOWN"
    assert (await shown(desk, clock.clock_id)).clock.state == model_pb2.CLOCK_STATE_RUNNING
    assert await decide("li", "wang") == model_pb2.CLOCK_STATE_RUNNING
    assert await decide("wang", "li") == model_pb2.CLOCK_STATE_NOT_REPORTED  # who was asked names who asked
    decided = await desk.deployment.facts(
        "escalation", facts_pb2.NotReportingDecided, lambda fact: fact.clock_id == clock.clock_id
    )
    proposed = await desk.deployment.facts(
        "escalation", facts_pb2.NotReportingProposed, lambda fact: fact.clock_id == clock.clock_id, count=5
    )
    assert [(fact.decided_by, fact.approved_by) for fact in decided] == [("li", "wang")]
    assert [fact.proposed_by for fact in proposed] == ["li", "zhao", "li", "li", "li"]


async def test_two_approvals_at_once_decide_once(desk: Desk) -> None:
    _, clock = await leak(desk)
    request = report_pb2.ProposeNotToReportRequest(
        command_id=command_id(), clock_id=clock.clock_id, reason="It was a drill after all."
    )
    proposal = (await desk.reports("on_call", name="li").ProposeNotToReport(request)).proposal

    async def approve_it(by: str) -> str:
        approval = report_pb2.ApproveNotToReportRequest(command_id=command_id(), proposal_id=proposal.proposal_id)
        try:
            await desk.reports("privacy_officer", name=by).ApproveNotToReport(approval)
        except grpc.aio.AioRpcError as error:
            refusal = Refusal.from_rpc(error)
            return refusal.reason if refusal else ""
        return "approved"

    outcomes = await asyncio.gather(*(approve_it(by) for by in ("wang", "zhao", "qian")))
    assert sorted(outcomes) == ["CLOCK_STOPPED", "CLOCK_STOPPED", "approved"]


async def test_the_ways_to_send_name_the_address_and_each_step(desk: Desk) -> None:
    incident_id, clock = await leak(desk)
    found = await desk.reports("on_call").ListChannels(report_pb2.ListChannelsRequest(clock_id=clock.clock_id))
    gdpr = await desk.clock(incident_id, "eu.gdpr.33", "authority")
    other = await desk.reports("on_call").ListChannels(report_pb2.ListChannelsRequest(clock_id=gdpr.clock_id))
    addresses = {channel.name: channel.address for channel in found.channels}

    assert found.recipient.zh == "属地省级网信部门"
    assert set(addresses) == {"phone", "portal", "wechat", "wechat-mini-program", "email", "fax"}
    assert (addresses["phone"], addresses["email"]) == ("12387", CAC_ADDRESS)
    assert all(len(channel.steps) >= 5 and channel.source for channel in found.channels)
    assert all(step.zh and step.en for channel in found.channels for step in channel.steps)
    assert {channel.address for channel in other.channels} == {""}


async def test_what_does_not_exist_is_not_shown(desk: Desk) -> None:
    unknown = command_id()
    assert await refused(shown(desk, unknown)) == "CLOCK_UNKNOWN"
    assert await refused(file(desk, clock_id=unknown, locale="zh")) == "DRAFT_UNKNOWN"
    assert await refused(file(desk, submission_id=unknown)) == "SUBMISSION_UNKNOWN"
    assert await refused(file(desk, clock_id=unknown)) == "INVALID_FIELD"
    assert await refused(approve(desk, unknown, 1, "li")) == "CLOCK_UNKNOWN"


async def candor(desk: Desk, *words: str, by: str = "li", role: str = "on_call") -> tuple[int, bytes, bytes]:
    environment = {
        **os.environ,
        "CANDOR_ESCALATION_ADDRESS": desk.deployment.description.services["escalation"].grpc,
        "CANDOR_TOKEN": desk.deployment.token(role, name=by),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "candor_cli",
        "report",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out, err


async def test_the_whole_report_from_the_command_line(desk: Desk, tmp_path: Path) -> None:
    _, clock = await leak(desk)
    target, proof = tmp_path / "report.pdf", tmp_path / "receipt.png"
    proof.write_bytes(b"a picture")
    code, out, _ = await candor(
        desk, "draft", clock.clock_id, "--set", "cause=配置错误", "--remark-zh", "说明", "--json"
    )
    assert (code, len(json.loads(out)["drafts"])) == (0, 2)
    code, _, err = await candor(desk, "approve", clock.clock_id, "--revision", "1")
    assert (code, b"SAME_PERSON" in err) == (2, True)
    assert (await candor(desk, "approve", clock.clock_id, "--revision", "1", by="zhao"))[0] == 0
    assert (await candor(desk, "show", clock.clock_id, "--format", "pdf", "--output", str(target)))[0] == 0
    code, out, err = await candor(desk, "submit", clock.clock_id, "--channel", "email", "--format", "pdf")
    assert (code, err) == (0, b"")
    code, out, _ = await candor(desk, "receipt", clock.clock_id, "--reference", "R-1", "--proof", str(proof))
    assert (code, out) == (0, b"the clock is receipted\n")
    code, out, _ = await candor(desk, "show", clock.clock_id, role="auditor")

    report = await shown(desk, clock.clock_id)
    assert report.submissions[0].sha256 == hashlib.sha256(target.read_bytes()).digest()
    assert report.submissions[0].receipt.proof_sha256 == hashlib.sha256(b"a picture").digest()
    assert report.submissions[0].receipt.proof_media_type == "image/png"
    for words in ("in_time", "revision 1 zh (first) by li", "approved by zhao", "receipt R-1"):
        assert words in out.decode()
    code, out, _ = await candor(desk, "channels", clock.clock_id)
    assert CAC_ADDRESS in out.decode()
