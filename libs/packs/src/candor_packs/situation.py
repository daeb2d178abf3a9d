"""What is known of an incident, as a person writes it for `candor policy explain` and `diff`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from candor_packs import document
from candor_packs.assembly import qualified
from candor_packs.document import Document, PackError
from candor_packs.model import Pack
from candor_packs.schema import Case, Fact, Vector, check
from candor_packs.trigger import Value

_TYPED = Path("command line")


@dataclass(frozen=True)
class Situation:
    """Facts of what happened, facts of the company, and the instants that are known."""

    name: str
    facts: Mapping[str, Value]
    profile: Mapping[str, Value]
    anchors: Mapping[str, datetime]

    def concerned(self, packs: tuple[Pack, ...]) -> tuple[Pack, ...]:
        """The packs of its kind: what has only the receipt of a request is no incident."""
        kind = "request" if "kind" not in self.facts and "received_at" in self.anchors else "incident"
        return tuple(pack for pack in packs if pack.kind == kind)


def of_vector(pack: Pack, vector: Vector) -> Situation:
    """The situation of a pack's test vector, its receipts named with the pack."""
    anchors = {qualified(pack.id, name): at for name, at in vector.anchors.items()}
    return Situation(f"{pack.id}: {vector.name}", values(vector.facts), values(vector.profile), anchors)


def read(file: Path | None, facts: Sequence[str], profile: Sequence[str], anchors: Sequence[str]) -> Situation:
    """The situation of a YAML or JSON file, with what stands on the command line as ``name=value`` on top.

    Raises:
        PackError: The file or a value is wrong; of a value, ``file`` says that it was typed.
    """
    case = check(document.read(file), Case) if file else Case()
    typed = {
        "facts": {name: _value(text) for name, text in map(_split, facts)},
        "profile": {name: _value(text) for name, text in map(_split, profile)},
        "anchors": dict(map(_split, anchors)),
    }
    more = check(Document(_TYPED, typed, {}), Case)
    return Situation(
        file.name if file else "",
        values(case.facts) | values(more.facts),
        values(case.profile) | values(more.profile),
        {**case.anchors, **more.anchors},
    )


def values(entries: Mapping[str, Fact]) -> dict[str, Value]:
    """Facts as a file writes them, as a trigger reads them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entries.items()}


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise PackError(_TYPED, 1, "", f"{text!r} is not name=value")
    return name.strip(), value.strip()


def _value(text: str) -> object:
    """``true``, ``12``, ``["CN", "EU"]`` as JSON reads it; anything else is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
