from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from candor.escalation.v1 import report_pb2, service_pb2
from candor_escalation.report_command import app
from candor_escalation.report_command.desk import open_submission
from candor_escalation.report_command.reading import FORMATS, KINDS, fields_of, instant, one_of, prove
from google.protobuf import json_format
from typer.testing import CliRunner


def test_a_field_is_json_where_it_can_be_and_else_text() -> None:
    fields = fields_of(
        ["persons=12", "over=true", 'kinds=["a","b"]', "cause=一 = 二", 'code="12"', "gone=null", "empty="]
    )

    assert {name: json_format.MessageToDict(value) for name, value in fields.items()} == {
        "persons": 12.0,
        "over": True,
        "kinds": ["a", "b"],
        "cause": "一 = 二",
        "code": "12",
        "gone": None,
        "empty": "",
    }


def test_an_instant_has_a_zone() -> None:
    assert instant("2026-11-22T09:30+08:00").ToDatetime(UTC) == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    assert abs(instant("").ToDatetime(UTC) - datetime.now(UTC)).total_seconds() < 60


def test_a_proof_is_hashed_where_it_lies(tmp_path: Path) -> None:
    proof = tmp_path / "letter.pdf"
    proof.write_bytes(b"x" * 100_000)
    request = service_pb2.RecordReceiptRequest()
    prove(request, proof)

    assert request.proof_sha256 == hashlib.sha256(b"x" * 100_000).digest()
    assert (request.proof_size, request.proof_media_type) == (100_000, "application/pdf")


def test_the_last_submission_without_a_receipt_is_meant() -> None:
    report = report_pb2.GetReportResponse()
    for name in ("a", "b", "c"):
        report.submissions.add(submission_id=name)
    report.submissions[2].receipt.reference = "R"

    assert open_submission(report) == "b"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draft", "c", "--set", "cause"], "write NAME=VALUE"),
        (["draft", "c", "--kind", "second"], "first, supplement, final"),
        (["show", "c", "--format", "odt"], "text, html, pdf, docx"),
        (["show", "c", "--compare", "1-2"], "FROM:TO"),
        (["submit", "c", "--channel", "fax", "--at", "noon"], "2026-11-22T09:30+08:00"),
        (["submit", "c", "--channel", "fax", "--at", "2026-11-22T09:30"], "zone"),
        (["receipt", "c", "--reference", "R", "--proof", "/none"], "No such file"),
    ],
)
def test_what_is_written_wrongly_is_said_before_anybody_is_called(words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, [*words, "--address", "127.0.0.1:1"])

    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_name_stands_for_what_the_schema_has() -> None:
    assert len(set(FORMATS.values())) == len(FORMATS) == 4
    assert one_of(KINDS, "final", "--kind") == KINDS["final"]
