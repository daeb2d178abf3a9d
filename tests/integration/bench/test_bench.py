"""The bench still measures: a little of everything, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
# The first time, Tessera is fetched and built.
BUILD_SECONDS = 900


@pytest.fixture(scope="module")
def page(stack_folder: Path) -> Path:
    return stack_folder / "performance.md"


@pytest.fixture(scope="module")
def figures(stack_folder: Path, page: Path) -> dict[str, dict[str, Any]]:
    argv = [sys.executable, "-m", "bench", "--quick", "--folder", str(stack_folder / "bench"), "--page", str(page)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=BUILD_SECONDS, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {line["name"]: line for line in lines}


def test_every_figure_is_one_line_of_json(figures: dict[str, dict[str, Any]]) -> None:
    assert list(figures) == [
        "generation.screen.vs_bare_matcher",
        "generation.ingest.rate",
        "generation.ingest.sustained",
        "generation.ingest.memory",
        "generation.ingest.vs_bare_loop",
        "generation.ingest.vs_tessera",
        "generation.screen.update",
        "generation.ingest.delay",
        "generation.ingest.backpressure",
        "generation.audit.fsck",
        "escalation.timers.lateness",
        "escalation.timers.history",
        "escalation.page.delay",
    ]
    assert all(figure["value"] is not None and figure["unit"] for figure in figures.values())


def test_what_has_a_peer_is_held_against_it(figures: dict[str, dict[str, Any]]) -> None:
    compared = [figure for figure in figures.values() if "peer" in figure]
    assert len(compared) == 4
    for figure in compared:
        assert figure["ratio"] == pytest.approx(figure["value"] / figure["peer"], abs=0.01)


def test_nothing_is_lost_while_the_database_is_slow(figures: dict[str, dict[str, Any]]) -> None:
    slow = figures["generation.ingest.backpressure"]
    assert slow["sent"] == slow["stored"] > 0
    assert slow["lost"] == 0


@pytest.mark.clause("PIPL 47")
def test_erasing_leaves_the_root_as_an_outside_verifier_found_it(figures: dict[str, dict[str, Any]]) -> None:
    audit = figures["generation.audit.fsck"]
    assert audit["same_root_after"] is True
    assert audit["root_before"] in audit["said"]
    assert audit["subjects_erased"] == 2
    assert audit["records_erased"] > 0
    assert audit["size_after"] > audit["value"] >= 3000
    assert "fsck failed" in audit["said_of_a_changed_byte"]


def test_the_page_names_the_machine_and_every_figure(figures: dict[str, dict[str, Any]], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in ("Processor", "Cores", "Memory", "Kernel", "fsync", "Kafka", "PostgreSQL", "Python", "Go"):
        assert f"| {name}" in text
    assert all(f"## `{name}`" in text for name in figures)
    assert str(ROOT) not in text
