"""The client against a service that refuses, stumbles, and goes away."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from candor_client import (
    AsyncCandor,
    Candor,
    CandorError,
    Decision,
    Hit,
    Label,
    Recorded,
    Refused,
    Retry,
    SpoolFull,
    State,
    Unavailable,
    Violation,
    WhenFull,
    new_id,
)

from .standin import RECORD, Refusal, StandIn

QUICK = Retry(attempt_seconds=1.0, first_pause=0.01, longest_pause=0.05)
UNAVAILABLE, TOO_LATE = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED


def client(service: StandIn, **options: Any) -> Candor:
    return Candor(**{"address": service.address, "token": "t", "retry": QUICK, "timeout": 3.0, **options})


def async_client(service: StandIn, **options: Any) -> AsyncCandor:
    return AsyncCandor(**{"address": service.address, "token": "t", "retry": QUICK, "timeout": 3.0, **options})


def test_a_record_gets_label_decision_and_hits(service: StandIn) -> None:
    with client(service) as candor:
        recorded = candor.record(**RECORD)
    assert recorded == Recorded(
        service.calls[0],
        State.RECORDED,
        Label('{"AIGC":{}}', "AI generated"),
        Decision.REVIEW,
        (Hit("f", "c", in_prompt=True, start=4, end=7),),
    )
    assert service.tokens == ["Bearer t"]


@pytest.mark.parametrize("stumbles", [[UNAVAILABLE], [TOO_LATE, UNAVAILABLE, TOO_LATE]])
def test_stumbles_are_tried_again_with_the_same_id(service: StandIn, stumbles: list[Any]) -> None:
    service.script = list(stumbles)
    with client(service) as candor:
        recorded = candor.record(**RECORD)
    assert service.calls == [recorded.generation_id] * (len(stumbles) + 1)
    assert list(service.records) == [recorded.generation_id]


async def test_tasks_do_the_same(service: StandIn) -> None:
    service.script = [UNAVAILABLE, TOO_LATE]
    async with async_client(service) as candor:
        recorded = await candor.record(**RECORD)
        many = await asyncio.gather(*(candor.record(**RECORD) for _ in range(20)))
    assert service.calls[:3] == [recorded.generation_id] * 3
    assert recorded.decision is Decision.REVIEW
    assert len({item.generation_id for item in many} | {recorded.generation_id}) == len(service.records) == 21


@pytest.mark.parametrize("in_tasks", [False, True])
async def test_a_refusal_is_typed_and_not_tried_again(service: StandIn, *, in_tasks: bool) -> None:
    service.script = [Refusal(grpc.StatusCode.INVALID_ARGUMENT, "TIME_IN_FUTURE", "occurred_at")]
    if in_tasks:
        async with async_client(service) as candor:
            with pytest.raises(Refused) as caught:
                await candor.record(**RECORD)
    else:
        with client(service) as threaded, pytest.raises(Refused) as caught:
            threaded.record(**RECORD)
    assert (caught.value.reason, caught.value.message, caught.value.domain) == (
        "TIME_IN_FUTURE",
        "no",
        "candor.edge.v1",
    )
    assert caught.value.violations == (Violation("occurred_at", "is wrong"),)
    assert caught.value.status is grpc.StatusCode.INVALID_ARGUMENT
    assert [caught.value.generation_id] == service.calls


def test_an_answer_of_something_in_between_is_named_by_its_status(service: StandIn) -> None:
    service.script = [grpc.StatusCode.PERMISSION_DENIED]
    with client(service) as candor, pytest.raises(Refused) as caught:
        candor.record(**RECORD)
    assert (caught.value.reason, caught.value.domain) == ("PERMISSION_DENIED", "")


def test_no_answer_is_unavailable_and_the_id_of_the_error_is_good_for_another_try(service: StandIn) -> None:
    service.script = [UNAVAILABLE] * 1000
    with client(service, timeout=0.3) as candor:
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            candor.record(**RECORD)
        assert time.monotonic() - started < 10
        service.script.clear()
        recorded = candor.record(**RECORD, generation_id=caught.value.generation_id)
    assert {recorded.generation_id} == set(service.calls)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"subject": "ada@example.com"}, "subject"),
        ({"locale": "Chinese"}, "locale"),
        ({"output": ""}, "output"),
        ({"prompt": "字" * 90_000}, "prompt"),
        ({"generation_id": "42"}, "command_id"),
        ({"product": "chat\n"}, "product"),
    ],
)
def test_what_breaks_the_schema_does_not_leave(service: StandIn, wrong: dict[str, str], field: str) -> None:
    arguments: dict[str, Any] = {**RECORD, **wrong}
    with client(service) as candor, pytest.raises(Refused, match=field) as caught:
        candor.record(**arguments)
    assert caught.value.reason == "INVALID_FIELD"
    assert [violation.field for violation in caught.value.violations] == [field]
    assert service.calls == []


def test_an_id_that_is_no_uuid7_and_a_time_without_zone_are_refused(service: StandIn) -> None:
    with client(service) as candor:
        with pytest.raises(Refused, match="COMMAND_ID_INVALID"):
            candor.record(**RECORD, generation_id="00000000-0000-4000-8000-000000000000")
        with pytest.raises(ValueError, match="time zone"):
            candor.record(**RECORD, occurred_at=datetime(2026, 11, 22))  # noqa: DTZ001 - that is the mistake


def test_options_that_cannot_be(service: StandIn) -> None:
    with pytest.raises(ValueError, match="either address="):
        Candor()
    with pytest.raises(ValueError, match="either address="):
        Candor(address=service.address, kafka="h:1")
    with client(service) as candor, pytest.raises(ValueError, match="spool="):
        candor.record(**RECORD, wait=False)
    with pytest.raises(CandorError, match="closed"):
        candor.record(**RECORD)


def test_while_candor_is_away_records_are_spooled_and_follow_in_order(service: StandIn, tmp_path: Path) -> None:
    service.stop()
    told: list[Recorded] = []
    errors: list[CandorError] = []
    options = {"spool": tmp_path, "timeout": 1.5, "on_recorded": told.append, "on_error": errors.append}
    with client(service, **options) as candor:
        kept = [candor.record(**{**RECORD, "output": f"{number}"}) for number in range(50)]
        assert {item.state for item in kept} == {State.SPOOLED}
        assert kept[0].label is None
        started = time.monotonic()
        candor.record(**RECORD)
        assert time.monotonic() - started < 1.2, "a record waited although Candor is known to be away"
        assert not candor.flush(0.3)
        service.start()
        assert candor.flush(20)
        assert [request.output for request in service.records.values()] == [*map(str, range(50)), RECORD["output"]]
        assert [item.generation_id for item in told[:50]] == [item.generation_id for item in kept]
        assert told[0].label == Label('{"AIGC":{}}', "AI generated")
        # Now that it is back, the answer is waited for again.
        assert candor.record(**RECORD).state is State.RECORDED
    assert len(errors) == 1, errors
    assert isinstance(errors[0], Unavailable)
    assert not list(tmp_path.glob("*.spool"))


async def test_tasks_spool_too(service: StandIn, tmp_path: Path) -> None:
    service.stop()
    async with async_client(service, spool=tmp_path, timeout=0.2) as candor:
        kept = [await candor.record(**RECORD), await candor.record(**RECORD, wait=False)]
        service.start()
        assert await candor.flush(20)
    assert list(service.records) == [item.generation_id for item in kept]


def test_a_record_that_is_refused_holds_up_no_other(service: StandIn, tmp_path: Path) -> None:
    errors: list[CandorError] = []
    service.refused_outputs = {
        "poison": Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "output"),
        "fault": Refusal(grpc.StatusCode.INTERNAL, "INTERNAL"),
    }
    with client(service, spool=tmp_path, on_error=errors.append) as candor:
        kept = [candor.record(**{**RECORD, "output": text}, wait=False) for text in ("a", "poison", "fault", "b")]
        assert candor.flush(20)
        aside = candor.refused()
    assert [request.output for request in service.records.values()] == ["a", "b"]
    assert [item.generation_id for item in aside] == [item.generation_id for item in kept[1:3]]
    assert [item.reason for item in aside] == ["INVALID_FIELD", "INTERNAL"]
    assert {error.generation_id for error in errors} == {item.generation_id for item in aside}


def test_a_token_that_is_not_taken_loses_nothing(service: StandIn, tmp_path: Path) -> None:
    service.wanted_token = "fresh"
    tokens = ["stale"]
    refused = threading.Event()
    with client(service, spool=tmp_path, token=lambda: tokens[-1], on_error=lambda _error: refused.set()) as candor:
        kept = candor.record(**RECORD, wait=False)
        assert refused.wait(10)
        assert not candor.flush(0.1)
        tokens.append("fresh")
        assert candor.flush(10)
        assert candor.refused() == []
    assert list(service.records) == [kept.generation_id]


def test_a_full_spool_says_so(service: StandIn, tmp_path: Path) -> None:
    service.stop()
    with client(service, spool=tmp_path, spool_limit_bytes=2000) as candor:
        with pytest.raises(SpoolFull) as caught:
            _record_many(candor, 100)
        assert caught.value.generation_id


def _record_many(candor: Candor, count: int) -> None:
    for _ in range(count):
        candor.record(**RECORD, wait=False)


def test_dropping_is_told(service: StandIn, tmp_path: Path) -> None:
    service.stop()
    errors: list[CandorError] = []
    dropping = {"spool_limit_bytes": 2000, "spool_when_full": WhenFull.DROP_OLDEST, "on_error": errors.append}
    with client(service, spool=tmp_path, **dropping) as candor:
        _record_many(candor, 30)
    assert any("records were dropped" in str(error) for error in errors)


def test_a_listener_that_fails_stops_nothing(service: StandIn, tmp_path: Path) -> None:
    def broken(_news: object) -> None:
        raise RuntimeError("the listener's own fault")

    with client(service, spool=tmp_path, on_recorded=broken) as candor:
        _record_many(candor, 3)
        assert candor.flush(10)
    assert len(service.records) == 3


def test_what_a_process_left_behind_is_delivered_by_the_next(service: StandIn, tmp_path: Path) -> None:
    service.stop()
    with client(service, spool=tmp_path) as before:
        kept = [before.record(**RECORD, wait=False).generation_id for _ in range(5)]
    service.start()
    with client(service, spool=tmp_path) as after:
        assert after.flush(10)
    assert list(service.records) == kept


WRITER = """
import sys
from candor_client import Candor
candor = Candor(address=sys.argv[1], token="t", spool=sys.argv[2], timeout=0.2)
while True:
    kept = candor.record(
        subject="s", provider="p", model="m", product="chat", locale="en", prompt="", output="o", wait=False
    )
    print(kept.generation_id, flush=True)
