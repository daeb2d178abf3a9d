"""A drill as people go through it: paged, drafted, approved, recorded as sent, receipted, timed; nothing goes out."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docx
import grpc
import httpx
import pypdf
import pytest
from candor.escalation.v1 import (
    disposal_pb2,
    disposal_pb2_grpc,
    drill_pb2,
    drill_pb2_grpc,
    facts_pb2,
    model_pb2,
    register_pb2,
    register_pb2_grpc,
    report_pb2,
    service_pb2,
)
from candor_cli.session import command_id
from candor_escalation.domain.drill import MARK
from candor_kit.errors import Refusal
from google.protobuf import json_format

from .conftest import Channels
from .desk import ONE_LAW, Desk, Told, instant, values
from .test_acts import acts_of

DONE = [
    drill_pb2.DRILL_STEP_KIND_PAGED,
    drill_pb2.DRILL_STEP_KIND_ACKNOWLEDGED,
    drill_pb2.DRILL_STEP_KIND_DRAFTED,
    drill_pb2.DRILL_STEP_KIND_APPROVED,
    drill_pb2.DRILL_STEP_KIND_SUBMITTED,
    drill_pb2.DRILL_STEP_KIND_RECEIPTED,
]
REPORT = DONE[2:]
REASON = "The rehearsal ends with the shift."


def drills(desk: Desk, *roles: str, name: str = "lead") -> Any:
    return drill_pb2_grpc.DrillServiceStub(desk.deployment.channel("escalation", *(roles or ("on_call",)), name=name))


def told(
    kind: str = "illegal_content", facts: dict[str, Told] | None = None, anchor: str = "found", ago: int = 0
) -> drill_pb2.DrillScenario:
    return drill_pb2.DrillScenario(
        kind=kind,
        title="An output that is said to be unlawful",
        facts=values(ONE_LAW if facts is None else facts),
        anchors=[drill_pb2.DrillAnchor(name=anchor, minutes_ago=ago, evidence="a rehearsal")],
    )


async def start(desk: Desk, scenario: drill_pb2.DrillScenario | None = None) -> drill_pb2.StartDrillResponse:
    request = drill_pb2.StartDrillRequest(command_id=command_id(), scenario="own", told=scenario or told())
    answer: drill_pb2.StartDrillResponse = await drills(desk).StartDrill(request)
    return answer


async def end(desk: Desk, incident_id: str, reason: str = REASON) -> drill_pb2.Drill:
    request = drill_pb2.EndDrillRequest(command_id=command_id(), incident_id=incident_id, reason=reason)
    answer: drill_pb2.EndDrillResponse = await drills(desk).EndDrill(request)
    return answer.drill


async def shown(desk: Desk, incident_id: str) -> drill_pb2.Drill:
    answer = await drills(desk, "auditor").GetDrill(drill_pb2.GetDrillRequest(incident_id=incident_id))
    found: drill_pb2.Drill = answer.drill
    return found


async def refused(call: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    refusal = Refusal.from_rpc(error.value)
    assert refusal is not None, error.value
    return refusal


async def file(desk: Desk, clock_id: str, file_format: Any) -> tuple[str, bytes]:
    request = report_pb2.GetReportFileRequest(clock_id=clock_id, locale="zh", format=file_format)
    pieces = [piece async for piece in desk.reports("auditor").GetReportFile(request)]
    return pieces[0].file_name, b"".join(piece.content for piece in pieces)


async def entry_of(desk: Desk, entry_id: str) -> register_pb2.RegisterEntry:
    stub = register_pb2_grpc.RegisterServiceStub(desk.deployment.channel("escalation", "auditor"))
    (version,) = (await stub.GetEntry(register_pb2.GetEntryRequest(entry_id=entry_id))).versions
    found: register_pb2.RegisterEntry = version
    return found


async def about(desk: Desk, kind: Any, incident_id: str) -> Any:
    """The fact of a drill's incident."""
    (fact,) = await desk.deployment.facts("escalation", kind, lambda fact: fact.drill.incident_id == incident_id)
    return fact.drill


async def acknowledged(channels: Channels, incident_id: str) -> None:
    """The page, and what is behind its link; acknowledged there."""
    (page,) = await channels.wait(incident_id, "duty-officer")
    assert (page["drill"], page["text"].startswith(MARK)) == (True, True)
    async with httpx.AsyncClient() as browser:
        before = await browser.get(page["ack_url"])
        after = await browser.post(page["ack_url"])
    for answer in (before, after):
        assert f"<title>{MARK}" in answer.text
        assert answer.text.index("<strong>演练</strong>") < answer.text.index("<h1>")


