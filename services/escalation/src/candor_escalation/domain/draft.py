"""What a report's fields say: facts and instants as text, and which are still missing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from candor_escalation.domain.incident import Json
from candor_escalation.domain.report import Draft

_WORDS: Mapping[str, Mapping[bool, str]] = {"zh": {True: "是", False: "否"}, "en": {True: "yes", False: "no"}}
_COMMA = {"zh": "、", "en": ", "}


@dataclass(frozen=True)
class Filled:
    """A value for every field of a form, and the names of those that nothing fills yet."""

    values: Mapping[str, str]
    missing: tuple[str, ...]


def fill(fields: Sequence[str], known: Mapping[str, Json], labels: Mapping[str, str], locale: str) -> Filled:
    """A text for each field; one without a fact says so in the report, by its label."""
    texts = {name: _text(known.get(name), locale) for name in fields}
    missing = tuple(name for name in fields if not texts[name])
    gaps = {name: _gap(labels.get(name, name), locale) for name in missing}
    return Filled({**texts, **gaps}, missing)


def instant(at: datetime | None, zone: tzinfo) -> str:
    """An instant as people of that zone write it, to the minute; empty when there is none."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone})" if at else ""


def written(
    clock_id: str, revision: int, locale: str, text: str, missing: tuple[str, ...], now: datetime, by: str
) -> Draft:
    """The draft of a text, with its SHA-256."""
    return Draft(clock_id, revision, locale, text, missing, hashlib.sha256(text.encode()).digest(), now, by)


def _gap(label: str, locale: str) -> str:
    return f"【待补：{label}】" if locale == "zh" else f"[missing: {label}]"


def _text(value: Json, locale: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _WORDS[locale][value]
    if isinstance(value, (int, float)):
        return f"{value:.0f}" if value == int(value) else f"{value}"
    if isinstance(value, list):
        return _COMMA[locale].join(_text(item, locale) for item in value)
    if isinstance(value, dict):
        return _COMMA[locale].join(f"{name}: {_text(item, locale)}" for name, item in value.items())
    return value.strip()
