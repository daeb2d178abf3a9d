"""A conversation with a model, and how it is written as the text of a record.

The text is a function of the messages alone, so that a retried export gives the same record, and it can be read back
without doubt:

- One message of one text is written as that text: what the person wrote or was shown, byte for byte.
- Anything else is written in blocks, each a line `[role]` or `[kind name id]` and the lines of its body. A message
  opens with `[role]` and its text follows; `[tool_call name id]` with the arguments, `[tool_call_response id]`,
  `[reasoning]`, `[image]`, … follow within it, and `[text]` where text comes after one of those or after a text.
- Several choices are several messages: `[assistant 1]`, `[assistant 2]`, in the order of their index.
- A line of a body that looks like such a heading gets a backslash in front, and so does one that already has
  backslashes in front of a heading; taking one away gives the line back.
- Content that is not text is written as its media type, SHA-256 and size, or as its address; the bytes are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

TEXT = "text"
_HEADING = re.compile(r"^(?=\\*\[[^\[\]\n\r]*\]\r?$)", re.MULTILINE)
_NOT_IN_HEADING = re.compile(r"[\[\]\\\s]+")
_LONGEST_WORD = 128


@dataclass(frozen=True)
class Part:
    """One part of a message.

    Attributes:
        kind: "text", or what it is otherwise: "tool_call", "image", ….
        body: the text of it.
        words: what stands in the heading after the kind: a name, an id.
    """

    kind: str
    body: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """What one side said."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Exchange:
    """What a model was given and what it answered with; one output per choice."""

    inputs: tuple[Message, ...] = ()
    outputs: tuple[Message, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether an output says anything."""
        return any(part.body for message in self.outputs for part in message.parts)

    @property
    def prompt(self) -> str:
        """What the model was given, as the text of a record."""
        return written(self.inputs)

    @property
    def output(self) -> str:
        """What the model answered with, as the text of a record."""
        if len(self.outputs) == 1:
            return written(self.outputs)
        numbered = (_blocks(message, str(number)) for number, message in enumerate(self.outputs, start=1))
        return "\n".join(line for lines in numbered for line in lines)


def written(messages: Sequence[Message]) -> str:
    """Write messages as one text; see the module for the form."""
    if len(messages) == 1:
        bare = _bare(messages[0])
        if bare is not None:
            return bare
    return "\n".join(line for message in messages for line in _blocks(message))


def heading(*words: str) -> str:
    """Write a heading; what could be mistaken for its end becomes a hyphen."""
    return f"[{' '.join(_NOT_IN_HEADING.sub('-', word)[:_LONGEST_WORD] for word in words if word)}]"


def _bare(message: Message) -> str | None:
    """The text of a message that is nothing but one text, unless it would read as blocks."""
    if not message.parts:
        return ""
    if len(message.parts) > 1 or message.parts[0].kind != TEXT:
        return None
    body = message.parts[0].body
    return None if _HEADING.match(body) else body


def _blocks(message: Message, *words: str) -> Iterator[str]:
    yield heading(message.role or "unknown", *words)
    for number, part in enumerate(message.parts):
        if part.kind != TEXT or number:
            yield heading(part.kind or "unknown", *part.words)
        if part.body:
            yield _HEADING.sub(r"\\", part.body)


def joined(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Leave out the messages that say nothing at all."""
    return tuple(message for message in messages if any(part.body or part.words for part in message.parts))
