"""CloudEvents 1.0 in Kafka's binary mode: the headers of a record, and its value as protobuf or protobuf-JSON.

Spec: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from candor_kit import tracing
from candor_kit.errors import EDGE, Refusal

PROTOBUF = "application/protobuf"
JSON = "application/json"

Headers = list[tuple[str, bytes]]
M = TypeVar("M", bound=Message)
_PROTOBUF = PROTOBUF.encode()
_TRACE = (tracing.HEADER, "tracestate")
_LONGEST_WORD = 256
_JSON_FIELD = re.compile(r"Failed to parse (\w+) field|has no field named \"(\w+)\"")


class Envelope(NamedTuple):
    """What the headers of a record say."""

    id: str
    type: str
    source: str
    content_type: str
    trace: dict[str, str]
    time: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A fact as it was published: what its headers say, its value, and when that was (milliseconds since 1970)."""

    head: Envelope
    value: bytes
    timestamp: int


def headers_of(*, identifier: str, message_type: str, source: str, at: datetime) -> Headers:
    """Return the headers of a protobuf record, with the present trace."""
    named = {
        "ce_specversion": "1.0",
        "ce_id": identifier,
        "ce_type": message_type,
        "ce_source": source,
        "ce_time": at.isoformat(),
        "content-type": PROTOBUF,
        **tracing.inject(),
    }
    return [(name, value.encode()) for name, value in named.items()]


def read(headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Read the headers of a record.

    Raises:
        Refusal: BAD_ENVELOPE, with the header that is missing.
    """
    named = dict(headers)
    if not _are_lower(tuple(named)):
        named = {name.lower(): value for name, value in named.items()}
    try:
        identifier, kind, source = named["ce_id"], named["ce_type"], named["ce_source"]
    except KeyError as missing:
        raise _missing(str(missing.args[0])) from None
    if not (identifier and kind and source):
        raise _missing("ce_source" if identifier and kind else "ce_type" if identifier else "ce_id")
    return Envelope(
        _text(identifier),
        _word(kind),
        _word(source),
        _content_type(named.get("content-type", _PROTOBUF) or b""),
        {key: _text(named[key] or b"") for key in _TRACE if key in named} if _is_traced(named) else {},
        _text(named.get("ce_time") or b""),
    )


@lru_cache(maxsize=256)
def _are_lower(names: tuple[str, ...]) -> bool:
    return all(name == name.lower() for name in names)


def _is_traced(named: Mapping[str, object]) -> bool:
    return _TRACE[0] in named or _TRACE[1] in named


def _missing(header: str) -> Refusal:
    return EDGE.refusal("BAD_ENVELOPE", f"the header {header} is missing", field=header)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _word(value: bytes) -> str:
    """What few values come again and again of; a long one is not remembered, or anybody could fill the memory."""
    return _remembered(value) if len(value) <= _LONGEST_WORD else _text(value)


_remembered = lru_cache(maxsize=1024)(_text)


def _content_type(value: bytes) -> str:
    if value == _PROTOBUF:
        return PROTOBUF
    content_type = _text(value).split(";")[0].strip().lower()
    if content_type not in (PROTOBUF, JSON):
        raise EDGE.refusal("BAD_ENVELOPE", f"content-type must be {PROTOBUF} or {JSON}", field="content-type")
    return content_type


def decode(value: bytes | None, content_type: str, kind: type[M]) -> M:
    """Decode the value of a record.

    Raises:
        Refusal: MALFORMED; the message names the field where that is known, and never quotes the value.
    """
    message = kind()
    try:
        if content_type == JSON:
            json_format.Parse((value or b"").decode("utf-8"), message)
        else:
            message.ParseFromString(value or b"")
    except (DecodeError, UnicodeDecodeError) as error:
        name = kind.DESCRIPTOR.full_name
        raise EDGE.refusal("MALFORMED", f"the value is not a {name} in {content_type}") from error
    except json_format.ParseError as error:
        raise _malformed_json(str(error), kind) from error
    return message


def _malformed_json(text: str, kind: type[Message]) -> Exception:
    found = _JSON_FIELD.search(text)
    field = next((group for group in found.groups() if group), "") if found else ""
    known = f": see the field {field}" if field else ""
    message = f"the value is not a {kind.DESCRIPTOR.full_name} in {JSON}{known}"
    return EDGE.refusal("MALFORMED", message, field=field)
