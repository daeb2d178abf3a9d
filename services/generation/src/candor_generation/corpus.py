"""Benign texts: what nobody should be stopped for. A feature is held against them before it screens.

Public word lists are found in up to 85 % of ordinary posts, so a feature's hit rate on ordinary texts is measured
before anybody relies on it. The built-in sample holds ordinary sentences, many of them with words that hold a worse
one (大麻烦, 死胡同, Scunthorpe); an operator adds texts of the deployment's own kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from candor_kit.errors import ConfigError

_BUILT_IN = "benign.jsonl"
_MOST_TEXTS = 200_000
_LONGEST = 100_000


@dataclass(frozen=True)
class Corpus:
    """Benign texts, in the order of their files."""

    texts: tuple[str, ...]

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the texts, each with its length in front, 32 bytes: what a hit rate was measured against."""
        digest = hashlib.sha256()
        for text in self.texts:
            encoded = text.encode()
            digest.update(len(encoded).to_bytes(4, "big") + encoded)
        return digest.digest()


def load(own: Path | None) -> Corpus:
    """The built-in texts and the operator's own.

    Args:
        own: a file of JSON lines, or a folder of them (`*.jsonl`); a line is a string or an object with a "text".

    Raises:
        ConfigError: naming the file and the line.
    """
    built_in = resources.files("candor_generation") / _BUILT_IN
    texts = list(_lines(_BUILT_IN, built_in.read_text(encoding="utf-8")))
    for path in _files(own):
        texts.extend(_lines(str(path), _read(path)))
        if len(texts) > _MOST_TEXTS:
            raise ConfigError(f"CANDOR_BENIGN_CORPUS holds more than {_MOST_TEXTS} texts; a sample is enough")
    return Corpus(tuple(texts))


def _files(own: Path | None) -> Sequence[Path]:
    if own is None:
        return ()
    if own.is_dir():
        found = sorted(own.glob("*.jsonl"))
        if not found:
            raise ConfigError(f"CANDOR_BENIGN_CORPUS {own} holds no file *.jsonl")
        return found
    return (own,)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"CANDOR_BENIGN_CORPUS {path}: {type(error).__name__}; it must be readable UTF-8") from error


def _lines(name: str, content: str) -> Iterator[str]:
    # Not splitlines(): that also cuts at U+2028, which a JSON string may hold as it is.
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{name} line {number} is no JSON") from error
        text = row.get("text") if isinstance(row, dict) else row
        if not isinstance(text, str) or not text or len(text) > _LONGEST:
            raise ConfigError(f"{name} line {number}: a string, or an object whose text is one, of 1 to {_LONGEST}")
        yield text
