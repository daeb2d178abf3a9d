"""Plain text and Markdown: the label stands in YAML front matter, which is all the metadata a text can have.

Source: TC260-PG-20258A
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import BinaryIO

from candor_generation.carriers.base import KEY, copy_rest, malformed, size_of, too_large
from candor_generation.domain.label import Label

FRONT_MATTER_LIMIT = 256 * 1024
"""The longest front matter that is looked for, in bytes."""

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OPENING = re.compile(rb"---[ \t]*\r?\n")
_CLOSING = re.compile(rb"^(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_BLOCK = re.compile(
    rb"""^(?:AIGC|"AIGC"|'AIGC')[ \t]*:(?P<inline>[^\r\n]*)\r?\n?(?P<lines>(?:[ \t]++[^\r\n]*+(?:\r?\n|\Z))*+)""",
    re.MULTILINE,
)
_LINE = re.compile(r"""[ \t]+(?P<quote>['"]?)(?P<key>\w+)(?P=quote)[ \t]*:[ \t]*(?P<value>.*)""")


@dataclass(frozen=True)
class FrontMatter:
    """Where the front matter of a text stands.

    Attributes:
        mark: the byte order mark in front of the text, or nothing.
        content: what stands between its rules, with line feeds; None where there is none.
        end: where the text proper begins.
    """

    mark: bytes
    content: bytes | None
    end: int


class Text:
    """The carrier for plain text and Markdown, in UTF-8 or any other encoding that ASCII is part of."""

    media_types = ("text/plain", "text/markdown", "text/x-markdown")

    def read(self, source: BinaryIO) -> list[str]:
        """See `Carrier.read`."""
        content = front_matter(source).content
        return [_value(block) for block in _BLOCK.finditer(content)] if content is not None else []

    def write(self, source: BinaryIO, destination: BinaryIO, label: Label) -> None:
        """See `Carrier.write`."""
        found = front_matter(source)
        content = found.content or b""
        end_of_line = b"\r\n" if b"\r\n" in content else b"\n"
        destination.write(found.mark + b"---" + end_of_line + _block(label, end_of_line))
        destination.write(_BLOCK.sub(b"", content))
        destination.write(b"---" + end_of_line)
        source.seek(found.end)
        copy_rest(source, destination)


def front_matter(source: BinaryIO) -> FrontMatter:
    """Find the front matter of a text.

    Raises:
        CarrierError: FILE_MALFORMED, the text is in an encoding that ASCII is no part of; FILE_TOO_LARGE.
    """
    size = size_of(source)
    head = source.read(FRONT_MATTER_LIMIT)
    if head.startswith(_WIDE) or b"\0" in head:
        raise malformed("the file is no text in UTF-8 or another encoding that ASCII is part of")
    mark = codecs.BOM_UTF8 if head.startswith(codecs.BOM_UTF8) else b""
    opening = _OPENING.match(head, len(mark))
    closing = _CLOSING.search(head, opening.end()) if opening else None
    if opening is None or closing is None:
        if opening is not None and size > FRONT_MATTER_LIMIT and _BLOCK.search(head):
            raise too_large(f"the front matter is longer than {FRONT_MATTER_LIMIT} bytes")
        return FrontMatter(mark, None, len(mark))
    return FrontMatter(mark, head[opening.end() : closing.start()], closing.end())


def _block(label: Label, end_of_line: bytes) -> bytes:
    """The label as YAML: every value in single quotes, so that none is read as a number."""
    lines = [f"{KEY}:", *(f"  {key}: {_quoted(value)}" for key, value in label.keys.items())]
    return b"".join(line.encode() + end_of_line for line in lines)


def _quoted(value: str) -> str:
    """A YAML string in single quotes, or in double quotes where it holds what these cannot."""
    return "'" + value.replace("'", "''") + "'" if value.isprintable() else json.dumps(value)


def _value(block: re.Match[bytes]) -> str:
    """A label as text: what stands on the key's line, or the lines below it as JSON."""
    inline = _scalar(block["inline"].decode("utf-8", "replace"))
    if inline:
        return inline
    pairs = [_LINE.fullmatch(line) for line in block["lines"].decode("utf-8", "replace").splitlines()]
    return json.dumps({pair["key"]: _scalar(pair["value"]) for pair in pairs if pair})


def _scalar(text: str) -> str:
    """A YAML scalar on one line."""
    text = text.strip()
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text.partition(" #")[0].rstrip()
