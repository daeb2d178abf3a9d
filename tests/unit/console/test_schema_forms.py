"""Forms that are read from the schema of their command."""

import re
from typing import Any

import grpc
import pytest
from candor.escalation.v1 import disposal_pb2 as disposal
from candor.escalation.v1 import oncall_pb2 as oncall
from candor.escalation.v1 import register_pb2 as register
from candor_console import specs
from candor_console.incident_forms import WrongField
from candor_console.rendering import plain
from candor_console.schema_forms import Spec
from candor_console.texts import ALL
from candor_kit.errors import Refusal, Violation
from google.protobuf.timestamp_pb2 import Timestamp

ID = "01a20387-f5b9-703f-937d-3280cbb75ead"
SPECS = [found for found in vars(specs).values() if isinstance(found, Spec)]


def field(spec: Spec, name: str) -> Any:
    return next(one for one in spec.fields if one.name == name)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_field_of_every_form_is_called_something_in_both_languages(spec: Spec) -> None:
    for one in spec.fields:
        assert {f"field.{spec.name}.{one.key}", f"field.{one.key}"} & set(ALL), one.name
        assert set(one.options) <= set(ALL), one.name
        assert {f"state.{offered}" for offered in one.suggestions} <= set(ALL)


def test_what_a_field_is_follows_from_the_schema() -> None:
    assert (field(specs.ORDER, "kind").kind, field(specs.ORDER, "kind").required) == ("choice", True)
    assert field(specs.ORDER, "kind").options[0] == "ORDER_KIND_REMOVE_CONTENT"
    assert (field(specs.ORDER, "text").kind, field(specs.ORDER, "text").most) == ("long", 5000)
    assert (field(specs.ORDER, "received_at").kind, field(specs.ORDER, "received_at").required) == ("moment", True)
    assert (field(specs.ORDER, "due_at").kind, field(specs.ORDER, "due_at").required) == ("moment", False)
    assert (field(specs.ORDER, "holder_id").required, field(specs.ORDER, "jurisdiction").required) == (False, True)
    assert (field(specs.RELEASE, "training_data_sha256").kind, field(specs.ORDER, "evidence_sha256").required) == (
        "digest",
        False,
    )
    assert field(specs.DISPOSAL, "measure").options == [
        "MEASURE_STOP_GENERATION",
        "MEASURE_STOP_TRANSMISSION",
        "MEASURE_REMOVE",
    ]
    assert not field(specs.SANCTION, "severity").required
    assert field(specs.SANCTION, "functions").kind == "list"
    assert (field(specs.DISPOSAL, "grounds.reason").least, field(specs.DISPOSAL, "grounds.reason").key) == (5, "reason")


def test_the_command_is_what_was_written() -> None:
    fields = {
        "command_id": ID,
        "register": "REGISTER_SECURITY_ASSESSMENT",
        "title": " An assessment ",
        "state": "passed",
        "fields": "scope：整个服务\n\nassessor = Lab: North\nitems: 3",
        "valid_until": "2027-01-01T00:00",
        "evidence_sha256": "ab" * 32,
    }
    command = specs.ENTRY.command(fields, {})
    assert isinstance(command, register.RecordEntryRequest)
    assert (command.title, command.state, command.product) == ("An assessment", "passed", "")
    assert {name: plain(value) for name, value in command.fields.items()} == {
        "scope": "整个服务",
        "assessor": "Lab: North",
        "items": "3",
    }
    assert command.fields["items"].number_value == 3
    assert command.evidence_sha256 == bytes.fromhex("ab" * 32)
    assert command.valid_until.seconds == 1_798_761_600


def test_fields_of_fields_flags_and_lists_go_where_they_belong() -> None:
    fields = {
        "command_id": ID,
        "measure": "MEASURE_LIMIT_FUNCTIONS",
        "functions": "publish\n image ",
        "grounds.legal_basis": "Terms 5",
        "grounds.automated_detection": "1",
        "grounds.exemption": "",
        "subject": "of the form",
    }
    command = specs.SANCTION.command(fields, {"subject": "of the address"})
    assert isinstance(command, disposal.ImposeSanctionRequest)
    assert list(command.functions) == ["publish", "image"]
    assert (command.grounds.legal_basis, command.grounds.automated_detection) == ("Terms 5", True)
    assert command.grounds.exemption == disposal.STATEMENT_EXEMPTION_UNSPECIFIED
    assert command.subject == "of the address"
    assert not command.HasField("until")


