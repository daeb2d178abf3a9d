"""The dialects in which a call to a model is told, read into one form.

Spec: OpenTelemetry GenAI client inference; OpenTelemetry GenAI 1.36; OpenInference LLM
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from candor_generation.otlp import contents
from candor_generation.otlp.messages import TEXT, Exchange, Message, Part, joined
from candor_generation.otlp.reasons import Unusable, Why
from candor_generation.otlp.values import Attributes, from_json, text_of

DETAILS = "gen_ai.client.inference.operation.details"
CHOICE = "gen_ai.choice"
MESSAGES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_OLD_PROMPT, _OLD_COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
EVENTS = frozenset({DETAILS, CHOICE, *MESSAGES, _OLD_PROMPT, _OLD_COMPLETION})

_GENERATES = frozenset({"chat", "text_completion", "generate_content"})
_OLD_GENERATES = frozenset({"chat", "completion"})
_HIDDEN = "__REDACTED__"
_LONGEST_INDEX = 6
Tree: TypeAlias = "dict[str, object]"


@dataclass(frozen=True)
class Event:
    """An event of a span, or a log record that is one.

    Attributes:
        name: of `EVENTS`.
        body: what it says, for the events until 1.36.
        attributes: what it says, for the current one.
    """

    name: str
    body: object
    attributes: Attributes


def generates(attributes: Attributes) -> bool | None:
    """Whether a span tells of a generation; None where only its content can tell.

    A retrieval, an embedding, a tool's or an agent's span does not, though an agent's may repeat the messages of the
    calls below it.
    """
    operation = text_of(attributes.get("gen_ai.operation.name"))
    if operation:
        return True if operation in _GENERATES else _unknown(operation)
    kind = text_of(attributes.get("openinference.span.kind"))
    if kind:
        return kind.upper() == "LLM"
    old = text_of(attributes.get("llm.request.type"))
    if old:
        return old in _OLD_GENERATES
    return None if any(name.startswith(("gen_ai.", "llm.")) for name in attributes) else False


def _unknown(operation: str) -> bool | None:
    known = ("embeddings", "execute_tool", "create_agent", "invoke_agent", "invoke_workflow", "plan", "retrieval")
    return False if operation in known or operation.endswith("_memory") else None


def of_span(attributes: Attributes, events: Sequence[Event]) -> Exchange:
    """Read the exchange that a span carries itself: in the first dialect that answers, or else that asks.

    Raises:
        Unusable: MALFORMED_CONTENT.
    """
    asked = Exchange()
    for exchange in (read(attributes) for read in (of_current, of_openllmetry, of_openinference)):
        if exchange.answered:
            return exchange
        asked = asked if asked.inputs else exchange
    told = of_events(events)
    return told if told.answered or not asked.inputs else asked


def of_current(attributes: Attributes) -> Exchange:
    """The current conventions, dialect 3."""
    system = _structured(attributes, "gen_ai.system_instructions")
    instructions = contents.instructions_of(system) if system is not None else None
    inputs = _list(attributes, "gen_ai.input.messages", "user")
    outputs = _list(attributes, "gen_ai.output.messages", "assistant")
    return Exchange(joined([*([instructions] if instructions else []), *inputs]), joined(outputs))


def _structured(attributes: Attributes, name: str) -> object:
    value = attributes.get(name)
    return from_json(value, name) if isinstance(value, str) and value else value


def _list(attributes: Attributes, name: str, role: str) -> list[Message]:
    value = _structured(attributes, name)
    if not value:
        return []
    if isinstance(value, (dict, str)):
        value = [value]
    if not isinstance(value, list):
        raise Unusable(Why.MALFORMED_CONTENT, f"{name} is not a list of messages")
    return contents.messages_of(value, role)


def of_openllmetry(attributes: Attributes) -> Exchange:
    """OpenLLMetry until 0.52, dialect 2."""
    inputs = [_llmetry(item, "user") for item in _numbered(tree(attributes, "gen_ai.prompt."))]
    outputs = [_llmetry(item, "assistant") for item in _numbered(tree(attributes, "gen_ai.completion."))]
    return Exchange(joined(inputs), joined(outputs))


def _llmetry(item: object, role: str) -> Message:
    if not isinstance(item, dict):
        return contents.message_of(item, role)
    content = item.get("content")
    calls = list(_numbered(item.get("tool_calls")))
    return contents.message_of({**item, "content": _items_in(content), "tool_calls": calls}, role)


def _items_in(content: object) -> object:
    """OpenLLMetry writes the items of a content of several kinds as JSON in one attribute."""
    if not (isinstance(content, str) and content.startswith("[{")):
        return content
    try:
        items = from_json(content, "gen_ai.prompt")
    except Unusable:
        return content
    typed = isinstance(items, list) and all(isinstance(item, dict) and "type" in item for item in items)
    return items if typed else content


def of_openinference(attributes: Attributes) -> Exchange:
    """OpenInference, dialect 4; `input.value` and `output.value` stand in where no messages were written."""
    inputs = [_inferred(item, "user") for item in _numbered(tree(attributes, "llm.input_messages."))]
    outputs = [_inferred(item, "assistant") for item in _numbered(tree(attributes, "llm.output_messages."))]
    if text_of(attributes.get("openinference.span.kind")).upper() == "LLM":
        inputs = inputs or _whole(attributes.get("input.value"), "user")
        outputs = outputs or _whole(attributes.get("output.value"), "assistant")
    return Exchange(joined(inputs), joined(outputs))


def _whole(value: object, role: str) -> list[Message]:
    text = text_of(value)
    return [Message(role, (Part(TEXT, text),))] if text and text != _HIDDEN else []


def _inferred(item: object, role: str) -> Message:
    message = _below(item, "message")
    items = [_below(content, "message_content") for content in _numbered(message.get("contents"))]
    calls = [_below(call, "tool_call") for call in _numbered(message.get("tool_calls"))]
    return contents.message_of({**message, "content": items or message.get("content"), "tool_calls": calls}, role)


def _below(item: object, name: str) -> Tree:
    found = item.get(name) if isinstance(item, dict) else None
    return found if isinstance(found, dict) else {}


def tree(attributes: Attributes, prefix: str) -> Tree:
    """Turn attributes `<prefix>0.role`, `<prefix>0.content`, … into the tree that their names write."""
    found: Tree = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            *path, last = name.removeprefix(prefix).split(".", maxsplit=12)
            node = found
            for step in path:
                child = node.setdefault(step, {})
                if not isinstance(child, dict):
                    break
                node = child
            else:
                node.setdefault(last, value)
    return found


def _numbered(node: object) -> Iterator[object]:
    """What stands below numbers, in their order; other names below are of something else."""
    if isinstance(node, dict):
        numbers = [name for name in node if name.isascii() and name.isdecimal() and len(name) <= _LONGEST_INDEX]
        for name in sorted(numbers, key=int):
            yield node[name]
    elif isinstance(node, list):
        yield from node


def of_events(events: Iterable[Event]) -> Exchange:
    """The events until 1.36, dialect 1, and the current one; the current one goes first, because it is whole.

    Args:
        events: those of one span, in the order they were made in.
    """
    given = list(events)
    for event in given:
        if event.name == DETAILS:
            exchange = of_current(event.attributes)
            if exchange.answered:
                return exchange
    inputs = [contents.message_of(_body(event), MESSAGES[event.name]) for event in given if event.name in MESSAGES]
    for event in given:
        if event.name == _OLD_PROMPT:
            inputs.extend(_list(event.attributes, "gen_ai.prompt", "user"))
    return Exchange(joined(inputs), joined(_choices(given)))


def _choices(events: Iterable[Event]) -> list[Message]:
    chosen: list[tuple[int, Message]] = []
    for event in events:
        if event.name == CHOICE:
            body = _body(event)
            number = body.get("index")
            index = number if isinstance(number, int) else len(chosen)
            chosen.append((index, contents.message_of(_choice(body), "assistant")))
        elif event.name == _OLD_COMPLETION:
            chosen.extend(
                (len(chosen), message) for message in _list(event.attributes, "gen_ai.completion", "assistant")
            )
    return [message for _index, message in sorted(chosen, key=lambda item: item[0])]


def _choice(body: Tree) -> object:
    """A choice holds its message; some write the tool calls beside it, and some no message around the content."""
    message = body.get("message")
    if message is None:
        return {name: value for name, value in body.items() if name in ("role", "content", "tool_calls")}
    if isinstance(message, dict) and body.get("tool_calls") and not message.get("tool_calls"):
        return {**message, "tool_calls": body["tool_calls"]}
    return message


def _body(event: Event) -> Tree:
    """What an event says: its body, or the JSON in `gen_ai.event.content`, or its attributes."""
    body = event.body
    told = event.attributes.get("gen_ai.event.content")
    if body is None and isinstance(told, str):
        body = from_json(told, "gen_ai.event.content")
    elif isinstance(body, str) and body.startswith("{"):
        body = from_json(body, event.name)
    if isinstance(body, dict):
        return body
    return dict(event.attributes) if body is None else {"content": body}