"""


def test_kill_9_of_two_writers_on_one_folder_loses_nothing_that_was_acknowledged(
    service: StandIn, tmp_path: Path
) -> None:
    service.stop()
    argv = [sys.executable, "-c", WRITER, service.address, str(tmp_path)]
    writers = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    acknowledged = []
    for writer in writers:
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(60)]
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
        # The last line may be cut off, as the process was.
        acknowledged += [line for line in rest.splitlines() if len(line) == 36]
    service.start()
    with client(service, spool=tmp_path) as after:
        assert after.flush(30)
    assert set(acknowledged) <= set(service.records)
    # Each writer may have been killed between the disk and the pipe: one record each, at most.
    assert len(service.records) <= len(acknowledged) + 2


def test_a_forked_child_records_on_its_own(service: StandIn, tmp_path: Path) -> None:
    with client(service, spool=tmp_path) as candor:
        candor.record(**RECORD, wait=False)
        assert candor.flush(10)
        child = multiprocessing.get_context("fork").Process(target=_in_a_child, args=(candor,))
        child.start()
        child.join(20)
        assert child.exitcode == 0
        candor.record(**RECORD, wait=False)
        assert candor.flush(10)
    assert len(service.records) == 3


def _in_a_child(candor: Candor) -> None:
    candor.record(**RECORD, wait=False)
    os._exit(0 if candor.flush(10) else 1)


def test_every_record_has_an_id_of_its_own_that_carries_the_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert abs(int(ids[0].replace("-", "")[:12], 16) - time.time_ns() // 1_000_000) < 5000
