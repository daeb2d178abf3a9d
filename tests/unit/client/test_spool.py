"""The spool: what was acknowledged is there after any crash, in order, within its limit, for its owner only."""

from __future__ import annotations

import os
import secrets
import stat
import threading
from pathlib import Path

import grpc
import pytest
from candor_client import Refused, SpoolDamaged, SpoolFull, SpoolSealed, WhenFull, frames
from candor_client.backlog import Backlog
from candor_client.sealing import Seal
from candor_client.spool import Spool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MIB = 1024 * 1024
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


def spool(folder: Path, *, limit: int = MIB, when_full: WhenFull = WhenFull.RAISE, key: bytes | None = None) -> Spool:
    return Spool(folder, limit, when_full, Seal(key))


def left(folder: Path, key: bytes | None = None) -> list[bytes]:
    """Deliver everything that a new process finds; its records in order."""
    backlog, found = Backlog(folder, Seal(key)), []
    while entries := backlog.batch(3):
        for entry in entries:
            found.append(entry.record)
            backlog.done(entry.end)
    return found


def test_what_is_kept_is_delivered_in_order_and_gone_then(tmp_path: Path) -> None:
    kept = [b"%d" % number for number in range(100)]
    writing = spool(tmp_path)
    for record in kept:
        writing.append(record)
    assert left(tmp_path) == kept
    assert left(tmp_path) == []
    assert not list(tmp_path.glob("*.spool"))


def test_appending_and_delivering_may_alternate(tmp_path: Path) -> None:
    writing = spool(tmp_path)
    for number in range(20):
        writing.append(b"%d" % number)
        assert left(tmp_path) == [b"%d" % number]


