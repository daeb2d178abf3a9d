"""The logs' files in a folder and in a bucket: whole files, and what is there never changes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from candor_generation import durable
from candor_generation.domain.tiles import Tile
from candor_generation.files import LogBrokenError, LogStore, OvertakenError, StoreAwayError, credentials, folder
from candor_generation.files.bucket import BucketStore, open_store
from candor_generation.files.folder import FolderStore
from log_store_cases import LogStoreCases, checkpoint
from obstore.exceptions import AlreadyExistsError, GenericError
from obstore.store import MemoryStore


class TestFolder(LogStoreCases):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LogStore:
        return FolderStore(tmp_path / "log")

    def test_it_is_laid_out_as_it_is_served(self, store: LogStore, tmp_path: Path) -> None:
        files = store.of("generation", "2026h2")
        files.write([(Tile(0, 1234067, 3), b"abc")])
        files.publish(checkpoint(3))
        served = tmp_path / "log/generation/2026h2"
        assert (served / "tile/0/x001/x234/067.p/3").read_bytes() == b"abc"
        assert sorted(path.name for path in served.iterdir()) == ["checkpoint", "tile"]

    def test_what_a_stopped_write_left_behind_is_no_file_of_the_log(self, store: LogStore, tmp_path: Path) -> None:
        served = tmp_path / "log/generation/2026h2"
        durable.write(served / "checkpoint", b"whole")
        (served / ".checkpoint.0011.tmp").write_bytes(b"ha")
        assert store.of("generation", "2026h2").checkpoint() == "whole"

    def test_a_checkpoint_that_is_no_text_stops_the_log(self, store: LogStore, tmp_path: Path) -> None:
        durable.write(tmp_path / "log/generation/2026h2/checkpoint", b"\xff")
        with pytest.raises(LogBrokenError, match="UTF-8"):
            store.of("generation", "2026h2").checkpoint()

    def test_a_writer_that_stopped_within_publishing_is_waited_for(
        self, store: LogStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(folder, "_LOCK_SECONDS", 0.05)
        files = store.of("generation", "2026h2")
        files.publish(checkpoint(3))
        with durable.locked(tmp_path / "log/generation/2026h2", 1), pytest.raises(StoreAwayError):
            files.publish(checkpoint(4))
        files.publish(checkpoint(4))

    def test_a_full_disk_is_waited_for_and_not_filled_further(self, store: LogStore, tmp_path: Path) -> None:
        files = store.of("generation", "2026h2")
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(os, "fsync", side_effect=full), pytest.raises(StoreAwayError, match="No space"):
            files.write([(Tile(0, 0), b"abc")])
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        files.write([(Tile(0, 0), b"abc")])

    def test_each_file_is_synced_before_it_has_its_name_and_each_folder_once_after(
        self, store: LogStore, tmp_path: Path
    ) -> None:
        files = store.of("generation", "2026h2")
        files.write([(Tile(0, 0), b"0")])
        synced = _synced(lambda: files.write([(Tile(0, number), b"abc") for number in range(1, 100)]))
        assert len([path for path in synced if path.endswith(".tmp")]) == 99
        assert synced[99:] == [str(tmp_path / "log/generation/2026h2/tile/0")]

    def test_names_that_a_writer_left_unsynced_when_it_died_are_synced_by_the_next(self, tmp_path: Path) -> None:
        FolderStore(tmp_path / "log").of("generation", "2026h2").write([(Tile(0, 0), b"abc")])
        following = FolderStore(tmp_path / "log").of("generation", "2026h2")
        served = tmp_path / "log/generation/2026h2"
        synced = _synced(lambda: following.write([(Tile(0, 0), b"abc")]))
        assert synced == [str(path) for path in (served / "tile/0", served / "tile", *(served / "tile").parents[:4])]
        assert _synced(lambda: following.write([(Tile(0, 0), b"abc")])) == [str(served / "tile/0")]


class TestBucketInMemory(LogStoreCases):
    @pytest.fixture
    def store(self) -> LogStore:
        return BucketStore(MemoryStore())

    def test_keys_are_the_paths_of_the_log(self) -> None:
        bucket = MemoryStore()
        files = BucketStore(bucket).of("generation", "2026h2")
        files.write([(Tile(0, 1234067, 3), b"abc"), (Tile(None, 7), b"")])
        files.publish(checkpoint(3))
        assert _keys(bucket) == [
            "generation/2026h2/checkpoint",
            "generation/2026h2/tile/0/x001/x234/067.p/3",
            "generation/2026h2/tile/entries/007",
        ]
        assert bucket.get("generation/2026h2/tile/entries/007").attributes["Cache-Control"].endswith("immutable")
        assert bucket.get("generation/2026h2/checkpoint").attributes["Cache-Control"] == "no-cache"

    def test_partial_tiles_leave_nothing_behind(self) -> None:
        bucket = MemoryStore()
        files = BucketStore(bucket).of("generation", "2026h2")
        for number in range(3):
            files.write([(Tile(0, number, 1), b"a"), (Tile(0, number, 2), b"ab"), (Tile(0, number), b"abc")])
            files.drop_partials([Tile(0, number)])
        assert _keys(bucket) == [f"generation/2026h2/tile/0/00{number}" for number in range(3)]


class Broken:
    """A bucket that does not do what it is told."""

    def __init__(self, put: Callable[[MemoryStore, dict[str, Any]], Any]) -> None:
        self.inner = MemoryStore()
        self._put = put

    def put(self, path: str, file: bytes, *, attributes: Any, mode: Any) -> Any:
        return self._put(self.inner, {"path": path, "file": file, "attributes": attributes, "mode": mode})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize(("ignored", "named"), [(str, "If-None-Match"), (dict, "If-Match")])
def test_a_store_that_ignores_conditions_is_not_used(ignored: type, named: str) -> None:
    def put(inner: MemoryStore, asked: dict[str, Any]) -> Any:
        return inner.put(**(asked | {"mode": "overwrite"} if isinstance(asked["mode"], ignored) else asked))

    with pytest.raises(LogBrokenError, match=named):
        BucketStore(Broken(put)).check()


def test_an_answer_that_was_lost_is_looked_up() -> None:
    def put(inner: MemoryStore, asked: dict[str, Any]) -> Any:
        inner.put(**asked)
        return inner.put(**asked)  # as the client does after a 5xx: it is refused, for it was done already

    files = BucketStore(Broken(put)).of("generation", "2026h2")
    files.write([(Tile(0, 0), b"abc")])
    files.publish(checkpoint(1))
    files.publish(checkpoint(2))
    assert files.checkpoint() == checkpoint(2)


def test_a_conflict_is_no_object_that_is_there() -> None:
    """S3 answers 409 to a create that competes with another write, and the client calls that "already exists"."""
    conflicts = [True, True, False]

    def put(inner: MemoryStore, asked: dict[str, Any]) -> Any:
        if conflicts.pop(0):
            raise AlreadyExistsError
        return inner.put(**asked)

    files = BucketStore(Broken(put)).of("generation", "2026h2")
    files.write([(Tile(0, 0), b"abc")])
    assert files.read(Tile(0, 0)) == b"abc"
    conflicts.extend([True] * 3)
    with pytest.raises(StoreAwayError):
        files.write([(Tile(0, 1), b"abc")])


def test_a_store_that_is_away_is_waited_for_and_what_was_written_before_is_kept() -> None:
    away = [False]

    def put(inner: MemoryStore, asked: dict[str, Any]) -> Any:
        if away[0]:
            raise GenericError("503 Slow Down")
        return inner.put(**asked)

    files = BucketStore(Broken(put)).of("generation", "2026h2")
    files.publish(checkpoint(1))
    away[0] = True
    with pytest.raises(StoreAwayError, match="503"):
        files.write([(Tile(0, 0), b"abc")])
    with pytest.raises(StoreAwayError, match="503"):
        files.publish(checkpoint(2))
    away[0] = False
    files.write([(Tile(0, 0), b"abc")])
    files.publish(checkpoint(2))
    assert files.checkpoint() == checkpoint(2)


def test_a_checkpoint_that_vanished_is_no_reason_to_go_on() -> None:
    bucket = MemoryStore()
    files = BucketStore(bucket).of("generation", "2026h2")
    files.publish(checkpoint(1))
    bucket.delete("generation/2026h2/checkpoint")
    with pytest.raises(OvertakenError):
        files.publish(checkpoint(2))


def test_credentials_come_from_the_file_that_the_environment_names(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = A\naws_secret_access_key = b%1\n[log]\naws_access_key_id = C\n")
    named = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    found = credentials.named_in(named)
    assert found is not None
    read = found()
    assert (read["access_key_id"], read["secret_access_key"], read.get("token")) == ("A", "b%1", None)
    file.write_text("[default]\naws_access_key_id = A2\naws_secret_access_key = b2\naws_session_token = t\n")
    assert found()["access_key_id"] == "A2"
    assert credentials.named_in(named | {"AWS_ACCESS_KEY_ID": "direct"}) is None
    assert credentials.named_in({}) is None
    for wrong in ({"AWS_PROFILE": "log"}, {"AWS_PROFILE": "none"}, {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path)}):
        with pytest.raises(ValueError, match="profile"):
            open_store("s3://bucket/prefix", named | wrong)


def _keys(bucket: MemoryStore) -> list[str]:
    return sorted(found["path"] for chunk in bucket.list() for found in chunk)


def _synced(act: Callable[[], None]) -> list[str]:
    """What is synced meanwhile, in order."""
    synced: list[str] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    with mock.patch.object(os, "fsync", noting):
        act()
    return synced
