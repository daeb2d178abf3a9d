"""Kit's pure parts."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import structlog
from candor.consent.v1 import reasons_pb2 as consent_reasons
from candor.consent.v1 import service_pb2
from candor.escalation.v1 import reasons_pb2 as escalation_reasons
from candor.escalation.v1 import service_pb2 as escalation_pb2
from candor.generation.v1 import reasons_pb2 as generation_reasons
from candor.refutation.v1 import reasons_pb2 as refutation_reasons
from candor.rights.v1 import reasons_pb2 as rights_reasons
from candor_kit import envelope, keys, log, validation
from candor_kit.api import Api
from candor_kit.errors import EDGE, Reasons, Refusal
from candor_kit.ids import time_of, uuid7
from cryptography.exceptions import InvalidTag
from google.protobuf.descriptor import EnumDescriptor
from hypothesis import given
from hypothesis import strategies as st

A_MILLISECOND = timedelta(milliseconds=1)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - made aware
def test_a_uuid7_tells_the_millisecond_it_was_made_at(at: datetime) -> None:
    made = uuid7(at)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert timedelta() <= at - time_of(made) < A_MILLISECOND


def test_uuid7_of_a_later_millisecond_sorts_later() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert uuid7(at).bytes < uuid7(at + A_MILLISECOND).bytes


def test_the_example_of_rfc_9562_reads_as_its_instant() -> None:
    example = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    assert time_of(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_another_version_has_no_instant() -> None:
    with pytest.raises(ValueError, match="version 4"):
        time_of(uuid4())


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_is_sealed_opens_only_with_its_key_and_context(plaintext: bytes, context: bytes) -> None:
    key = keys.new_key()
    sealed = keys.seal(key, plaintext, context)
    assert keys.open_sealed(key, sealed, context) == plaintext
    with pytest.raises(InvalidTag):
        keys.open_sealed(keys.new_key(), sealed, context)
    with pytest.raises(InvalidTag):
        keys.open_sealed(key, sealed, context + b"x")
    with pytest.raises(InvalidTag):
        keys.open_sealed(key, sealed[:-1] + bytes([sealed[-1] ^ 1]), context)


@pytest.mark.parametrize(
    "module", [consent_reasons, rights_reasons, generation_reasons, refutation_reasons, escalation_reasons]
)
def test_every_reason_names_a_grpc_status(module: object) -> None:
    enum: EnumDescriptor = module.DESCRIPTOR.enum_types_by_name["Reason"]  # type: ignore[attr-defined]
    reasons = Reasons(enum)
    for value in enum.values[1:]:
        refusal = reasons.refusal(value.name.removeprefix("REASON_"), "why")
        assert refusal.to_status().code == refusal.status.value[0]


def test_a_reason_that_nobody_declared_is_a_fault() -> None:
    with pytest.raises(LookupError, match="declares no reason NONSENSE"):
        EDGE.refusal("NONSENSE", "why")


def test_an_rpc_without_a_handler_is_found_at_the_start() -> None:
    with pytest.raises(LookupError, match="CheckConsent"):
        Api(service_pb2.DESCRIPTOR.services_by_name["ConsentService"])


def test_every_rpc_of_every_service_names_the_roles_it_admits() -> None:
    from importlib import import_module

    from candor_kit.api import Method

    for service in ("consent", "rights", "generation", "refutation", "escalation"):
        module = import_module(f"candor.{service}.v1.service_pb2")
        for descriptor in module.DESCRIPTOR.services_by_name.values():
            for method in descriptor.methods:
                assert Method(method).roles, method.full_name


def test_an_instant_beyond_the_calendar_and_a_nul_are_refused_with_their_field() -> None:
    request = escalation_pb2.ReportSignalRequest(title="a\0b", anchors=[escalation_pb2.ReportedAnchor(name="aware")])
    request.anchors[0].at.seconds = 10**15
    request.facts["x"].string_value = "\0"
    with pytest.raises(Refusal) as caught:
        validation.check(request)
    assert {violation.field for violation in caught.value.violations} >= {"title", "anchors.at", "facts.string_value"}


def test_malformed_json_names_the_field_and_does_not_quote_the_value() -> None:
    with pytest.raises(Refusal) as caught:
        envelope.decode(b'{"givenAt": "my secret"}', envelope.JSON, service_pb2.GrantConsentRequest)
    assert caught.value.violations[0].field == "givenAt"
    assert "secret" not in caught.value.message


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out = io.StringIO()
    with redirect_stdout(out):
        log.configure("toy", "INFO")
        yield out
    structlog.reset_defaults()


def test_a_log_line_holds_only_fields_that_are_known_to_be_harmless(lines: io.StringIO) -> None:
    logger = log.get("here")
    logger.info("words", request_id="r-1", prompt="my secret", subject="person-1", key="k")
    written = json.loads(lines.getvalue())
    assert written["request_id"] == "r-1"
    assert written["dropped_fields"] == ["key", "prompt", "subject"]
    assert "secret" not in lines.getvalue()
    assert "person-1" not in lines.getvalue()


def test_an_exception_is_logged_without_its_message(lines: io.StringIO) -> None:
    def fail() -> None:
        msg = "my secret"
        raise ValueError(msg)

    try:
        fail()
    except ValueError as error:
        log.get("here").error("it failed", exc_info=error)
    assert "ValueError < " in json.loads(lines.getvalue())["exception"]
    assert "secret" not in lines.getvalue()


def test_a_library_that_logs_data_is_written_without_its_arguments(lines: io.StringIO) -> None:
    import logging

    logging.getLogger("some.library").warning("bad value %s", "my secret")
    assert "bad value %s" in lines.getvalue()
    assert "secret" not in lines.getvalue()
