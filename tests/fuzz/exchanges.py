"""What backends and colleagues send: the headers and values of records, and feature libraries as files."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from functools import partial

from candor.generation.v1 import model_pb2, service_pb2
from candor.generation.v1.service_pb2 import FeatureFormat, RecordRequest
from candor_generation import exchange
from candor_generation.domain.refusal import Refused
from candor_kit import envelope, validation
from candor_kit.errors import Refusal
from google.protobuf import json_format

from .target import Target

_ID = "01933b2e-7f00-7000-8000-000000000001"
_BLANK = b"\n\n"
_CSV = (
    b"kind,value,category,decision,citation,exceptions,source,reason\r\n"
    b'term,"a, ""b""",spam,review,Deep Synthesis 10,x|y,s,r\r\npattern,a+b,spam,block,Deep Synthesis 10,,s,r\r\n'
)
_JSON = (
    b'{"format": "candor-features/1", "features": [{"kind": "term", "value": "a", "category": "spam", "decision":'
    b' "review", "citation": "Deep Synthesis 10", "exceptions": ["ab"], "valid_from": "2026-11-22T00:00:00Z",'
    b' "source": "s", "reason": "r"}, {"kind": "image_hash", "value": "' + b"0" * 64 + b'"}]}'
)
_STIX = (
    b'{"type": "bundle", "id": "bundle--1", "objects": [{"type": "indicator", "pattern_type": "candor-term",'
    b' "pattern": "a", "x_candor_category": "spam", "x_candor_decision": "block", "x_candor_citation": "c",'
    b' "valid_from": "2026-11-22T00:00:00Z"}, {"type": "indicator", "pattern_type": "candor-near-text", "pattern":'
    b' "b", "revoked": true}, {"type": "identity"}]}'
)


def _features(file_format: FeatureFormat.ValueType, data: bytes) -> None:
    """Every row is a proposal that holds to the schema, a tombstone, or named with what is wrong."""
    try:
        items = list(exchange.read(file_format, data, exchange.Defaults("source", "reason")))
    except Refused as refused:
        items, reason = [], refused.reason
    else:
        reason = ""
    if reason:
        assert reason == "FILE_INVALID"
        with contextlib.suppress(Refused):
            list(exchange.parts(file_format, data))
        return
    for item in items:
        if isinstance(item, exchange.Proposal):
            item.command.command_id = _ID
            validation.check(item.command)
        elif isinstance(item, exchange.BadRow):
            # What no answer could carry would raise here.
            f"{item.field}{item.reason}{item.message}".encode()
    parts = list(exchange.parts(file_format, data))
    again = [row for part in parts for row in exchange.read(file_format, part.content, exchange.Defaults("s", "r"))]
    assert len(again) == len(items)


def _record(data: bytes) -> None:
    """A record of the intake topic: header lines, an empty line, the value."""
    head, _, value = data.partition(_BLANK)
    headers = []
    for line in head.split(b"\n"):
        name, _, content = line.partition(b":")
        headers.append((name.decode("latin-1"), content or None))
    try:
        found = envelope.read(headers)
        message = envelope.decode(value, found.content_type, RecordRequest)
        validation.check(message, value if found.content_type == envelope.PROTOBUF else None)
    except Refusal as refusal:
        refusal.to_status().SerializeToString()
        return
    assert message.command_id


def _records() -> list[bytes]:
    command = RecordRequest(
        command_id=_ID, subject="user", provider="p", model="m", product="chat", locale="en", prompt="a"
    )
    command.modality, command.output = model_pb2.MODALITY_TEXT, "b"
    command.occurred_at.FromDatetime(datetime(2026, 11, 22, tzinfo=UTC))
    made = []
    for kind, value in (
        (envelope.PROTOBUF, command.SerializeToString()),
        (envelope.JSON, json_format.MessageToJson(command, indent=None).encode()),
    ):
        head = f"ce_id:{_ID}\nce_type:{command.DESCRIPTOR.full_name}\nce_source:backend\ncontent-type:{kind}"
        made.append(head.encode() + _BLANK + value)
    return made


TARGETS = (
    Target("envelope", "exchange", _record, _records),
    Target("features-json", "exchange", partial(_features, service_pb2.FEATURE_FORMAT_JSON), lambda: [_JSON]),
    Target("features-csv", "exchange", partial(_features, service_pb2.FEATURE_FORMAT_CSV), lambda: [_CSV]),
    Target("features-stix", "exchange", partial(_features, service_pb2.FEATURE_FORMAT_STIX), lambda: [_STIX]),
)
