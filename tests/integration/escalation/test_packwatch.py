"""The packs' folder changes under a running service: right packs are taken with history, wrong ones never."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
from candor.escalation.v1 import facts_pb2, model_pb2

from .conftest import PROFILE
from .desk import Desk, instant, until

PACKS = Path(__file__).resolve().parents[3] / "packs"
STARTED = datetime(2026, 9, 28, 1, tzinfo=UTC)
VECTOR = """vectors:
  - name: another kind
    facts: {kind: pi_leak}
    anchors: {service_start: "2026-03-02T10:00:00+08:00"}
    expect: []
"""


def write(file: Path, text: str) -> None:
    """Put a file in place whole, as a deployment does."""
    beside = file.with_suffix(".new")
    beside.write_text(text, "utf-8")
    beside.replace(file)


def lay(folder: Path) -> tuple[Path, Path]:
    """One pack, and a calendar that is published until the end of September 2026 only."""
    shutil.copytree(PACKS / "templates", folder / "templates")
    pack, calendar = folder / "cn" / "filing.yaml", folder / "calendars" / "cn-2026.yaml"
    for file in (pack, calendar):
        file.parent.mkdir(parents=True)
    whole = (PACKS / "cn" / "algorithm-filing.yaml").read_text("utf-8")
    pack.write_text(whole.partition("vectors:")[0] + VECTOR, "utf-8")
    published = (PACKS / "calendars" / "cn-2026.yaml").read_text("utf-8").splitlines(keepends=True)
    known = [line for line in published if "2026-10" not in line]
    calendar.write_text("".join(known).replace("valid_through: 2026-12-31", "valid_through: 2026-09-30"), "utf-8")
    return pack, calendar


async def metric(desk: Desk, name: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        shown = (await client.get(f"{desk.deployment.http('escalation')}/metrics")).text
    return next(float(line.split()[-1]) for line in shown.splitlines() if line.startswith(name))


async def test_a_published_calendar_makes_provisional_dates_final_and_a_wrong_pack_changes_nothing(
    desk: Desk, stack_folder: Path, oncall_environment: dict[str, str]
) -> None:
    pack, calendar = lay(stack_folder / "packs")
    right = pack.read_text("utf-8")
    ours = {"CANDOR_PACKS_DIR": str(stack_folder / "packs"), "CANDOR_PROFILE": json.dumps(PROFILE)}
    desk.deployment.runner.restart_service("escalation", {**oncall_environment, **ours})
    try:
        reported = await desk.report("service_start", {"public_opinion": True}, service_start=STARTED)

        async def present() -> model_pb2.Clock:
            return (await desk.incident(reported.incident_id)).clocks[0]

        async def wrong() -> float:
            return await metric(desk, "candor_packs_wrong")

        before = await present()
        write(pack, right.replace("citation:", "zitation:", 1))
        await until(wrong, lambda value: value == 1, 60)
        still = await present()
        write(pack, right)
        await until(wrong, lambda value: value == 0, 60)
        write(calendar, (PACKS / "calendars" / "cn-2026.yaml").read_text("utf-8"))
        after = await until(present, lambda clock: clock.revision == 2, 60)
    finally:
        desk.deployment.runner.restart_service("escalation", oncall_environment)

    assert before.provisional
    assert instant(before.strict_due) < datetime(2026, 10, 16, 1, tzinfo=UTC)
    assert (still.strict_due, still.history) == (before.strict_due, before.history)
    assert "zitation" in desk.deployment.runner.read_log("escalation")
    assert not after.provisional
    assert instant(after.strict_due) == datetime(2026, 10, 16, 1, tzinfo=UTC)
    assert [(one.cause, one.provisional) for one in after.history] == [("started", True), ("packs", False)]
    moved = await desk.deployment.facts(
        "escalation", facts_pb2.ClockReanchored, lambda fact: fact.clock.clock_id == before.clock_id
    )
    assert [(fact.cause, fact.previous_strict_due) for fact in moved] == [("packs", before.strict_due)]
