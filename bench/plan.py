"""What a run of the bench is to do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        records: how many records the ingest figures are about.
        warm: how many come before them and are not measured.
        tail: how many come after them, so that the last of them find the same load as the first.
        subjects: how many different people they are of.
        terms: how many terms the feature library holds.
        takers: how many processes take from the intake topic; a further one writes the logs.
        seconds: for how long delay is measured and a database is slow.
        writers: how many entries Tessera's load generator has under way at once.
        folder: where broker, database and logs lie meanwhile.
        cache: where what is fetched and built is kept.
        keep: leave the folder.
    """

    records: int
    folder: Path
    cache: Path
    takers: int = 2
    subjects: int = 50_000
    terms: int = 50_000
    seconds: float = 30.0
    writers: int = 2048
    keep: bool = False

    @property
    def warm(self) -> int:
        """1 % of the records."""
        return self.records // 100

    @property
    def tail(self) -> int:
        """5 % of the records."""
        return self.records // 20

    @property
    def produced(self) -> int:
        """All that is put on the topic."""
        return self.warm + self.records + self.tail


def data(name: str) -> Path | None:
    """A file of real data, from the folder that CANDOR_TEST_DATA names or from ../shared/data; None: there is none."""
    named = os.environ.get("CANDOR_TEST_DATA")
    path = (Path(named) if named else _SHARED) / name
    return path if path.exists() else None
