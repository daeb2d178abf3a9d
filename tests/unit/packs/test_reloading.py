"""A wrong pack never loads, and the old packs stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from candor_packs.document import PackError
from candor_packs.model import Pack
from candor_packs.pack import load
from candor_packs.reloading import Outcome, Reloading, fingerprint

from .builders import PACK, write


def test_nothing_happens_while_nothing_changes(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    before = reloading.packs

    assert reloading.poll() is Outcome.UNCHANGED
    assert reloading.packs is before


def test_a_right_change_is_taken_over(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    write(tmp_path, PACK.replace('version: "1"', 'version: "2"'))

    assert reloading.poll() is Outcome.CHANGED
    assert [pack.version for pack in reloading.packs] == ["2"]
    assert reloading.poll() is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (PACK.replace("hours", "fortnights"), "obligations[0].due.unit"),
        (PACK.replace("persons > 5", "people > 5"), "not declared"),
        (PACK.replace("zone: UTC", "zone: UTC, calendar: moon"), "there is no calendar moon"),
        ("[", "no valid YAML"),
        ("", "should be a valid dictionary"),
    ],
)
def test_a_wrong_change_is_told_and_the_old_packs_stay_until_it_is_mended(
    tmp_path: Path, wrong: str, message: str
) -> None:
    reloading = Reloading(write(tmp_path))
    before = reloading.packs
    write(tmp_path, wrong)

    assert [reloading.poll(), reloading.poll()] == [Outcome.REFUSED, Outcome.REFUSED]
    assert reloading.packs is before
    assert message in str(reloading.error)

    write(tmp_path, PACK.replace('version: "1"', 'version: "3"'))
    assert reloading.poll() is Outcome.CHANGED
    assert reloading.error is None


def test_a_wrong_file_is_not_read_again_until_it_changes(tmp_path: Path) -> None:
    read: list[Path] = []

    def counting(directory: Path) -> tuple[Pack, ...]:
        read.append(directory)
        return load(directory)

    reloading = Reloading(write(tmp_path), counting)
    write(tmp_path, PACK.replace("hours", "fortnights"))
    reloading.poll()
    reloading.poll()

    assert len(read) == 2


def test_a_change_of_a_template_or_a_calendar_is_a_change(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    (tmp_path / "templates" / "form.en.txt").write_text("Number: ${persons}\n", "utf-8")
    assert reloading.poll() is Outcome.CHANGED

    (tmp_path / "calendars").mkdir()
    (tmp_path / "calendars" / "xx.yaml").write_text("calendar: xx\n", "utf-8")
    assert reloading.poll() is Outcome.REFUSED
    assert "valid_from: is missing" in str(reloading.error)


def test_going_back_to_what_is_in_use_clears_the_error(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    write(tmp_path, "[")
    reloading.poll()
    write(tmp_path)

    assert reloading.poll() is Outcome.CHANGED
    assert reloading.error is None


def test_an_emptied_folder_is_a_mistake_and_the_old_packs_stay(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    (tmp_path / "xx.yaml").unlink()

    assert reloading.poll() is Outcome.REFUSED
    assert len(reloading.packs) == 1


def test_what_changes_while_it_is_read_waits_for_the_next_look(tmp_path: Path) -> None:
    def changing(directory: Path) -> tuple[Pack, ...]:
        packs = load(directory)
        if packs[0].version == "2":
            write(directory, PACK.replace('version: "1"', 'version: "3"'))
        return packs

    reloading = Reloading(write(tmp_path), changing)
    write(tmp_path, PACK.replace('version: "1"', 'version: "2"'))

    assert reloading.poll() is Outcome.UNCHANGED
    assert [pack.version for pack in reloading.packs] == ["1"]
    assert reloading.poll() is Outcome.CHANGED
    assert [pack.version for pack in reloading.packs] == ["3"]


def test_a_file_that_cannot_be_read_is_refused_and_tried_again(tmp_path: Path) -> None:
    reloading = Reloading(write(tmp_path))
    (tmp_path / "xy.yaml").symlink_to(tmp_path / "nowhere")

    assert reloading.poll() is Outcome.REFUSED
    (tmp_path / "xy.yaml").unlink()
    assert reloading.poll() is Outcome.CHANGED


def test_at_the_start_there_is_nothing_older_to_keep(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"Input should be"):
        Reloading(write(tmp_path, PACK.replace("hours", "fortnights")))
    with pytest.raises(PackError, match="no directory"):
        Reloading(tmp_path / "nowhere")


def test_a_moved_line_between_two_files_is_another_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one", "utf-8")
    (tmp_path / "b.yaml").write_text("two", "utf-8")
    before = fingerprint(tmp_path)
    (tmp_path / "a.yaml").write_text("onet", "utf-8")
    (tmp_path / "b.yaml").write_text("wo", "utf-8")

    assert fingerprint(tmp_path) != before
