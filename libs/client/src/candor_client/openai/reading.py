"""What was asked and what was generated, read from arguments and answers of three kinds of call.

Answers are read by their attributes, so those of every client of OpenAI's kind will do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_DATA = "data:"


class Texts:
    """The pieces of one answer, gathered as they come: per choice the parts, each kept in the order it began."""

    def __init__(self) -> None:
        self.model = ""
        self._choices: dict[Any, dict[Any, list[str]]] = {}

    def add(self, choice: Any, part: Any, text: Any) -> None:  # noqa: ANN401 - keys of the answer's own
        """Add a piece of text to a part of a choice."""
        if text:
            self._choices.setdefault(choice, {}).setdefault(part, []).append(str(text))

    def forget(self) -> None:
        """Begin anew: the whole answer follows its pieces."""
        self._choices.clear()

    def outputs(self) -> list[str]:
        """Return the text of each choice that has any."""
        return ["\n\n".join("".join(pieces) for pieces in parts.values()) for parts in self._choices.values()]


@dataclass(frozen=True)
class Kind:
    """How one kind of call is read.

    Attributes:
        prompt: from the arguments of a call.
        read: adds what an answer holds, whole or one chunk of a stream.
    """

    prompt: Callable[[Mapping[str, Any]], str]
    read: Callable[[Texts, Any], None] = field(repr=False)


def _chat_prompt(call: Mapping[str, Any]) -> str:
    return _conversation(call.get("messages") or ())


def _read_chat(texts: Texts, answer: Any) -> None:  # noqa: ANN401 - whatever the client answers with
    texts.model = texts.model or _get(answer, "model") or ""
    for position, choice in enumerate(_get(answer, "choices") or ()):
        said = _get(choice, "message") or _get(choice, "delta")
        index = _get(choice, "index")
        _read_message(texts, position if index is None else index, said)


def _read_message(texts: Texts, choice: int, said: Any) -> None:  # noqa: ANN401 - as above
    for part in ("reasoning_content", "content", "refusal"):
        texts.add(choice, part, _text_of(_get(said, part)))
    texts.add(choice, "audio", _get(_get(said, "audio"), "transcript"))
    for position, tool in enumerate(_get(said, "tool_calls") or ()):
        index = _get(tool, "index")
        key = ("tool", position if index is None else index)
        function = _get(tool, "function")
        if _get(function, "name"):
            texts.add(choice, key, f"[tool_call] {_get(function, 'name')} ")
        texts.add(choice, key, _get(function, "arguments"))


def _responses_prompt(call: Mapping[str, Any]) -> str:
    given = call.get("input") or ""
    asked = given if isinstance(given, str) else _conversation(given)
    instructions = call.get("instructions")
    return f"system: {instructions}\n{asked}" if isinstance(instructions, str) and instructions else asked


def _read_response(texts: Texts, answer: Any) -> None:  # noqa: ANN401 - as above
    kind = _get(answer, "type") or ""
    whole = _get(answer, "response")
    if kind.startswith("response.") and kind.endswith(".delta"):
        # Text that is shown, refusals, reasoning, and the arguments of calls. Audio is told by its transcript.
        if kind != "response.audio.delta":
            texts.add(0, (_get(answer, "output_index"), kind, _get(answer, "content_index")), _get(answer, "delta"))
    elif whole is not None:
        texts.model = texts.model or _get(whole, "model") or ""
        if _get(whole, "output"):
            texts.forget()
            _read_whole_response(texts, whole)
    elif _get(answer, "output") is not None:
        _read_whole_response(texts, answer)


def _read_whole_response(texts: Texts, response: Any) -> None:  # noqa: ANN401 - as above
    texts.model = _get(response, "model") or texts.model
    for position, item in enumerate(_get(response, "output") or ()):
        for part, said in enumerate([*(_get(item, "summary") or ()), *(_get(item, "content") or ())]):
            texts.add(0, (position, part), _get(said, "text") or _get(said, "refusal"))
        if _get(item, "arguments"):
            texts.add(0, position, f"[tool_call] {_get(item, 'name')} {_get(item, 'arguments')}")


def _completions_prompt(call: Mapping[str, Any]) -> str:
    asked = call.get("prompt") or ""
    return asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False, default=str)


def _read_completion(texts: Texts, answer: Any) -> None:  # noqa: ANN401 - as above
    texts.model = texts.model or _get(answer, "model") or ""
    for position, choice in enumerate(_get(answer, "choices") or ()):
        index = _get(choice, "index")
        texts.add(position if index is None else index, "text", _get(choice, "text"))


CHAT = Kind(_chat_prompt, _read_chat)
RESPONSES = Kind(_responses_prompt, _read_response)
COMPLETIONS = Kind(_completions_prompt, _read_completion)


def _conversation(messages: Iterable[Any]) -> str:
    """One line for each message: "user: Why is the sky blue?"."""
    return "\n".join(_line(message) for message in messages)


def _line(message: Any) -> str:  # noqa: ANN401 - a mapping or an object of the client's
    role = _get(message, "role") or _get(message, "type") or ""
    said = [_text_of(_get(message, "content"))]
    said += [
        f"[tool_call] {_get(_get(tool, 'function'), 'name')} {_get(_get(tool, 'function'), 'arguments')}"
        for tool in _get(message, "tool_calls") or ()
    ]
    said += [str(_get(message, key)) for key in ("arguments", "output") if _get(message, key)]
    return f"{role}: {' '.join(text for text in said if text)}"


def _text_of(content: Any) -> str:  # noqa: ANN401 - text, parts of content, or nothing
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(_part(part) for part in content)


def _part(part: Any) -> str:  # noqa: ANN401 - as above
    text = part if isinstance(part, str) else _get(part, "text") or _get(part, "refusal")
    if isinstance(text, str):
        return text
    kind = str(_get(part, "type") or "part")
    value = _get(part, kind)
    return f"[{kind} {_named(next(filter(None, (_get(value, key) for key in ('url', 'data', 'file_data'))), value))}]"


def _named(content: Any) -> str:  # noqa: ANN401 - as above
    """A link as it is; content by its SHA-256."""
    if isinstance(content, str) and content.startswith(("http:", "https:")):
        return content
    return "sha256:" + hashlib.sha256(str(content).encode("utf-8", "replace")).hexdigest()


def _get(thing: Any, name: str) -> Any:  # noqa: ANN401 - as above
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
