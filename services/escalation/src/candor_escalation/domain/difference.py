"""What differs between two revisions of a report, field by field."""

from dataclasses import dataclass

from candor_escalation.domain.report import Draft

REMARK = "remark"
TEXT = "text"
_ALWAYS_NEW = frozenset({"drafted_at"})


@dataclass(frozen=True)
class Change:
    """A field that says something else in the later revision; empty: missing there."""

    name: str
    label: str
    before: str
    after: str
    locale: str


def compare(before: Draft, after: Draft) -> tuple[Change, ...]:
    """The fields that differ, in the order of the form, and the remark.

    A draft that has its text only is compared by its text. When it was drafted is no difference.
    """
    if not (before.template and after.template):
        return _changed(TEXT, "", before.text, after.text, after.locale)
    names = [name for name in {**after.fields, **before.fields} if name not in _ALWAYS_NEW]
    changes = [
        change
        for name in names
        for change in _changed(
            name,
            after.labels.get(name) or before.labels.get(name, name),
            before.fields.get(name, ""),
            after.fields.get(name, ""),
            after.locale,
        )
    ]
    return (*changes, *_changed(REMARK, "", before.remark, after.remark, after.locale))


def _changed(name: str, label: str, before: str, after: str, locale: str) -> tuple[Change, ...]:
    return (Change(name, label, before, after, locale),) if before != after else ()
