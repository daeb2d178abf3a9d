"""The incident file: everything in order, and nothing called proved that is not."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from candor.escalation.v1 import act_pb2 as act
from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import service_pb2 as escalation
from candor.generation.v1 import service_pb2 as generation
from candor_console import proofs
from candor_console.pages import file_entries, incident_file
from candor_kit.errors import Refusal, Unavailable
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ID = "01a20387-f5b9-703f-937d-3280cbb75ead"


def at(minutes: float = 0) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOW + timedelta(minutes=minutes))
    return stamp


def an_act(number: int, kind: str = "PageSent", minutes: float = 0, **told: Any) -> act.IncidentAct:
    item = act.IncidentAct(
        fact_id=f"fact-{number}", incident_id=ID, type=f"candor.escalation.v1.{kind}", recorded_at=at(minutes)
    )
    item.told.update({"incident_id": ID, **told})
    return item


@pytest.fixture
def stage(desk: Any) -> Any:
    desk.calls.answers["GetIncident"] = escalation.GetIncidentResponse(
        incident=model.Incident(incident_id=ID, kind="pi_leak", title="Bucket", opened_at=at(-60)),
        facts=[
            model.IncidentFact(name="persons", value=Value(number_value=count), recorded_at=at(-50 + count))
            for count in (10, 12)
        ],
        drafts=[
            model.Draft(clock_id="c", revision=1, locale="en", text="To the CAC", sha256=bytes(32), drafted_at=at())
        ],
    )
    desk.calls.answers["ListNotes"] = act.ListNotesResponse(
        notes=[act.IncidentNote(kind="anchor", name="aware", at=at(-61), evidence="a call", recorded_at=at(-60))]
    )
    acts = [
        an_act(1, "IncidentOpened", -60),
        an_act(2, "ReceiptRecorded", 1, submission={"receipt": {"reference": "R-7"}}),
    ]
    desk.calls.answers["ListActs"] = act.ListActsResponse(acts=acts)
    desk.calls.answers["GetActEvidence"] = Refusal(
        "NOT_INTEGRATED", "", domain="x", status=grpc.StatusCode.FAILED_PRECONDITION
    )
    return desk


def test_everything_stands_in_order_and_corrections_name_what_they_correct(stage: Any) -> None:
    stage.sit_down("auditor")
    page = stage.get(f"/incidents/{ID}/file").text
    places = [page.index(words) for words in ("a call", "Incident opened", ">10<", ">12<", "R-7", "To the CAC")]
    assert places == sorted(places)
    corrected = page[page.index(">12<") :]
    assert "instead of" in corrected[: corrected.index("R-7")]


@pytest.mark.parametrize("path", ["", "/file"])
@pytest.mark.parametrize(("lang", "mark"), [("en", "DRILL"), ("zh", "演练")])
def test_a_drill_is_one_on_its_page_and_in_its_file(stage: Any, path: str, lang: str, mark: str) -> None:
    stage.sit_down("auditor")
    assert mark not in stage.get(f"/incidents/{ID}{path}?lang={lang}").text
    stage.calls.answers["GetIncident"].incident.drill = True
    assert f"<strong>{mark}</strong>" in stage.get(f"/incidents/{ID}{path}?lang={lang}").text


def test_times_stand_in_utc_and_in_the_zone_that_is_asked_for(stage: Any) -> None:
    stage.sit_down("auditor")
    assert "2026-11-22 13:30:00 UTC · 2026-11-22 21:30:00 +0800" in stage.get(f"/incidents/{ID}/file").text
    assert "2026-11-22 14:30:00 +0100" in stage.get(f"/incidents/{ID}/file?zone=Europe/Berlin").text
    for wrong in ("Mars/Olympus", "../../etc/passwd", "Europe", "\x00"):
        assert "+0800" in stage.get(f"/incidents/{ID}/file").text
        assert "+0800" in stage.browser.get(f"/incidents/{ID}/file", params={"zone": wrong}).text


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Refusal("ACT_UNKNOWN", "", domain="x", status=grpc.StatusCode.NOT_FOUND), "not yet in the log"),
        (Refusal("NOT_INTEGRATED", "", domain="x", status=grpc.StatusCode.FAILED_PRECONDITION), "not yet in the log"),
        (Unavailable("generation"), "the log does not answer"),
        (generation.GetActEvidenceResponse(entry=b"{}", checkpoint="x"), "does NOT prove it"),
    ],
)
def test_nothing_is_called_proved_that_is_not(stage: Any, answer: Any, state: str) -> None:
    stage.calls.answers["GetActEvidence"] = answer
    stage.sit_down("privacy_officer")
    page = stage.get(f"/incidents/{ID}/file").text
    assert page.count(state) == 2
    assert "proof--proved" not in page
    assert "0 of 2 acts are proved" in page


def test_on_call_reads_the_record_and_asks_for_no_proof(stage: Any) -> None:
    stage.sit_down("on_call")
    page = stage.get(f"/incidents/{ID}/file").text
    assert "R-7" in page
    assert "fact-2" in page
    assert "For auditor and privacy officer" in page
    assert "proofs.zip" not in page
    assert "GetActEvidence" not in {name for name, _, _ in stage.calls.asked}
    assert stage.get(f"/incidents/{ID}/proofs.zip").status_code == 403


def test_the_archive_holds_the_record_and_a_file_for_each_proof(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proven = generation.GetActEvidenceResponse(origin="log/acts/2026", log_index=7)

    def check(fact_id: str, kind: str, answer: generation.GetActEvidenceResponse) -> proofs.Proven:
        assert kind.startswith("candor.escalation.v1.")
        if fact_id == "fact-2":
            raise proofs.ProofWrong("no")
        return proofs.Proven(answer.origin, answer.log_index, 9, opened=True)

    monkeypatch.setattr(proofs, "check", check)
    stage.calls.answers["GetActEvidence"] = proven
    stage.sit_down("auditor")
    answer = stage.get(f"/incidents/{ID}/proofs.zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="incident-{ID}.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == [
        "README.txt",
        "incident.json",
        "acts.json",
        "proofs/0001-IncidentOpened-fact-1.json",
    ]
    again = json_format.Parse(
        archive.read("proofs/0001-IncidentOpened-fact-1.json"), generation.GetActEvidenceResponse()
    )
    assert again == proven
    assert b"candor verify" in archive.read("README.txt")


def test_a_long_record_comes_in_parts_and_every_line_is_in_exactly_one(stage: Any) -> None:
    acts = [an_act(number, minutes=number) for number in range(5)]
    notes = [
        act.IncidentNote(kind="signal", name=f"signal-{number}", recorded_at=at(number + 0.5))
        for number in range(-1, 5)
    ]

    def listed(question: act.ListActsRequest) -> act.ListActsResponse:
        begin = int(question.page_token or 0)
        end = begin + min(question.page_size, 2)
        return act.ListActsResponse(acts=acts[begin:end], next_page_token=str(end) if end < len(acts) else "")

    stage.calls.answers["ListActs"] = listed
    stage.calls.answers["ListNotes"] = act.ListNotesResponse(notes=notes)
    stage.sit_down("on_call")
    parts = [stage.get(f"/incidents/{ID}/file?page={page}").text for page in ("", "2", "4")]
    for words in [f"signal-{number}<" for number in range(-1, 5)] + [f"fact-{number}<" for number in range(5)]:
        assert sum(words in part for part in parts) == 1, words
    assert ["Next part of the file" in part for part in parts] == [True, True, False]


def test_what_a_fact_says_is_shown_field_by_field() -> None:
    item = an_act(
        1,
        "ReportSubmitted",
        submission={
            "submitted_at": "2026-11-22T13:30:05Z",
            "sha256": "AAECAw==",
            "revision": 2.0,
            "channel": "<b>",
            "state": "CLOCK_STATE_RECEIPTED",
            "missing": ["a", "b"],
            "steps": [{"name": "x"}],
        },
    )
    (entry,) = file_entries.entries([], [], [item])
    said = {line.name.removeprefix("submission."): (line.text, line.at, line.is_word) for line in entry.lines}
    assert said == {
        "submitted_at": ("", NOW + timedelta(seconds=5), False),
        "sha256": ("00010203", None, False),
        "revision": ("2", None, False),
        "channel": ("<b>", None, False),
        "state": ("CLOCK_STATE_RECEIPTED", None, True),
        "missing": ("a, b", None, False),
        "steps.1.name": ("x", None, False),
    }


def test_a_value_that_is_called_like_a_text_of_ours_stays_what_it_is(stage: Any) -> None:
    item = an_act(1, "PageSent", title="left.left", other="<script>alert(1)</script>")
    stage.calls.answers["ListActs"] = act.ListActsResponse(acts=[item])
    stage.sit_down("on_call")
    page = stage.get(f"/incidents/{ID}/file").text
    assert "<dd>left.left</dd>" in page
    assert "<script>alert" not in page


def test_local_time_keeps_summer_and_winter_apart() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert incident_file.local(first, berlin).endswith("2026-10-25 02:30:00 +0200")
    assert incident_file.local(first + timedelta(hours=1), berlin).endswith("2026-10-25 02:30:00 +0100")