async def drafted(desk: Desk, clock_id: str) -> int:
    """The report in every form of it; its revision."""
    draft = (await desk.draft(clock_id))["zh"]
    assert (draft.text.startswith(MARK), draft.text.rstrip().endswith("不得报送。")) == (True, True)
    name, pdf = await file(desk, clock_id, model_pb2.FILE_FORMAT_PDF)
    assert name.startswith("DRILL-no-report-")
    assert all("并非报告" in page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    _, word = await file(desk, clock_id, model_pb2.FILE_FORMAT_DOCX)
    (section,) = docx.Document(io.BytesIO(word)).sections
    assert "并非报告" in section.header.paragraphs[0].text
    _, html = await file(desk, clock_id, model_pb2.FILE_FORMAT_HTML)
    assert html.decode().count("并非报告") == 2
    return draft.revision


async def approved(desk: Desk, clock_id: str, revision: int) -> None:
    """Approved by a second person, not by who wrote it."""
    request = report_pb2.ApproveReportRequest(command_id=command_id(), clock_id=clock_id, revision=revision)
    assert (await refused(desk.reports("on_call", name="someone").ApproveReport(request))).reason == "SAME_PERSON"
    request.command_id = command_id()
    await desk.reports("privacy_officer", name="wang").ApproveReport(request)


@pytest.mark.clause("PIPL 51(5)", "GDPR 32(1)(d)")
async def test_a_whole_drill_is_marked_at_every_step_and_timed(desk: Desk, channels: Channels) -> None:
    begun = await start(desk, told(ago=3))
    (clock_id,) = begun.clock_ids
    await acknowledged(channels, begun.incident_id)
    revision = await drafted(desk, clock_id)
    ways = await desk.reports("auditor").ListChannels(report_pb2.ListChannelsRequest(clock_id=clock_id))
    await approved(desk, clock_id, revision)
    half = await shown(desk, begun.incident_id)
    await desk.receipt(await desk.submit(clock_id, revision, unapproved_reason=""))
    found = await desk.incident(begun.incident_id)
    over = await shown(desk, begun.incident_id)

    assert ways.channels
    for way in ways.channels:
        assert (way.address, way.automatic, "do not call" in way.steps[0].en) == ("", False, True)
    assert (half.state, list(half.not_done), half.entry_id) == (drill_pb2.DRILL_STATE_RUNNING, DONE[4:], "")
    (submission,) = found.submissions
    assert (submission.drill, submission.approved_by) == (True, "wang")
    assert submission.receipt.reference == f"{MARK}: 12387-2026-0001"
    assert (found.incident.state, found.incident.drill) == (model_pb2.INCIDENT_STATE_CLOSED, True)
    assert (over.state, list(over.not_done), over.ended_by) == (drill_pb2.DRILL_STATE_COMPLETED, [], "")
    assert [step.kind for step in over.steps] == [step.kind for step in over.clocks[0].steps] == DONE
    assert all(step.punctuality == report_pb2.PUNCTUALITY_IN_TIME for step in over.steps)
    for step in over.clocks[0].steps:
        assert step.seconds == int((instant(step.at) - instant(over.started_at)).total_seconds())
        assert step.seconds_left == int((instant(over.clocks[0].strict_due) - instant(step.at)).total_seconds())


async def test_a_drill_is_in_the_log_of_acts_and_its_result_in_the_register(desk: Desk) -> None:
    begun = await start(desk)
    (clock_id,) = begun.clock_ids
    draft = (await desk.draft(clock_id))["zh"]
    await desk.receipt(await desk.submit(clock_id, draft.revision))
    over = await shown(desk, begun.incident_id)
    opened = await desk.deployment.facts(
        "escalation", facts_pb2.IncidentOpened, lambda fact: fact.incident.incident_id == begun.incident_id
    )
    clocks = await desk.deployment.facts(
        "escalation", facts_pb2.ClockStarted, lambda fact: fact.clock.clock_id == clock_id
    )
    acts = [act.type.rpartition(".")[2] for act in await acts_of(desk, begun.incident_id)]
    entry = await entry_of(desk, over.entry_id)
    kept: dict[str, Any] = {name: json_format.MessageToDict(value) for name, value in entry.fields.items()}

    assert (opened[0].incident.drill, clocks[0].clock.drill) == (True, True)
    assert opened[0].incident.title == f"【{MARK}】An output that is said to be unlawful"
    assert (await about(desk, facts_pb2.DrillStarted, begun.incident_id)).started_by == "lead"
    assert (await about(desk, facts_pb2.DrillEnded, begun.incident_id)) == over
    wanted = ["IncidentOpened", "DrillStarted", "ReportSubmitted", "ReceiptRecorded", "IncidentClosed", "DrillEnded"]
    assert [kind for kind in acts if kind in wanted] == wanted
    assert (entry.register, entry.state) == (register_pb2.REGISTER_DRILL, "completed")
    assert entry.incident_id == begun.incident_id
    assert [step["seconds_left"] for step in kept["clocks"][0]["steps"]] == [
        step.seconds_left for step in over.clocks[0].steps
    ]
    assert (kept["scenario"], kept["started_by"]) == ("own", "lead")
    assert set(kept["not_done"]) - {"paged", "acknowledged"} == {"approved"}


async def test_nothing_of_a_drill_leaves_the_company(desk: Desk) -> None:
    begun = await start(desk)
    order = disposal_pb2.OrderDisposalRequest(
        command_id=command_id(),
        measure=disposal_pb2.MEASURE_REMOVE,
        product="chat",
        generation_id="01900000-0000-7000-8000-000000000001",
        grounds=disposal_pb2.Grounds(
            legal_basis="服务协议第5条",
            facts="as the scenario says",
            reason="属于虚假信息",
            incident_id=begun.incident_id,
        ),
    )
    stub = desk.deployment.channel("escalation", "privacy_officer", name="li")

    assert (await refused(disposal_pb2_grpc.DisposalServiceStub(stub).OrderDisposal(order))).reason == "ONLY_A_DRILL"
    await end(desk, begun.incident_id)
    await about(desk, facts_pb2.DrillEnded, begun.incident_id)
    of_drill = [act.type.rpartition(".")[2] for act in await acts_of(desk, begun.incident_id)]
    assert not {"DisposalOrdered", "DisposalAsked", "ModelDeletionOrdered", "ReportSubmitted"} & set(of_drill)
    assert (
        await desk.deployment.rows(
            "escalation", "SELECT 1 FROM evidence_hold WHERE incident_id = %s", begun.incident_id
        )
        == []
    )
    assert (
        await desk.deployment.rows("escalation", "SELECT 1 FROM disposal WHERE incident_id = %s", begun.incident_id)
        == []
    )


async def test_a_real_signal_is_never_read_into_a_drill_nor_a_drill_into_an_incident(desk: Desk) -> None:
    key = command_id()
    before = await desk.report("illegal_content", dict(ONE_LAW), key, found=datetime.now(UTC))
    first, second = await start(desk), await start(desk)
    after = await desk.report("illegal_content", dict(ONE_LAW), key, found=datetime.now(UTC))
    fresh = await desk.report("illegal_content", dict(ONE_LAW), command_id(), found=datetime.now(UTC))

    assert after.incident_id == before.incident_id
    assert len({before.incident_id, fresh.incident_id, first.incident_id, second.incident_id}) == 4
    assert not (await desk.incident(fresh.incident_id)).incident.drill
    for drill in (first, second):
        incident = (await desk.incident(drill.incident_id)).incident
        assert (incident.drill, incident.signals) == (True, 1)
        await end(desk, drill.incident_id)


async def test_a_drill_is_ended_early_its_clocks_fall_and_what_was_not_done_stands_there(desk: Desk) -> None:
    begun = await start(desk)
    ended = await end(desk, begun.incident_id)
    found = await desk.incident(begun.incident_id)
    (clock,) = found.clocks

    assert (ended.state, ended.ended_by, ended.reason) == (drill_pb2.DRILL_STATE_ENDED, "lead", REASON)
    assert set(REPORT) <= set(ended.not_done)
    assert clock.state == model_pb2.CLOCK_STATE_FALLEN
    assert (clock.history[-1].cause, clock.history[-1].reason, clock.history[-1].changed_by) == (
        "drill_ended", REASON, "lead",
    )  # fmt: skip
    assert [milestone for milestone in clock.milestones if not milestone.HasField("reached_at")] == []
    assert found.incident.state == model_pb2.INCIDENT_STATE_CLOSED
    assert (await entry_of(desk, ended.entry_id)).state == "ended"
    more = service_pb2.RecordFactsRequest(
        command_id=command_id(), incident_id=begun.incident_id, facts=values({"unlawful": True}), source="on-call"
    )
    assert (await refused(desk.stub("on_call").RecordFacts(more))).reason == "INCIDENT_CLOSED"


async def test_a_drill_of_several_laws_is_timed_clock_by_clock(desk: Desk) -> None:
    request = drill_pb2.StartDrillRequest(command_id=command_id(), scenario="pi_leak")
    begun = await drills(desk).StartDrill(request)
    assert len(begun.clock_ids) > 1
    draft = (await desk.draft(begun.clock_ids[0]))["en"]
    assert f"[{MARK}]" not in draft.text
    assert draft.text.startswith(MARK)
    decided = begun.clock_ids[1]
    await desk.not_report(decided, by="li", approved_by="wang")
    running = await shown(desk, begun.incident_id)
    await end(desk, begun.incident_id)
    over = await shown(desk, begun.incident_id)
    by_id = {clock.clock_id: clock for clock in over.clocks}

    assert set(REPORT[1:]) == set(by_id[begun.clock_ids[0]].not_done) - set(DONE[:2])
    assert set(by_id[decided].not_done) <= set(DONE[:2])
    assert by_id[decided].state == model_pb2.CLOCK_STATE_NOT_REPORTED
    assert set(REPORT) <= set(running.not_done) == set(over.not_done) | set(running.not_done)


async def test_a_drill_that_is_over_does_not_start_again_by_what_follows_a_report(desk: Desk) -> None:
    begun = await drills(desk).StartDrill(drill_pb2.StartDrillRequest(command_id=command_id(), scenario="pi_leak"))
    (first, *_) = begun.clock_ids
    await desk.receipt(await desk.submit(first, (await desk.draft(first))["zh"].revision))
    ended = await end(desk, begun.incident_id)
    request = service_pb2.DraftReportRequest(
        command_id=command_id(), clock_id=first, kind=model_pb2.REPORT_KIND_SUPPLEMENT
    )
    supplement = (await desk.stub("on_call").DraftReport(request)).drafts[0]
    await desk.submit(first, supplement.revision)

    clocks = (await desk.incident(begun.incident_id)).clocks
    assert model_pb2.CLOCK_STATE_RUNNING not in {clock.state for clock in clocks}
    assert model_pb2.CLOCK_STATE_FALLEN in {clock.state for clock in clocks}
    assert await shown(desk, begun.incident_id) == ended


async def test_a_scenario_that_is_late_from_the_start_is_told_as_late(desk: Desk) -> None:
    leak: dict[str, Told] = {"personal_information": True, "risk_unlikely": False, "persons": 2_000_000.0}
    begun = await start(desk, told("pi_leak", leak, "aware", ago=5 * 60))
    ended = await end(desk, begun.incident_id)
    times = {(clock.pack_id, clock.obligation_id): clock for clock in ended.clocks}
    report = times["cn.incident-reporting", "other"]  # within four hours

    assert {step.punctuality for step in report.steps} == {report_pb2.PUNCTUALITY_LATE}
    assert all(step.seconds_left <= -3600 for step in report.steps)
    in_all = {step.kind: step for step in ended.steps}
    assert in_all[drill_pb2.DRILL_STEP_KIND_SUBMITTED].punctuality == report_pb2.PUNCTUALITY_LATE


async def test_what_cannot_be_ended_or_started_is_refused_with_its_reason(desk: Desk) -> None:
    unknown = drill_pb2.StartDrillRequest(command_id=command_id(), scenario="earthquake")
    refusal = await refused(drills(desk).StartDrill(unknown))
    assert (refusal.reason, "pi_leak" in str(refusal)) == ("SCENARIO_UNKNOWN", True)
    bare = drill_pb2.StartDrillRequest(command_id=command_id(), scenario="own", told=drill_pb2.DrillScenario(kind="X"))
    refusal = await refused(drills(desk).StartDrill(bare))
    assert {violation.field for violation in refusal.violations} == {"told.kind", "told.title", "told.anchors"}
    nobody = "01900000-0000-7000-8000-000000000001"
    assert (await refused(end(desk, nobody))).reason == "DRILL_UNKNOWN"
    assert (await refused(shown(desk, nobody))).reason == "DRILL_UNKNOWN"
    real = await desk.report("illegal_content", dict(ONE_LAW), found=datetime.now(UTC))
    assert (await refused(end(desk, real.incident_id))).reason == "NOT_A_DRILL"
    assert (await refused(shown(desk, real.incident_id))).reason == "NOT_A_DRILL"
    begun = await start(desk)
    await end(desk, begun.incident_id)
    assert (await refused(end(desk, begun.incident_id))).reason == "DRILL_ENDED"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await drills(desk, "auditor").StartDrill(
            drill_pb2.StartDrillRequest(command_id=command_id(), scenario="own", told=told())
        )
    assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_a_command_that_is_repeated_starts_one_drill_only(desk: Desk) -> None:
    request = drill_pb2.StartDrillRequest(command_id=command_id(), scenario="own", told=told())
    first, again = await drills(desk).StartDrill(request), await drills(desk).StartDrill(request)
    await end(desk, first.incident_id)

    assert first == again


async def test_drills_are_listed_page_by_page_the_latest_in_front(desk: Desk) -> None:
    started = [(await start(desk)).incident_id for _ in range(3)]
    for incident_id in started:
        await end(desk, incident_id)
    found: list[str] = []
    token = ""
    while len(found) < 3:
        page = await drills(desk, "auditor").ListDrills(drill_pb2.ListDrillsRequest(page_size=1, page_token=token))
        found += [drill.incident_id for drill in page.drills]
        token = page.next_page_token

    assert found == started[::-1]
    assert page.drills[0].title.startswith(f"【{MARK}】")


async def test_the_command_line_goes_through_a_drill(desk: Desk, tmp_path: Path) -> None:
    scenario = {
        "name": "rehearsal",
        "kind": "illegal_content",
        "title": "A rehearsal",
        "facts": ONE_LAW,
        "anchors": [{"name": "found", "minutes_ago": 1}],
    }
    path = tmp_path / "rehearsal.json"
    path.write_text(json.dumps(scenario), "utf-8")
    environment = {
        **os.environ,
        "CANDOR_ESCALATION_ADDRESS": desk.deployment.description.services["escalation"].grpc,
        "CANDOR_TOKEN": desk.deployment.token("on_call", name="lead"),
    }

    async def candor(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "candor"), "drill", *words,
            env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await process.communicate()
        return process.returncode or 0, out.decode(), error.decode()

    code, out, error = await candor("start", "--scenario", str(path), "--json")
    assert code == 0, error
    incident_id = json.loads(out)["incident_id"]
    _, running, _ = await candor("show", incident_id)
    assert MARK in running
    assert "running" in running
    _, listed, _ = await candor("list")
    assert incident_id in listed
    code, ended, error = await candor("end", incident_id, "--reason", REASON)
    assert (code, " ".join(ended.split()).count("submitted not done")) == (0, 2), ended + error
    _, told_, _ = await candor("show", incident_id, "--json")
    assert json.loads(told_)["drill"]["state"] == "DRILL_STATE_ENDED"
    code, out, error = await candor("start", "--scenario", "earthquake")
    assert (code, out, "SCENARIO_UNKNOWN" in error) == (2, "", True)


async def test_reports_count_nothing_of_a_drill(desk: Desk) -> None:
    year = timedelta(days=1)
    begin, finish = datetime.now(UTC) - year, datetime.now(UTC) + year

    async def figures() -> bytes:

        request = disposal_pb2.ExportDisposalReportRequest(
            kind=disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL, format=disposal_pb2.DISPOSAL_REPORT_FORMAT_CSV
        )
        getattr(request, "from").FromDatetime(begin)
        request.to.FromDatetime(finish)
        stub = disposal_pb2_grpc.DisposalServiceStub(desk.deployment.channel("escalation", "auditor"))
        return b"".join([piece.content async for piece in stub.ExportDisposalReport(request)])

    before = await figures()
    for kind, anchor in (("rumour_spread", "found"), ("illegal_content", "found")):
        begun = await start(desk, told(kind, None, anchor))
        for clock_id in begun.clock_ids[:1]:
            draft = (await desk.draft(clock_id))["zh"]
            await desk.receipt(await desk.submit(clock_id, draft.revision))
        if (await shown(desk, begun.incident_id)).state == drill_pb2.DRILL_STATE_RUNNING:
            await end(desk, begun.incident_id)

    assert await figures() == before
    real = await desk.report("illegal_content", dict(ONE_LAW), found=datetime.now(UTC))
    draft = (await desk.draft(real.clock_ids[0]))["zh"]
    await desk.receipt(await desk.submit(real.clock_ids[0], draft.revision))
    assert await figures() != before
