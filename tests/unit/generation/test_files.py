"""The log's folder: whole files, and what is there never changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from candor_generation import durable
from candor_generation.domain.tiles import Tile
from candor_generation.files import LogBrokenError, LogFiles


def test_a_tile_is_read_back_and_may_be_written_again_with_the_same_bytes(tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "log")
    tile = Tile(0, 1234067, 3)
    files.write([(tile, b"abc")])
    files.write([(tile, b"abc")])
    assert files.read(tile) == b"abc"
    assert (tmp_path / "log/tile/0/x001/x234/067.p/3").read_bytes() == b"abc"


def test_a_tile_never_changes(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.write([(Tile(0, 0), b"abc")])
    with pytest.raises(LogBrokenError):
        files.write([(Tile(0, 0), b"abd")])
    assert files.read(Tile(0, 0)) == b"abc"


def test_the_checkpoint_is_replaced_whole(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    assert files.checkpoint() is None
    files.publish("one\n")
    files.publish("two\n")
    assert files.checkpoint() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_what_a_stopped_write_left_behind_is_no_file_of_the_log(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.0011.tmp").write_bytes(b"ha")
    durable.write(tmp_path / "checkpoint", b"whole")
    assert LogFiles(tmp_path).checkpoint() == "whole"
    with pytest.raises(FileNotFoundError):
        LogFiles(tmp_path).read(Tile(0, 0))
