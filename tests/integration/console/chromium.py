"""A real Chromium: the machine's own, or one that is installed now, or a clear word about what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Headless, and silent towards the outside; no sandbox, because tests may run as root in a container.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MISSING = (
    "the browser test needs a Chromium: install the package 'chromium' of your system, or run "
    "'python -m playwright install --with-deps chromium', or name a binary in CANDOR_CHROMIUM"
)


class NoChromiumError(RuntimeError):
    """There is no Chromium, and none could be installed; the message says what to install."""


@cache
def executable() -> str:
    """The path of a Chromium that starts. Raises NoChromiumError."""
    named = os.environ.get("CANDOR_CHROMIUM", "")
    if named:
        if not _starts(named):
            raise NoChromiumError(f"CANDOR_CHROMIUM names {named}, which does not start")
        return named
    for found in _candidates():
        if _starts(found):
            return found
    raise NoChromiumError(_MISSING)


def _candidates() -> Iterator[str]:
    """What is here first; then what can be brought here."""
    yield from _installed()
    _run([sys.executable, "-m", "playwright", "install", "chromium"])
    yield from _of_playwright()
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "update"])
        _run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
        yield from _installed()


def _installed() -> Iterator[str]:
    yield from (found for name in NAMES if (found := shutil.which(name)))
    yield from _of_playwright()


def _of_playwright() -> Iterator[str]:
    """Where `playwright install` puts its browsers."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "") or Path.home() / ".cache" / "ms-playwright")
    yield from (str(path) for path in sorted(folder.glob("chromium-*/chrome-linux*/chrome"), reverse=True))


def _starts(path: str) -> bool:
    return _run([path, "--version", "--no-sandbox"], patience=60)


def _run(command: list[str], patience: float = 600) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=patience, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