@pytest.mark.parametrize(
    ("spec", "name", "value"),
    [
        (specs.ENTRY, "register", "REGISTER_NONE"),
        (specs.ENTRY, "fields", "no colon"),
        (specs.ENTRY, "fields", "a: 1\na: 2"),
        (specs.ENTRY, "fields", "Capital: 1"),
        (specs.ENTRY, "evidence_sha256", "zz"),
        (specs.ENTRY, "valid_until", "soon"),
        (specs.DISPOSAL, "measure", "MEASURE_WARN"),
    ],
)
def test_what_is_not_in_its_form_names_its_field(spec: Spec, name: str, value: str) -> None:
    with pytest.raises(WrongField) as caught:
        spec.command({"command_id": ID, name: value}, {})
    assert caught.value.field == name


def who(desk: Any) -> None:
    levels = [oncall.OnCallLevel(level=1, contact="chen", schedule="first-line", channels=["webhook"])]
    desk.calls.answers["WhoIsOnCall"] = oncall.WhoIsOnCallResponse(levels=levels)
    begin, end = Timestamp(seconds=1_795_000_000), Timestamp(seconds=1_796_000_000)
    shifts = [oncall.Shift(contact="chen", starts_at=begin, ends_at=end)]
    desk.calls.answers["ListShifts"] = oncall.ListShiftsResponse(shifts=shifts)


@pytest.mark.parametrize(("language", "words"), [("en", "The period is wrong."), ("zh", "起止时间有误")])
def test_a_refusal_stands_at_its_field_with_what_was_written_and_a_fresh_command_id(
    desk: Any, language: str, words: str
) -> None:
    token = desk.sit_down("on_call").csrf
    who(desk)
    desk.calls.answers["OverrideOnCall"] = Refusal(
        "PERIOD_INVALID",
        "it lies in the past",
        domain="candor.escalation.v1",
        status=grpc.StatusCode.INVALID_ARGUMENT,
        violations=(Violation("ends_at", "it lies in <the> past"),),
    )
    fields = {"csrf": token, "command_id": ID, "schedule": "first-line", "contact": '"wang"', "reason": "ill"}
    answer = desk.post(f"/roster/overrides?lang={language}", fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert re.search(
        r'<input[^>]*name="ends_at"[^>]* aria-invalid="true" aria-describedby="override-ends_at-wrong"', answer.text
    )
    assert '<p class="wrong" id="override-ends_at-wrong">it lies in &lt;the&gt; past</p>' in answer.text
    assert 'value="&#34;wang&#34;"' in answer.text
    assert f'name="command_id" value="{ID}"' not in answer.text
    assert answer.text.count("aria-invalid") == 1


def test_a_time_that_is_no_time_is_said_at_its_field_and_nothing_is_asked(desk: Any) -> None:
    token = desk.sit_down("on_call").csrf
    who(desk)
    answer = desk.post("/roster/overrides", {"csrf": token, "command_id": ID, "starts_at": "tomorrow"})
    assert answer.status_code == 400
    assert 'id="override-starts_at-wrong">The field From is missing or not in its form.' in answer.text
    assert "OverrideOnCall" not in {name for name, _, _ in desk.calls.asked}


def test_what_was_sent_leads_on_to_what_it_made(desk: Any) -> None:
    token = desk.sit_down("privacy_officer").csrf
    desk.calls.answers["RecordOrder"] = register.RecordOrderResponse(entry_id=ID)
    fields = {"csrf": token, "command_id": ID, "kind": "ORDER_KIND_RECTIFY", "received_at": "2026-11-22T13:00"}
    answer = desk.post("/record/order", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/registers/{ID}?done=recorded")


def test_the_address_fills_in_a_form_and_nothing_else(desk: Any) -> None:
    desk.sit_down("privacy_officer")
    page = desk.get("/record/disposal?measure=MEASURE_REMOVE&grounds.facts=told&command_id=mine&csrf=mine").text
    assert '<option value="MEASURE_REMOVE" selected>' in page
    assert ">told</textarea>" in page
    assert 'value="mine"' not in page


def test_only_what_can_still_be_ended_has_the_button(desk: Any) -> None:
    desk.sit_down("on_call")
    who(desk)
    past, ahead = Timestamp(seconds=1_700_000_000), Timestamp(seconds=1_900_000_000)
    over = oncall.OnCallOverride(override_id="over", contact="a", ends_at=past)
    ended = oncall.OnCallOverride(override_id="ended", contact="b", ends_at=ahead, ended_at=past, ended_by="wang")
    holds = oncall.OnCallOverride(override_id="holds", contact="c", ends_at=ahead)
    desk.calls.answers["ListShifts"].overrides.extend([over, ended, holds])
    page = desk.get("/roster").text
    assert re.findall(r'action="/roster/overrides/(\w+)/end"', page) == ["holds"]
    assert "ended by wang" in page
    desk.sit_down("auditor")
    assert "<form" not in desk.get("/roster").text.split("<main")[1]
