"""The access package: one JSON document per person, made piece by piece so that it never stands in memory as a whole.

    {"subject":…, "request_id":…, "made_at":…, "holders":[
      {"holder_id":…, "held":[{"kind":…, "count":…}], "items":[
        {"kind":…, "item_id":…, "occurred_at":…, "data":{…}}]}]}

`held` is what the holder's answer named, so that a reader sees whether anything is missing among the items.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from candor_rights.domain.task import KindCount


class NotAnItem(ValueError):
    """What a holder exported is no JSON object."""


@dataclass(frozen=True)
class Item:
    """One thing a holder holds about the person; `data` is a JSON object in UTF-8, as the holder gave it."""

    kind: str
    item_id: str
    occurred_at: datetime | None
    data: bytes


def opening(subject: str, request_id: str, made_at: datetime) -> bytes:
    """The document up to its first holder.

    Source: PIPL 45; GDPR 15(3)
    """
    head = _json({"subject": subject, "request_id": request_id, "made_at": instant(made_at)})
    return head[:-1] + b',"holders":['


def holder_opening(holder_id: str, held: Iterable[KindCount], *, first: bool) -> bytes:
    """A holder up to its first item. `first`: it is the first of the document."""
    head = _json({"holder_id": holder_id, "held": [{"kind": kind.kind, "count": kind.count} for kind in held]})
    return (b"" if first else b",") + head[:-1] + b',"items":['


def item(entry: Item, *, first: bool) -> bytes:
    """One item; its data goes in byte for byte. `first`: it is the first of its holder.

    Raises:
        NotAnItem: The data is no JSON object.
    """
    _check_object(entry.data)
    occurred_at = None if entry.occurred_at is None else instant(entry.occurred_at)
    head = _json({"kind": entry.kind, "item_id": entry.item_id, "occurred_at": occurred_at})
    return (b"" if first else b",") + head[:-1] + b',"data":' + entry.data + b"}"


def holder_closing() -> bytes:
    """The end of a holder."""
    return b"]}"


def closing() -> bytes:
    """The end of the document."""
    return b"]}\n"


def instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _check_object(data: bytes) -> None:
    try:
        parsed = json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise NotAnItem(f"no JSON: {type(error).__name__}") from error
    if not isinstance(parsed, dict):
        raise NotAnItem(f"a JSON object was expected, this is {type(parsed).__name__}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON (RFC 8259)")