def test_a_delivery_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    writing = spool(tmp_path)
    for number in range(5):
        writing.append(b"%d" % number)
    first = Backlog(tmp_path, Seal(None))
    first.done(first.batch(2)[1].end)
    assert left(tmp_path) == [b"2", b"3", b"4"]


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=8), st.data())
@SAME_FOLDER
def test_killed_at_any_byte_of_a_write_only_that_write_is_missing(
    tmp_path: Path, records: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path / secrets.token_hex(8)
    dying = spool(folder)
    for record in records:
        dying.append(record)
    dying.close()
    (segment,) = folder.glob("*.spool")
    last = frames.HEADER_BYTES + 1 + len(records[-1])
    os.truncate(segment, segment.stat().st_size - data.draw(st.integers(1, last)))
    after = spool(folder)
    after.append(b"after the crash")
    assert left(folder) == [*records[:-1], b"after the crash"]


def test_a_write_torn_by_another_process_is_cut_off_before_the_next(tmp_path: Path) -> None:
    mine = spool(tmp_path)
    mine.append(b"one")
    (segment,) = tmp_path.glob("*.spool")
    with segment.open("ab") as other:
        other.write(frames.encode(b"\0torn")[:-2])
    mine.append(b"two")
    assert left(tmp_path) == [b"one", b"two"]
    assert list(frames.scan(segment.read_bytes())) if segment.exists() else True


def test_a_torn_tail_alone_is_removed_with_its_segment(tmp_path: Path) -> None:
    (tmp_path / "000000000003.spool").write_bytes(frames.encode(b"\0torn")[:-1])
    assert left(tmp_path) == []
    assert not list(tmp_path.glob("*.spool"))


def test_after_a_power_cut_nothing_new_is_taken_for_delivered(tmp_path: Path) -> None:
    before = spool(tmp_path)
    for number in range(4):
        before.append(b"%d" % number)
    backlog = Backlog(tmp_path, Seal(None))
    backlog.done(backlog.batch(4)[-1].end)
    # What was delivered last had not reached the disk.
    (segment,) = tmp_path.glob("*.spool")
    os.truncate(segment, 30)
    spool(tmp_path).append(b"new")
    assert left(tmp_path) == [b"new"]


def test_damage_in_the_middle_is_told_kept_aside_and_passed(tmp_path: Path) -> None:
    writing = spool(tmp_path)
    for number in range(3):
        writing.append(b"record %d" % number)
    (segment,) = tmp_path.glob("*.spool")
    content = bytearray(segment.read_bytes())
    second = content.index(b"record 1")
    content[second] ^= 1
    segment.write_bytes(content)
    backlog = Backlog(tmp_path, Seal(None))
    (entry,) = backlog.batch(16)
    assert entry.record == b"record 0"
    backlog.done(entry.end)
    with pytest.raises(SpoolDamaged, match="damaged"):
        backlog.batch(16)
    assert [entry.record for entry in backlog.batch(16)] == [b"record 2"]
    (kept,) = (tmp_path / "aside").iterdir()
    assert b"secord 1"[1:] in kept.read_bytes()


def test_full_is_said_and_what_is_there_stays(tmp_path: Path) -> None:
    writing = spool(tmp_path, limit=4096)
    kept: list[bytes] = []
    with pytest.raises(SpoolFull, match="at its limit of 4096 bytes"):
        _fill(writing, kept)
    assert len(kept) > 10
    assert sum(file.stat().st_size for file in tmp_path.glob("*.spool")) <= 4096
    assert left(tmp_path) == kept
    writing.append(b"again")
    assert left(tmp_path) == [b"again"]


def _fill(writing: Spool, kept: list[bytes]) -> None:
    for number in range(1000):
        record = b"%03d" % number + bytes(200)
        writing.append(record)
        kept.append(record)


def test_dropping_the_oldest_is_counted_and_keeps_the_newest_in_order(tmp_path: Path) -> None:
    writing = spool(tmp_path, limit=4096, when_full=WhenFull.DROP_OLDEST)
    lost = 0
    for number in range(100):
        _end, dropped = writing.append(b"%03d" % number + bytes(200))
        lost += int(str(dropped).split()[0]) if dropped else 0
        assert writing.folder.size() <= 4096
    found = [record[:3] for record in left(tmp_path)]
    assert found == [b"%03d" % number for number in range(lost, 100)]
    assert lost > 0


def test_a_record_that_is_larger_than_the_spool_drops_nothing(tmp_path: Path) -> None:
    writing = spool(tmp_path, limit=4096, when_full=WhenFull.DROP_OLDEST)
    writing.append(b"small")
    with pytest.raises(SpoolFull):
        writing.append(bytes(5000))
    assert left(tmp_path) == [b"small"]


def test_what_was_refused_is_listed_and_makes_room_first(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, Seal(None))
    refusal = Refused("INVALID_FIELD", "wrong", status=grpc.StatusCode.INVALID_ARGUMENT)
    backlog.set_aside("some-id", bytes(3000), refusal)
    (aside,) = backlog.refused()
    assert (aside.generation_id, aside.reason, aside.record) == ("some-id", "INVALID_FIELD", bytes(3000))
    _end, dropped = spool(tmp_path, limit=4096).append(bytes(2000))
    assert dropped is not None
    assert backlog.refused() == []


def test_only_the_owner_may_read_and_a_key_seals(tmp_path: Path) -> None:
    folder, key = tmp_path / "spool", secrets.token_bytes(32)
    spool(folder, key=key).append(b"a prompt of somebody's")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not any(b"somebody" in path.read_bytes() for path in folder.iterdir() if path.is_file())
    for wrong in (None, secrets.token_bytes(32)):
        with pytest.raises(SpoolSealed, match="spool_key"):
            left(folder, wrong)
    assert left(folder, key) == [b"a prompt of somebody's"]


def test_a_key_may_be_introduced_later(tmp_path: Path) -> None:
    key = secrets.token_bytes(32)
    spool(tmp_path).append(b"clear")
    spool(tmp_path, key=key).append(b"sealed")
    assert left(tmp_path, key) == [b"clear", b"sealed"]


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")


def test_threads_and_several_spools_on_one_folder_lose_and_double_nothing(tmp_path: Path) -> None:
    spools = [spool(tmp_path, limit=64 * MIB) for _ in range(3)]

    def write(name: int) -> None:
        for number in range(40):
            spools[name % 3].append(b"%d/%02d" % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = left(tmp_path)
    assert sorted(found) == sorted(b"%d/%02d" % (name, number) for name in range(6) for number in range(40))
    for name in range(6):
        mine = [record for record in found if record.startswith(b"%d/" % name)]
        assert mine == sorted(mine)
    assert len(list(tmp_path.glob("*.spool"))) == 0


def test_one_delivers_at_a_time(tmp_path: Path) -> None:
    first, second = Backlog(tmp_path, Seal(None)), Backlog(tmp_path, Seal(None))
    with first.lock() as mine:
        assert mine
        with second.lock() as theirs:
            assert not theirs
    with second.lock() as theirs:
        assert theirs


def test_a_record_is_durable_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced.append(os.pread(descriptor, 1000, 0))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    writing = spool(tmp_path)
    for number in range(3):
        writing.append(b"record %d" % number)
        assert b"record %d" % number in synced[-1]


def test_threads_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, real, count = spool(tmp_path), os.fsync, []
    writing.append(b"first")

    def slow(descriptor: int) -> None:
        count.append(descriptor)
        threading.Event().wait(0.05)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    threads = [threading.Thread(target=writing.append, args=(b"%d" % number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(count) < 10
    assert len(left(tmp_path)) == 21


def test_a_disk_without_room_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = spool(tmp_path)
    writing.append(b"one")
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        real(descriptor, bytes(content[:5]))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SpoolFull, match="No space left"):
            writing.append(b"two")
    writing.append(b"three")
    assert left(tmp_path) == [b"one", b"three"]
