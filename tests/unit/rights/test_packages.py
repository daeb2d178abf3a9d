"""The sealed file of a package."""

import os
import stat
from pathlib import Path

import pytest
from candor_kit.keys import new_key
from candor_rights.packages import PIECE_BYTES, PackageWriter, context_of, read
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONTEXT = context_of("r-1", "c-1")
KEY = new_key()


def write(path: Path, pieces: list[bytes], *, finish: bool = True) -> None:
    path.unlink(missing_ok=True)
    with PackageWriter(path, KEY, CONTEXT) as writer:
        for piece in pieces:
            writer.write(piece)
        if finish:
            writer.finish()


@pytest.mark.parametrize(
    "size", [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 7]
)
def test_what_was_written_is_read_in_pieces_of_at_most_64_kib(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    write(tmp_path / "p", [data[:10], data[10:]])
    pieces = list(read(tmp_path / "p", KEY, CONTEXT))
    assert b"".join(pieces) == data
    assert max(len(piece) for piece in pieces) <= PIECE_BYTES


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.binary(max_size=200_000), max_size=5))
def test_pieces_come_out_as_they_went_in(tmp_path: Path, pieces: list[bytes]) -> None:
    write(tmp_path / "p", pieces)
    assert b"".join(read(tmp_path / "p", KEY, CONTEXT)) == b"".join(pieces)


def test_nothing_of_it_stands_in_the_file_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    write(tmp_path / "p", [b'{"contact":"ada@example.org"}' * 5000])
    raw = (tmp_path / "p").read_bytes()
    assert b"ada@example.org" not in raw
    assert stat.S_IMODE((tmp_path / "p").stat().st_mode) == 0o600


def test_another_key_or_another_package_does_not_open_it(tmp_path: Path) -> None:
    write(tmp_path / "p", [b"x"])
    with pytest.raises(InvalidTag):
        list(read(tmp_path / "p", new_key(), CONTEXT))
    with pytest.raises(InvalidTag):
        list(read(tmp_path / "p", KEY, context_of("r-1", "c-2")))


def test_an_unfinished_file_does_not_pass_for_a_whole_one(tmp_path: Path) -> None:
    write(tmp_path / "p", [os.urandom(3 * PIECE_BYTES)], finish=False)
    with pytest.raises(InvalidTag):
        list(read(tmp_path / "p", KEY, CONTEXT))


@pytest.mark.parametrize("keep", [0, 3, 100, PIECE_BYTES + 32, PIECE_BYTES + 33, 2 * (PIECE_BYTES + 32)])
def test_a_file_that_was_cut_short_does_not_pass_for_a_whole_one(tmp_path: Path, keep: int) -> None:
    write(tmp_path / "p", [os.urandom(2 * PIECE_BYTES + 5)])
    (tmp_path / "p").write_bytes((tmp_path / "p").read_bytes()[:keep])
    with pytest.raises((EOFError, InvalidTag)):
        list(read(tmp_path / "p", KEY, CONTEXT))


def test_pieces_cannot_change_places(tmp_path: Path) -> None:
    write(tmp_path / "p", [os.urandom(2 * PIECE_BYTES + 5)])
    raw = (tmp_path / "p").read_bytes()
    frame = PIECE_BYTES + 32  # length, nonce and tag
    (tmp_path / "p").write_bytes(raw[frame : 2 * frame] + raw[:frame] + raw[2 * frame :])
    with pytest.raises(InvalidTag):
        list(read(tmp_path / "p", KEY, CONTEXT))


def test_an_attempt_never_writes_into_the_file_of_another(tmp_path: Path) -> None:
    write(tmp_path / "p", [b"x"])
    with pytest.raises(FileExistsError):
        PackageWriter(tmp_path / "p", KEY, CONTEXT)
