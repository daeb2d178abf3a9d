"""The log that Tessera's own tests are built on, made again by our writer, byte for byte.

Source: github.com/transparency-dev/tessera v1.0.4, testdata/log, as the Go module proxy gives it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from candor_generation import signing
from candor_generation.domain import note, tiles
from candor_generation.domain.period import Period
from candor_generation.files.folder import FolderStore
from candor_generation.sequencer import Writer
from candor_generation.store.logs import Addition, Log
from go_peers import tessera_log

KEY = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
ORIGIN = "example.com/log/testdata"
ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
ROOT = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="


@pytest.fixture(scope="module")
def golden(jar_cache: Path) -> dict[str, bytes]:
    """The files that a log serves, by path."""
    found = tessera_log(jar_cache / "go")
    return {path: content for path, content in found.items() if not path.startswith(".state/")}


@pytest.mark.clause("C2SP tlog-tiles", "C2SP tlog-checkpoint", "C2SP signed-note", "RFC 6962 2.1")
def test_golden_log_our_writer_lays_every_file_of_it(golden: dict[str, bytes], tmp_path: Path) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    signer = signing.signer_of(KEY)
    folder = tmp_path / "generation" / "2026h1"
    files = FolderStore(tmp_path).of("generation", "2026h1")
    writer = Writer(Log(1, "generation", Period(at, at, "2026h1"), ORIGIN), files, signer)
    laid = {"checkpoint.0": writer.signed().checkpoint.encode()}
    for size, entry in enumerate(ENTRIES, start=1):
        assert writer.lay([Addition(size, size - 1, (entry,))]) == []
        tree = writer.signed()
        writer.files.publish(tree.checkpoint)
        laid[f"checkpoint.{size}"] = (folder / "checkpoint").read_bytes()
    laid |= {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(golden) == 16 + 1 + 15 + 15
    assert laid == golden
    assert note.to_base64(tree.root) == ROOT


@pytest.mark.clause("C2SP tlog-tiles", "C2SP signed-note")
def test_golden_log_every_checkpoint_is_read_and_its_tiles_give_its_root(golden: dict[str, bytes]) -> None:
    vkey = note.parse_vkey(VKEY)
    for size in range(16):
        signed = note.parse_note(golden[f"checkpoint.{size}"].decode())
        note.verify(signed, vkey, signing.holds)
        checkpoint = note.parse_checkpoint(signed.text)
        assert (checkpoint.origin, checkpoint.size) == (ORIGIN, size)
        frontier = tiles.load(size, lambda tile: golden[tile.path])
        assert frontier.root() == checkpoint.root
        assert [*frontier.entries] == ENTRIES[:size]
