"""What the demo feeds: generations and posts, from files or from the project's own sample."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from candor.generation.v1 import model_pb2, service_pb2
from candor_kit.ids import uuid7

SUBJECTS = 200


class InputError(Exception):
    """A file cannot be used; the message names the file, the line and the field."""


@dataclass(frozen=True)
class GenerationInput:
    """One generation: what was asked and what a model answered."""

    model: str
    locale: str
    prompt: str
    output: str


@dataclass(frozen=True)
class Post:
    """One post: its text, whether it is a refuted rumour, and after how many seconds each repost came."""

    text: str
    rumour: bool
    locale: str
    explanation: str
    reposts: tuple[float, ...]


def read_generations(path: Path | None) -> list[GenerationInput]:
    """Read generations; without a path the project's own sample.

    Raises:
        InputError: naming the line and the field.
    """
    return [
        GenerationInput(
            _text(item, "model", where), _text(item, "locale", where), _text(item, "prompt", where),
            _text(item, "output", where),
        )
        for where, item in _lines(path, "generations.jsonl")
    ]  # fmt: skip


def read_rumours(path: Path | None) -> list[Post]:
    """Read posts; without a path the project's own sample. Raises InputError."""
    return [
        Post(
            _text(item, "text", where),
            rumour=bool(item.get("rumor")),
            locale=str(item.get("locale", "zh")),
            explanation=str(item.get("explanation") or "经核实，该信息不实，请以权威部门发布的消息为准。"),
            reposts=tuple(float(repost[0]) for repost in item.get("spread", [])),
        )
        for where, item in _lines(path, "rumours.jsonl")
    ]


def records(inputs: list[GenerationInput], until: datetime) -> Iterator[service_pb2.RecordRequest]:
    """Make a record of each generation, spread over the hour before `until` and over `SUBJECTS` accounts."""
    step = timedelta(hours=1) / max(len(inputs), 1)
    for number, item in enumerate(inputs):
        at = until - timedelta(hours=1) + step * number
        yield record(f"account-{number % SUBJECTS:04}", item, at)


def record(subject: str, item: GenerationInput, at: datetime) -> service_pb2.RecordRequest:
    """Make one record, as a product backend does."""
    made = service_pb2.RecordRequest(
        command_id=str(uuid7(datetime.now(UTC))),
        subject=subject,
        provider="demo-provider",
        model=item.model,
        product="demo-chat",
        locale=item.locale,
        modality=model_pb2.MODALITY_TEXT,
        prompt=item.prompt,
        output=item.output,
    )
    made.occurred_at.FromDatetime(at)
    return made


def spreading(posts: list[Post]) -> Post:
    """Return the rumour with the most reposts within an hour of each other."""
    return max((post for post in posts if post.rumour), key=lambda post: _most_in_an_hour(post.reposts))


def _most_in_an_hour(seconds: tuple[float, ...]) -> int:
    ordered = sorted(seconds)
    first, most = 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] > timedelta(hours=1).total_seconds():
            first += 1
        most = max(most, last - first + 1)
    return most


def _lines(path: Path | None, sample: str) -> Iterator[tuple[str, dict[str, Any]]]:
    name = str(path) if path else f"the sample {sample}"
    try:
        text = _read(path, sample)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{name} cannot be read: {error}"
        raise InputError(msg) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            msg = f"{name}, line {number}: no JSON: {error}"
            raise InputError(msg) from error
        if not isinstance(item, dict):
            msg = f"{name}, line {number}: an object was expected"
            raise InputError(msg)
        yield f"{name}, line {number}", item


def _read(path: Path | None, sample: str) -> str:
    if path is None:
        return (resources.files("candor_cli.demo") / sample).read_text(encoding="utf-8")
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read()
    return path.read_text(encoding="utf-8")


def _text(item: dict[str, Any], field: str, where: str) -> str:
    value = item.get(field)
    if not isinstance(value, str) or not value:
        msg = f"{where}: the field {field!r} must be a text that is not empty"
        raise InputError(msg)
    return value


class StoryError(Exception):
    """Something was not as promised."""
