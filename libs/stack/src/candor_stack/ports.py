"""Loopback ports: free when first chosen, and the same again at the next start."""

import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
_FIRST = 20_000
_DEFAULT_FIRST_OF_OUTGOING = 32_768  # Linux's
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 200


class Ports:
    """Ports by name, remembered in a file. A remembered port that somebody else holds now is replaced."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, int] = _read(file)

    def choose(self, names: Sequence[str]) -> dict[str, int]:
        """One free port per name, kept from last time where possible, and remembered."""
        chosen: dict[str, int] = {}
        with _Reserved() as reserved:
            for name in names:
                chosen[name] = reserved.take(self._known.get(name))
        self._known.update(chosen)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._known, indent=2) + "\n", encoding="utf-8")
        return chosen


class _Reserved:
    """Holds the chosen ports bound until all are chosen, so that no two names get the same."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._sockets:
            held.close()

    def take(self, wanted: int | None) -> int:
        held = (_bound(wanted) if wanted else None) or _anywhere()
        if held is None:
            raise OSError("no free TCP port on the loopback interface")
        self._sockets.append(held)
        port: int = held.getsockname()[1]
        return port


def _anywhere() -> socket.socket | None:
    """A free port below those that the kernel gives to outgoing connections.

    A port from among those could be taken by anybody's connection between a server's kill and its restart.
    """
    for _ in range(_TRIES):
        held = _bound(random.randrange(_FIRST, _first_of_outgoing()))  # noqa: S311 - a port is no secret
        if held is not None:
            return held
    return _bound(0)


def _first_of_outgoing() -> int:
    try:
        first = int(_OUTGOING.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_FIRST_OF_OUTGOING
    return first if first > _FIRST else _DEFAULT_FIRST_OF_OUTGOING


def _bound(port: int) -> socket.socket | None:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As the servers do: connections of the last run that linger in TIME_WAIT do not make the port taken.
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        candidate.bind((LOOPBACK, port))
        candidate.listen(1)
    except OSError:
        candidate.close()
        return None
    return candidate


def _read(file: Path) -> dict[str, int]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {name: port for name, port in known.items() if isinstance(port, int)}
