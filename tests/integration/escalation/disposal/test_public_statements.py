"""Public statements: queued with the disposal, sent until there is a receipt, never with personal data."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from candor.escalation.v1 import disposal_pb2, facts_pb2

from .disposal_desk import CLOSE, LIFT, LIMIT, SUSPEND, WARN, DisposalDesk, public_statement, refusal, stamp, until
from .dsa_database import DsaDatabase

DAY = timedelta(days=1)


async def received(desk: DisposalDesk, disposal_id: str) -> facts_pb2.PublicStatementReceived:
    facts = await desk.deployment.facts(
        "escalation",
        facts_pb2.PublicStatementReceived,
        lambda fact: fact.disposal_id == disposal_id,
        timeout=60,
    )
    assert len(facts) == 1
    return facts[0]


async def suspend(desk: DisposalDesk, **change: Any) -> str:
    return await desk.impose(SUSPEND, until=datetime.now(UTC) + DAY, public_statement=public_statement(**change))


@pytest.mark.clause("DSA 24")
async def test_dsa_24_a_statement_is_sent_and_its_receipt_kept(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    disposal_id = await suspend(desk)
    fact = await received(desk, disposal_id)
    receipt = (await desk.seen(disposal_id)).public_receipt
    stored = dsa.statements[disposal_id]

    assert (receipt.state, receipt.uuid, receipt.permalink) == ("received", stored["uuid"], stored["permalink"])
    assert (fact.uuid, fact.permalink) == (receipt.uuid, receipt.permalink)
    assert stored["decision_provision"] == "DECISION_PROVISION_TOTAL_SUSPENSION"
    sent = json.dumps(stored, ensure_ascii=False)
    assert desk.subject not in sent
    assert "the-quoted-facts" not in sent


async def test_several_are_sent_as_one_batch(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    dsa.next_answers.extend(["429"])  # whoever comes first makes the others wait
    disposal_ids = await asyncio.gather(*(suspend(DisposalDesk(desk.deployment)) for _ in range(12)))
    for disposal_id in disposal_ids:
        fact = await received(desk, disposal_id)
        assert fact.uuid == dsa.statements[disposal_id]["uuid"]
    assert ("many", 201) in dsa.calls


@pytest.mark.parametrize("answer", ["lost", "500", "429"])
async def test_whatever_goes_wrong_it_is_sent_again_until_there_is_a_receipt(
    desk: DisposalDesk, dsa: DsaDatabase, answer: str
) -> None:
    dsa.next_answers.append(answer)
    disposal_id = await suspend(desk)
    fact = await received(desk, disposal_id)

    assert fact.uuid == dsa.statements[disposal_id]["uuid"]
    assert (await desk.seen(disposal_id)).public_receipt.attempts >= 2
    if answer == "lost":
        assert dsa.calls[-1] == ("one", 422)  # known already: that is the receipt


async def test_a_known_puid_without_its_statement_is_looked_up_and_not_followed(
    desk: DisposalDesk, dsa: DsaDatabase
) -> None:
    dsa.next_answers.append("bare")
    disposal_id = await suspend(desk)
    fact = await received(desk, disposal_id)

    assert ("existing", 302) in dsa.calls
    assert "followed" not in {kind for kind, _status in dsa.calls}
    assert fact.permalink.endswith(disposal_id)


async def test_one_bad_statement_does_not_keep_the_others_of_its_batch(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    dsa.next_answers.append("429")
    bad = await suspend(desk)
    dsa.refuses.add(bad)
    good = await asyncio.gather(*(suspend(DisposalDesk(desk.deployment)) for _ in range(3)))
    for disposal_id in good:
        await received(desk, disposal_id)
    receipt = await _settled(desk, bad)

    assert receipt.state == "refused"
    assert "decision facts is invalid" in receipt.last_error


async def test_a_statement_that_makes_the_database_fail_is_tried_alone(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    dsa.next_answers.append("429")
    poison = await suspend(desk)
    dsa.crashes.add(poison)
    good = await asyncio.gather(*(suspend(DisposalDesk(desk.deployment)) for _ in range(3)))
    for disposal_id in good:
        await received(desk, disposal_id)
    waiting = (await desk.seen(poison)).public_receipt
    dsa.crashes.clear()

    assert waiting.state == "queued"
    assert (await received(desk, poison)).uuid == dsa.statements[poison]["uuid"]


@pytest.mark.clause("DSA 17")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"category": "STATEMENT_CATEGORY_PIRACY"}, "PUBLIC_STATEMENT_INVALID"),
        ({"explanation": ""}, "PUBLIC_STATEMENT_INVALID"),
        ({"decision_facts": "write to zhang@example.com"}, "PERSONAL_DATA"),
        ({"decision_facts": "电话13812345678"}, "PERSONAL_DATA"),
    ],
)
async def test_a_statement_that_would_be_refused_or_names_somebody_is_not_even_decided(
    desk: DisposalDesk, change: dict[str, Any], reason: str
) -> None:
    before = await desk.deployment.rows("escalation", "SELECT count(*) AS count FROM disposal")
    assert await refusal(suspend(desk, **change)) == reason
    after = await desk.deployment.rows("escalation", "SELECT count(*) AS count FROM disposal")
    assert after == before


async def test_the_account_id_is_no_public_text_and_a_warning_no_restriction(desk: DisposalDesk) -> None:
    assert await refusal(suspend(desk, explanation=f"{desk.subject} spread it")) == "PERSONAL_DATA"
    warning: Awaitable[Any] = desk.impose(WARN, public_statement=public_statement())
    assert await refusal(warning) == "PUBLIC_STATEMENT_INVALID"


@pytest.mark.clause("DSA 24")
@pytest.mark.clause("DSA 15")
async def test_dsa_24_the_reports_are_computed_from_the_record(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    start = datetime.now(UTC)
    warned = await desk.impose(WARN)
    limited = await desk.impose(LIMIT, functions=["publish"], public_statement=public_statement())
    await desk.impose(CLOSE)
    await received(desk, limited)
    complaint_id = await desk.complain(warned)
    reversed_ = disposal_pb2.COMPLAINT_OUTCOME_REVERSED
    await desk.second.DecideComplaint(desk.decision(complaint_id, reversed_))
    await desk.asked(warned, LIFT)
    end = datetime.now(UTC)

    figures = await _figures(desk, start, end, disposal_pb2.DISPOSAL_REPORT_KIND_DSA)
    annual = await _figures(desk, start, end, disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL)
    page = await _report(
        desk, start, end, disposal_pb2.DISPOSAL_REPORT_KIND_CN_ANNUAL, disposal_pb2.DISPOSAL_REPORT_FORMAT_HTML
    )

    assert dsa.statements[limited]
    assert figures["restrictions", "total"] == "2"
    assert figures["restrictions by measure", "limit_functions"] == "1"
    assert figures["restrictions by category", public_statement().category] == "1"
    assert figures["restrictions by decision", "AUTOMATED_DECISION_NOT_AUTOMATED"] == "1"
    assert figures["statements of reasons", "received by the DSA Transparency Database"] == "1"
    assert (figures["complaints", "filed"], figures["complaints", "decision reversed"]) == ("1", "1")
    assert (annual["制裁", "警示"], annual["制裁", "关闭账号"], annual["投诉", "撤销"]) == ("1", "1", "1")
    assert "<td>关闭账号</td><td>1</td>" in page


async def test_the_command_writes_the_report(desk: DisposalDesk) -> None:
    await desk.impose(WARN)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    address = desk.deployment.description.services["escalation"].grpc
    options = ["--address", address, "--token", desk.deployment.token("auditor")]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "candor_cli", "disposal", "report", *arguments, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    done = await asyncio.to_thread(run, "--from", today, "--to", today, "--kind", "cn-annual", "--format", "csv")
    wrong = await asyncio.to_thread(run, "--from", "today", "--to", today)

    assert done.returncode == 0, done.stderr
    rows = {(row[0], row[1]): row[2] for row in csv.reader(io.StringIO(done.stdout.lstrip("\ufeff")))}
    assert int(rows["制裁", "警示"]) >= 1
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "2026-01-01" in wrong.stderr


async def _settled(desk: DisposalDesk, disposal_id: str) -> disposal_pb2.PublicReceipt:
    seen = await until(lambda: desk.seen(disposal_id), lambda seen: seen.public_receipt.state != "queued")
    return seen.public_receipt


async def _report(desk: DisposalDesk, start: datetime, end: datetime, kind: Any, form: Any) -> str:
    request = disposal_pb2.ExportDisposalReportRequest(to=stamp(end), kind=kind, format=form)
    getattr(request, "from").CopyFrom(stamp(start))
    pieces = [piece.content async for piece in desk.stub("auditor").ExportDisposalReport(request)]
    return b"".join(pieces).decode("utf-8-sig")


async def _figures(desk: DisposalDesk, start: datetime, end: datetime, kind: Any) -> dict[tuple[str, str], str]:
    text = await _report(desk, start, end, kind, disposal_pb2.DISPOSAL_REPORT_FORMAT_CSV)
    return {(row[0], row[1]): row[2] for row in csv.reader(io.StringIO(text))}
