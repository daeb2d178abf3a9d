"""Secrets in the on-call file: ``${NAME}`` is a variable of the environment, ``${file:/path}`` what a file holds."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_REFERENCE = re.compile(r"\$\{(?:file:(?P<file>[^}]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*))\}")
_LARGEST = 65_536
PLACEHOLDER = "unset"

Fill = Callable[[str], str]


def filled_from(environment: Mapping[str, str]) -> Fill:
    """What puts the secrets of an environment and of files into a text.

    The result raises ValueError, which names the variable or file that is missing and nothing of what another holds.
    """
    return lambda text: _REFERENCE.sub(lambda found: _secret(found, environment), text)


def left_out(text: str) -> str:
    """The text with a placeholder for every secret: to look at a file where the secrets are not at hand."""
    if _REFERENCE.fullmatch(text):
        return "https://unset.invalid/unset"
    return _REFERENCE.sub(PLACEHOLDER, text)


def _secret(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if name := found["name"]:
        if not environment.get(name):
            raise ValueError(f"the variable {name} is not set")
        return environment[name]
    file = Path(found["file"])
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_LARGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file {file} cannot be read: {type(error).__name__}") from None
    if not text:
        raise ValueError(f"the file {file} is empty")
    return text
