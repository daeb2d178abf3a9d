"""What the templates can say: texts, times and names of enum values. Autoescape is on for everything."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment, PackageLoader, StrictUndefined

from candor_console import moments
from candor_console.texts import Text


def environment() -> Environment:
    """The templates of this package; a name that no page gives is an error, never an empty text."""
    return Environment(
        loader=PackageLoader("candor_console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def when(stamp: Timestamp | datetime) -> datetime:
    """An aware UTC datetime."""
    return stamp.ToDatetime(tzinfo=UTC) if isinstance(stamp, Timestamp) else stamp


def enum(message: Message, field: str) -> str:
    """The name of an enum field's value; the number as text when a newer service sent one that is not known here."""
    number = getattr(message, field)
    kind = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = kind.values_by_number.get(number) if kind else None
    return value.name if value else str(number)


def plain(value: Value) -> str:
    """A fact's value as one line of text."""
    found = json_format.MessageToDict(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def in_tongue(text: str, language: str) -> str:
    """One half of a text that carries both languages, as escalation writes a recipient: `中文 / English`."""
    halves = text.split(" / ")
    both = 2
    return halves[0 if language == "zh" else 1] if len(halves) == both else text


def web_link(url: str) -> bool:
    """Whether a URL may become a link: `javascript:` and the like may not."""
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def helpers(text: Text, language: str, now: datetime) -> dict[str, Any]:
    """The functions of a page made at `now` in `language`, whose texts `text` gives."""
    return {
        "t": text,
        "now": now,
        "utc": moments.utc,
        "iso": moments.iso,
        "when": when,
        "enum": enum,
        "plain": plain,
        "web_link": web_link,
        "in_tongue": lambda words: in_tongue(words, language),
        "word": lambda message, field: text(enum(message, field), default=enum(message, field)),
        "time_left": lambda due: moments.left(due, now, text),
        "time_ago": lambda at: moments.ago(at, now, text),
        "urgency": lambda due, begun=None: moments.urgency(due, now, begun),
        "used": lambda begun, due: moments.used(when(begun), when(due), now),
        # What <input type="datetime-local"> takes.
        "local_now": now.strftime("%Y-%m-%dT%H:%M"),
    }
