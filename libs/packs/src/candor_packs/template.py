"""The text of a report with named fields, ``${field}``: nothing in it can be executed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template as StringTemplate

from candor_packs.document import PackError

LOCALES = ("zh", "en")

BUILT_IN = frozenset(
    {
        "anchor_at",
        "citation",
        "clock_id",
        "drafted_at",
        "incident_id",
        "incident_title",
        "legal_latest",
        "recipient",
        "signals",
        "strict_due",
    },
)
"""What every report can name beside the facts of its pack."""

_FIELD = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Template:
    """One language's text, and the fields it names in their order."""

    text: str
    fields: tuple[str, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """The text with every field filled. MUST be given a value for each of ``fields``."""
        return StringTemplate(self.text).substitute(values)


def load(file: Path, known: frozenset[str]) -> Template:
    """Read a template and check that it names only what the pack declares.

    Raises:
        PackError: The file is missing, or a field in it is malformed or unknown.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(file, 1, "", f"cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        _check_line(file, number, line, known)
    return Template(text, tuple(dict.fromkeys(_FIELD.findall(text))))


def _check_line(file: Path, number: int, line: str, known: frozenset[str]) -> None:
    if "$" in _FIELD.sub("", line):
        raise PackError(file, number, "", "a field is written ${name}")
    for name in _FIELD.findall(line):
        if name not in known:
            raise PackError(file, number, name, "is neither a fact of the pack nor built in")
