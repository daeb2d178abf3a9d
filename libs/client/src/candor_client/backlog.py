"""The spool's delivering side: what is still to be sent, in the order it was kept. One process at a time."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from candor_client import frames
from candor_client.errors import Refused, SpoolDamaged
from candor_client.folder import Folder, Position
from candor_client.sealing import Seal

_REFUSED = ".refused"


@dataclass(frozen=True)
class Entry:
    """A record to send, and where it ends."""

    record: bytes
    end: Position


@dataclass(frozen=True)
class SetAside:
    """A record that Candor refused after its caller was gone. It stays in the spool's folder until it is repaired.

    Attributes:
        record: a serialised candor.generation.v1.RecordRequest.
    """

    generation_id: str
    reason: str
    message: str
    record: bytes


class Backlog:
    """Reads the segments from the cursor on, and removes what is delivered. All of it under `lock`."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self.folder = Folder(folder)
        self._seal = seal
        self._segment = -1
        self._read: deque[frames.Frame | frames.Damage] = deque()

    def lock(self) -> AbstractContextManager[bool]:
        """Hold the right to deliver; False where another process has it."""
        return self.folder.lock("replay", wait=False)

    def batch(self, limit: int) -> list[Entry]:
        """Return up to `limit` records that come next; nothing when all is delivered.

        Raises:
            SpoolDamaged: bytes before the next record are none; they were set aside, and the next call goes on.
            SpoolSealed: the key does not open them.
        """
        while True:
            cursor = self.folder.cursor()
            number = self._current(cursor)
            if number is None:
                return []
            parts = self._parts(number, cursor.offset if number == cursor.segment else 0)
            if parts and isinstance(parts[0], frames.Damage):
                self._set_damage_aside(number, parts[0])
            if parts:
                return [self._entry(number, part) for part in _frames_of(islice(parts, limit))]
            self._finish(number, cursor)

    def done(self, end: Position) -> None:
        """Note that everything up to a position is delivered."""
        self.folder.move_cursor(end)

    def set_aside(self, generation_id: str, record: bytes, refusal: Refused) -> None:
        """Keep a refused record with its reason, so that what stands behind it can go on."""
        reason = json.dumps({"reason": refusal.reason, "message": str(refusal)}).encode()
        self.folder.set_aside(f"{generation_id}{_REFUSED}", reason + b"\n" + self._seal.close(record))

    def refused(self) -> list[SetAside]:
        """Return what was set aside as refused, the oldest in front."""
        return [self._refused(file) for file in sorted(self.folder.aside.glob(f"*{_REFUSED}"))]

    def is_empty(self) -> bool:
        """Whether everything is delivered: a segment of which nothing is left is removed."""
        return not self.folder.segments()

    def _current(self, cursor: Position) -> int | None:
        """The first segment that is not delivered; those before it are removed."""
        for number in self.folder.segments():
            if number >= cursor.segment:
                return number
            self.folder.segment(number).unlink(missing_ok=True)
        return None

    def _parts(self, number: int, offset: int) -> deque[frames.Frame | frames.Damage]:
        """What a segment holds from an offset on. Read again only when everything known of it is delivered."""
        if number != self._segment or not self._read or self._read[-1].end <= offset:
            self._segment, self._read = number, deque(self._scan(number, offset))
        while self._read and self._read[0].end <= offset:
            self._read.popleft()
        return self._read

    def _scan(self, number: int, offset: int) -> list[frames.Frame | frames.Damage]:
        try:
            data = self.folder.segment(number).read_bytes()
        except FileNotFoundError:  # dropped for newer ones
            return []
        return list(frames.scan(data, offset))

    def _entry(self, number: int, frame: frames.Frame) -> Entry:
        return Entry(self._seal.open(frame.payload), Position(number, frame.end))

    def _set_damage_aside(self, number: int, damage: frames.Damage) -> None:
        data = self.folder.segment(number).read_bytes()[damage.start : damage.end]
        name = f"{number:012d}-{damage.start}.damaged"
        self.folder.set_aside(name, data)
        self.done(Position(number, damage.end))
        raise SpoolDamaged(
            f"{len(data)} bytes in the middle of the spool are damaged; kept as {self.folder.aside / name}"
        )

    def _finish(self, number: int, cursor: Position) -> None:
        """Remove a segment of which nothing is left; what may stand behind its last record is a torn write."""
        with self.folder.lock("append", wait=True):
            offset = cursor.offset if number == cursor.segment else 0
            if not self._scan(number, offset):
                # First the cursor, so that the number is not given again.
                self.done(Position(number, offset))
                self.folder.segment(number).unlink(missing_ok=True)

    def _refused(self, file: Path) -> SetAside:
        reason, _, payload = file.read_bytes().partition(b"\n")
        said = json.loads(reason)
        return SetAside(file.name.removesuffix(_REFUSED), said["reason"], said["message"], self._seal.open(payload))


def _frames_of(parts: Iterable[frames.Frame | frames.Damage]) -> list[frames.Frame]:
    """The frames before the first damage."""
    whole: list[frames.Frame] = []
    for part in parts:
        if isinstance(part, frames.Damage):
            break
        whole.append(part)
    return whole
