"""Show the lines a child writes to its log, as they come."""

import threading
from collections.abc import Callable
from pathlib import Path

Show = Callable[[str, str], None]  # (name of the child, one line)

_PAUSE = 0.1  # seconds between two looks at the file


class Follower:
    """Calls `show(name, line)` for every line added to a log after `start`."""

    def __init__(self, name: str, log_file: Path, show: Show) -> None:
        self._name = name
        self._file = log_file
        self._show = show
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow-{name}", daemon=True)
        self._position = log_file.stat().st_size if log_file.exists() else 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Show what has been written until now, and end."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_PAUSE):
            self._show_new()
        self._show_new()

    def _show_new(self) -> None:
        try:
            with self._file.open("rb") as file:
                if file.seek(0, 2) < self._position:  # a new log has taken its place
                    self._position = 0
                file.seek(self._position)
                text = file.read()
        except FileNotFoundError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._position += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            self._show(self._name, line)
