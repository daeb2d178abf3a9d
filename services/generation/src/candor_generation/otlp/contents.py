"""What the parts of a message are, in the shapes that instrumentations write them in."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator

from candor_generation.otlp.messages import TEXT, Message, Part
from candor_generation.otlp.values import canonical, text_of

_MEDIA = frozenset({"blob", "uri", "file"})
_BASE64 = ";base64"


def message_of(value: object, role: str = "") -> Message:
    """Read one message: of the current conventions (`parts`) or as OpenAI's interface writes it (`content`).

    Args:
        value: a message, or a text alone.
        role: the role where the message names none.
    """
    if not isinstance(value, dict):
        return Message(role, tuple(_openai_content(value)))
    named = text_of(value.get("role")) or role
    if isinstance(value.get("parts"), list):
        return Message(named, tuple(_part(part) for part in value["parts"]))
    return Message(named, tuple(_openai_message(value, named)))


def instructions_of(value: object) -> Message | None:
    """Read `gen_ai.system_instructions`: a list of parts, or a text."""
    parts = tuple(_part(part) for part in value) if isinstance(value, list) else tuple(_openai_content(value))
    return Message("system", parts) if parts else None


def _part(value: object) -> Part:
    """Read a part of the current conventions.

    Spec: OpenTelemetry GenAI input messages
    """
    if not isinstance(value, dict):
        return Part(TEXT, text_of(value))
    kind = text_of(value.get("type")) or TEXT
    if kind in _MEDIA:
        return _media_part(kind, value)
    body = next(
        (value[name] for name in ("content", "arguments", "response", kind) if value.get(name) is not None), None
    )
    if body is None and kind != TEXT:
        body = {name: item for name, item in value.items() if name not in ("type", "id", "name") and item is not None}
        body = body or None
    words = () if kind in (TEXT, "reasoning") else _words(value, "name", "id")
    return Part(kind, text_of(body), words)


def _media_part(kind: str, value: dict[str, object]) -> Part:
    modality, mime = text_of(value.get("modality")) or "media", text_of(value.get("mime_type"))
    if kind == "blob":
        return Part(modality, fingerprint(value.get("content"), mime))
    if kind == "uri":
        return Part(modality, address(text_of(value.get("uri")), mime))
    return Part(modality, " ".join(word for word in (mime, "file", text_of(value.get("file_id"))) if word))


def _openai_message(value: dict[str, object], role: str) -> Iterator[Part]:
    """Read a message as OpenAI's chat interface and the events until 1.36 write it."""
    content = value.get("content")
    if role == "tool":
        yield Part("tool_call_response", text_of(content), _words(value, "tool_call_id", "id"))
    else:
        yield from _openai_content(content)
    if value.get("refusal"):
        yield Part("refusal", text_of(value["refusal"]))
    yield from tool_calls_of(value.get("tool_calls"))


def tool_calls_of(value: object) -> Iterator[Part]:
    """Read tool calls: with `function` around name and arguments, as OpenAI writes them, or without."""
    for call in value if isinstance(value, list) else ():
        if not isinstance(call, dict):
            yield Part("tool_call", text_of(call))
            continue
        function = call.get("function")
        told = function if isinstance(function, dict) else call
        words = tuple(text_of(word) for word in (told.get("name"), call.get("id")) if word)
        yield Part("tool_call", text_of(told.get("arguments")), words)


def _openai_content(value: object) -> Iterator[Part]:
    if value is None:
        return
    for item in value if isinstance(value, list) else (value,):
        yield _openai_item(item) if isinstance(item, dict) else Part(TEXT, text_of(item))


def _openai_item(item: dict[str, object]) -> Part:
    kind = text_of(item.get("type")) or TEXT
    if isinstance(item.get("text"), str) and kind.endswith(TEXT):
        return Part(TEXT, text_of(item["text"]))
    url = _find(item, ("image_url", "url"), ("image", "image", "url"), ("image_url",), ("url",))
    if isinstance(url, str):
        return Part(kind.removesuffix("_url").removeprefix("input_"), address(url, ""))
    audio = _find(item, ("input_audio", "data"), ("audio", "audio", "url"))
    if isinstance(audio, str):
        return Part("audio", fingerprint(audio, ""))
    if isinstance(item.get("content"), str) and kind == TEXT:
        return Part(TEXT, text_of(item["content"]))
    return Part(kind, canonical(item))


def _find(item: object, *paths: tuple[str, ...]) -> object:
    for path in paths:
        found: object = item
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str):
            return found
    return None


def address(url: str, mime: str) -> str:
    """Write where content is; content that stands in the address itself is written as its fingerprint (RFC 2397)."""
    if not url.startswith("data:"):
        return f"{mime} {url}".strip()
    head, _, data = url.removeprefix("data:").partition(",")
    named = mime or head.removesuffix(_BASE64)
    return fingerprint(data if head.endswith(_BASE64) else data.encode("utf-8", "surrogatepass"), named)


def fingerprint(content: object, mime: str) -> str:
    """Write content as its media type, SHA-256 and size; text is taken as base64 where it is that."""
    data = content if isinstance(content, bytes) else _decoded(text_of(content))
    return f"{mime} sha256:{hashlib.sha256(data).hexdigest()} {len(data)} bytes".strip()


def _decoded(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw


def _words(value: dict[str, object], *names: str) -> tuple[str, ...]:
    return tuple(text_of(value[name]) for name in names if value.get(name) is not None)


def messages_of(values: Iterable[object], role: str = "") -> list[Message]:
    """Read a list of messages."""
    return [message_of(value, role) for value in values]
