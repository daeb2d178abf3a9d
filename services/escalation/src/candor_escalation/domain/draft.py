"""What a report's fields say: facts and instants as text, and which are still missing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from candor_escalation.domain.clock import Clock
from candor_escalation.domain.incident import Incident, Json
from candor_escalation.domain.paper import banner, clean, gap, tail, text
from candor_escalation.domain.report import FIRST, Draft

_WORDS: Mapping[str, Mapping[bool, str]] = {"zh": {True: "是", False: "否"}, "en": {True: "yes", False: "no"}}
_COMMA = {"zh": "、", "en": ", "}
_NONE = "—"
"""What stands where there is nothing to tell: the law sets no last instant. No person can fill that."""
_MOST_LETTERS, _MOST_LINES = 8_000, 200
"""Of one field: a typesetter takes minutes for what a backend can put into one fact."""


@dataclass(frozen=True)
class Filled:
    """A value for every field of a form, and the names of those that nothing fills yet.

    ``values`` says in the text which are missing, ``fields`` leaves them empty.
    """

    values: Mapping[str, str]
    missing: tuple[str, ...]
    fields: Mapping[str, str]


def fill(fields: Sequence[str], known: Mapping[str, Json], labels: Mapping[str, str], locale: str) -> Filled:
    """A text for each field; one without a fact says so in the report, by its label."""
    texts = {name: _cut(_text(known.get(name), locale), locale) for name in fields}
    missing = tuple(name for name in fields if not texts[name])
    gaps = {name: gap(labels.get(name, name), locale) for name in missing}
    return Filled({**texts, **gaps}, missing, texts)


def instant(at: datetime | None, zone: tzinfo) -> str:
    """An instant as people of that zone write it, to the minute; empty when there is none."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone})" if at else ""


def built_in(clock: Clock, incident: Incident, recipient: str, zone: tzinfo, now: datetime) -> dict[str, Json]:
    """What every form can name beside the facts of its pack (candor_packs.template.BUILT_IN); none is ever missing."""
    known: dict[str, Json] = {
        "anchor_at": instant(clock.anchor.at, zone),
        "citation": clock.citation,
        "clock_id": clock.clock_id,
        "drafted_at": instant(now, zone),
        "incident_id": incident.incident_id,
        "incident_title": incident.title,
        "legal_latest": instant(clock.legal_latest, zone),
        "recipient": recipient,
        "signals": incident.signals,
        "strict_due": instant(clock.strict_due, zone),
    }
    return {name: value if _text(value, "en") else _NONE for name, value in known.items()}


def written(
    clock_id: str,
    revision: int,
    locale: str,
    template: str,
    filled: Filled,
    labels: Mapping[str, str],
    now: datetime,
    by: str,
    kind: str = FIRST,
    remark: str = "",
    *,
    drill: bool = False,
) -> Draft:
    """The draft of a filled form, with its text and the SHA-256 of that; in a drill the text begins and ends by it."""
    note = clean(remark).strip()
    named = {name: labels[name] for name in filled.fields if name in labels}
    whole = text(template, filled.fields, named, locale, tail(kind, note, locale))
    if drill:
        whole = f"{banner(locale)}\n\n{whole}\n{banner(locale)}\n"
    return Draft(
        clock_id=clock_id,
        revision=revision,
        locale=locale,
        text=whole,
        missing=filled.missing,
        sha256=hashlib.sha256(whole.encode()).digest(),
        drafted_at=now,
        drafted_by=by,
        kind=kind,
        template=template,
        fields=dict(filled.fields),
        labels=named,
        remark=note,
        drill=drill,
    )


def _cut(text: str, locale: str) -> str:
    """A text of a length that a form can hold; one that is longer says so."""
    kept = "\n".join(text.split("\n", _MOST_LINES)[:_MOST_LINES])[:_MOST_LETTERS]
    if kept == text:
        return text
    left = len(text) - len(kept)
    return kept + (
        f"【此处截断：另有{left}字，见事件记录】"
        if locale == "zh"
        else f" [cut here: {left} more letters are on record]"
    )


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
        return _COMMA[locale].join(f"{clean(name)}: {_text(item, locale)}" for name, item in value.items())
    return clean(value).strip()
