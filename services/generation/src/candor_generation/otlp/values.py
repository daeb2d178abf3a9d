"""OTLP's attribute values (opentelemetry.proto.common.v1.AnyValue) as plain Python values."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from candor_generation.otlp.reasons import Unusable, Why

Attributes: TypeAlias = Mapping[str, object]
_DEEPEST = 64
_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})


def plain(value: AnyValue) -> object:
    """Return a value as str, bool, int, float, bytes, list, dict or None; its depth is bounded by the decoder's."""
    kind = value.WhichOneof("value")
    if kind in _SCALARS:
        return getattr(value, kind)
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    return None


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, object]:
    """Return attributes by name; of a name that comes twice, which the specification forbids, the last."""
    return {pair.key: plain(pair.value) for pair in pairs}


def from_json(text: str, name: str) -> object:
    """Read JSON that an attribute carries as text.

    Raises:
        Unusable: MALFORMED_CONTENT, it is no JSON or is nested more than 64 deep.
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(
            Why.MALFORMED_CONTENT,
            f"{name} is not JSON; does a limit on the length of attributes cut it?"
            " (OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT)",
        ) from error
    _check_depth(value, name)
    return value


def canonical(value: object) -> str:
    """Return a value as JSON text that is the same for equal values: sorted keys, no spaces, bytes in base64."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_encode)


def text_of(value: object) -> str:
    """Return text as it is, nothing as the empty text, anything else as canonical JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical(value)


def _encode(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(type(value).__name__)


def _check_depth(value: object, name: str) -> None:
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise Unusable(Why.MALFORMED_CONTENT, f"{name} is nested more than {_DEEPEST} deep")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
