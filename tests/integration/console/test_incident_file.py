"""The incident file: every act in order with its proof, as a page, as files for an outsider, and on paper."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from candor.escalation.v1 import act_pb2, act_pb2_grpc
from candor.escalation.v1 import service_pb2 as escalation
from candor.escalation.v1 import service_pb2_grpc as escalation_grpc
from candor_cli.session import command_id
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from playwright.async_api import expect
from pypdf import PdfReader

from .desk import Desk, ago

pytestmark = pytest.mark.usefixtures("paged")
IN_THE_LOG = 60_000


async def worked_case(desk: Desk, title: str) -> escalation.ReportSignalResponse:
    """A leak whose first clock was worked to its receipt, after a fact was corrected and an instant moved."""
    reported = await desk.report_leak(title)
    stub = escalation_grpc.EscalationServiceStub(desk.deployment.channel("escalation", "on_call", name="zhao"))
    incident_id, clock_id = reported.incident_id, reported.clock_ids[0]
    for persons in (10, 12):
        facts = {"persons": Value(number_value=persons)}
        await stub.RecordFacts(
            escalation.RecordFactsRequest(
                command_id=command_id(), incident_id=incident_id, facts=facts, source="on-call"
            )
        )
    earlier = escalation.ReportedAnchor(name="discovered", at=ago(minutes=30), evidence="the gateway's log")
    await stub.RecordFacts(
        escalation.RecordFactsRequest(
            command_id=command_id(), incident_id=incident_id, anchors=[earlier], source="on-call"
        )
    )
    await stub.DraftReport(escalation.DraftReportRequest(command_id=command_id(), clock_id=clock_id))
    now = Timestamp()
    now.GetCurrentTime()
    sent = await stub.RecordSubmission(
        escalation.RecordSubmissionRequest(
            command_id=command_id(),
            clock_id=clock_id,
            revision=1,
            locale="zh",
            channel="portal",
            submitted_at=now,
            unapproved_reason="Nobody else was awake.",
        )
    )
    await stub.RecordReceipt(
        escalation.RecordReceiptRequest(
            command_id=command_id(), submission_id=sent.submission_id, reference="CAC-2026-9", received_at=now
        )
    )
    return reported


async def acts_of(desk: Desk, incident_id: str) -> list[act_pb2.IncidentAct]:
    stub = act_pb2_grpc.ActServiceStub(desk.deployment.channel("escalation", "auditor"))
    acts: list[act_pb2.IncidentAct] = []
    token = ""
    while True:
        page = await stub.ListActs(act_pb2.ListActsRequest(incident_id=incident_id, page_size=3, page_token=token))
        acts += page.acts
        token = page.next_page_token
        if not token:
            return acts


async def test_every_act_stands_in_order_with_its_proof_and_an_outsider_can_check_it(
    desk: Desk, tmp_path: Path
) -> None:
    title = f"Filed {uuid4()}"
    incident_id = (await worked_case(desk, title)).incident_id
    acts = await acts_of(desk, incident_id)
    kinds = [act.type.rpartition(".")[2] for act in acts]
    assert kinds[0] == "IncidentOpened"
    assert {"ClockStarted", "PageSent", "ReportDrafted", "ReportSubmitted", "ReceiptRecorded", "ClockStopped"} <= set(
        kinds
    )
    page = await desk.signed_in("auditor")
    # "Not yet in the log" until the log has taken it over the topic; then nothing is left open.
    async with asyncio.timeout(IN_THE_LOG / 1000):
        while True:
            await page.goto(f"/incidents/{incident_id}/file")
            proved = await page.locator(".proof--proved").count()
            # What is still published of the case, as a page about its next clock, joins in.
            acts = await acts_of(desk, incident_id)
            if proved == len(acts) == await page.locator(".entry--act").count():
                break
            await page.wait_for_timeout(300)
    await expect(page.locator(".proof-state:not(.proof--proved)")).to_have_count(0)
    record = page.locator(".record")
    for act in acts:
        await expect(page.locator(f"#act-{act.fact_id} .proof")).to_contain_text("log index")
    for words in ("Signal", "persons", "instead of", "the gateway's log", "CAC-2026-9", "zhao"):
        await expect(record).to_contain_text(words)
    times = [await time.get_attribute("datetime") or "" for time in await page.locator(".entry-when time").all()]
    assert times == sorted(times)

    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download the proofs").click()
    archive = zipfile.ZipFile(await (await download.value).path())
    files = [name for name in archive.namelist() if name.startswith("proofs/")]
    assert len(files) == len(acts)
    archive.extractall(tmp_path)
    for name in (files[0], files[-1]):
        await _verify(desk, tmp_path / name, json.loads(archive.read(name))["origin"])


async def _verify(desk: Desk, file: Path, origin: str) -> None:
    """Check a proof as an outsider does: with the file and the key of the log it names."""
    url = (
        f"http://{desk.deployment.description.services['generation'].http}/log/{'/'.join(origin.split('/')[-2:])}/vkey"
    )
    async with httpx.AsyncClient(trust_env=False) as client:
        vkey = (await client.get(url)).text.strip()
    candor = Path(sys.executable).with_name("candor")
    checked = await asyncio.create_subprocess_exec(
        str(candor), "verify", str(file), "--vkey", vkey, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await checked.communicate()
    assert checked.returncode == 0, said.decode()


async def test_on_call_reads_the_file_without_proofs_and_may_not_fetch_them(desk: Desk) -> None:
    incident_id = (await desk.report_leak(f"Not proven {uuid4()}")).incident_id
    page = await desk.signed_in("oncall")
    await page.goto(f"/incidents/{incident_id}")
    await page.get_by_role("link", name="Incident file").click()
    await expect(page.locator(".entry--act").first).to_be_visible()
    await expect(page.locator(".proof-state")).to_have_count(0)
    await expect(page.locator("dl").first).to_contain_text("For auditor and privacy officer")
    assert (await page.request.get(f"/incidents/{incident_id}/proofs.zip")).status == 403


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_file_on_paper_says_everything(desk: Desk, language: str) -> None:
    title = f"Printed {uuid4()}"
    incident_id = (await worked_case(desk, title)).incident_id
    acts = await acts_of(desk, incident_id)
    page = await desk.signed_in("officer")
    await page.goto(f"/incidents/{incident_id}/file?lang={language}&zone=Europe/Berlin")
    paper = PdfReader(io.BytesIO(await page.pdf(format="A4", print_background=True)))
    width, height = (float(side) / 72 * 25.4 for side in paper.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)
    text = "".join("".join(sheet.extract_text().split()) for sheet in paper.pages)
    for act in acts:
        assert act.fact_id.replace("-", "") in text.replace("-", "")
    for words in (
        title,
        incident_id,
        "CAC-2026-9",
        "UTC",
        "+0100",
        {"en": "Receiptrecorded", "zh": "回执已登记"}[language],
    ):
        assert "".join(words.split()) in text, words
    assert {"en": "Signout", "zh": "退出"}[language] not in text  # the frame stays on the screen
    print(f"\nthe file of {len(acts)} acts: {len(paper.pages)} pages of A4")  # noqa: T201 - a figure
