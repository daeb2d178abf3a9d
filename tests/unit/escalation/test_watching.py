from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from candor_escalation.packwatch import PackWatch
from candor_escalation.policy import Policy, load
from candor_escalation.skew import DATABASE, SkewAlarm, skew
from candor_kit import metrics
from candor_kit.clock import SystemClock
from candor_packs.reloading import Reloading
from hypothesis import given
from hypothesis import strategies as st

from .builders import NOON

PACKS = Path(__file__).resolve().parents[3] / "packs"
SECOND = timedelta(seconds=1)


@given(st.integers(-5000, 5000), st.integers(0, 500), st.integers(0, 500))
def test_what_the_asking_took_is_not_taken_for_a_difference(ahead: int, there: int, back: int) -> None:
    """A clock that is ahead by so many milliseconds, asked over a line that is slow both ways."""
    asked = NOON + (there + ahead) * SECOND / 1000
    found = skew(NOON, asked, NOON + (there + back) * SECOND / 1000) * 1000

    assert abs(found) <= abs(ahead) + 0.001
    assert abs(ahead) - (there + back) - 0.001 <= abs(found)
    assert found == 0 or (found > 0) == (ahead > 0)


def test_a_clock_that_is_an_hour_off_is_an_alarm_until_it_is_right_again() -> None:
    alarm = SkewAlarm(cast("Any", None), SystemClock(), "", limit=2.0, seconds=1)
    said = [alarm.judge(DATABASE, seconds) for seconds in (0.1, 3600.0, -3600.0, 1.9)]

    assert said == [False, True, True, False]
    assert metrics.REGISTRY.get_sample_value("candor_clock_skew_alarm", {"source": "database"}) == 0
    assert metrics.REGISTRY.get_sample_value("candor_clock_skew_seconds", {"source": "database"}) == 1.9


@pytest.mark.parametrize(("ahead", "seen_ahead"), [(0, 0), (-3600, -3600), (3600, 3600)])
async def test_the_clock_by_which_outputs_are_dated_is_asked_too(ahead: int, seen_ahead: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/livez"
        return httpx.Response(200, headers={"Date": format_datetime(datetime.now(UTC) + ahead * SECOND, usegmt=True)})

    alarm = SkewAlarm(cast("Any", None), SystemClock(), "generation:1", limit=2.0, seconds=1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        told = await alarm.ask(client)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        silent = await alarm.ask(client)

    assert told is not None
    assert abs(told - seen_ahead) < 2
    assert silent is None


async def test_wrong_packs_are_told_once_and_never_taken(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    for part in ("templates", "calendars"):
        shutil.copytree(PACKS / part, folder / part)
    shutil.copy(PACKS / "cn" / "labelling.yaml", folder)
    packs = Reloading(folder, load)
    policy = Policy(packs.packs, {})
    watch = PackWatch(cast("Any", None), policy, cast("Any", None), packs, 1)
    await watch.look()
    assert metrics.REGISTRY.get_sample_value("candor_packs_reloads_total", {"result": "refused"}) is None
    (folder / "wrong.yaml").write_text("id: [")
    await watch.look()
    await watch.look()

    assert metrics.REGISTRY.get_sample_value("candor_packs_wrong") == 1
    assert metrics.REGISTRY.get_sample_value("candor_packs_reloads_total", {"result": "refused"}) == 1
    assert [pack.id for pack in policy.packs] == ["cn.labelling"]
    (folder / "wrong.yaml").unlink()
    await watch.look()
    assert metrics.REGISTRY.get_sample_value("candor_packs_wrong") == 0
