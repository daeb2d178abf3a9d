"""Signals over HTTP: Alertmanager's webhook and plain JSON, in storms and in odd shapes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from candor_cli.session import command_id

from .conftest import Channels
from .desk import Desk, instant

STORM = 10_000
PER_CALL = 250


@pytest.fixture
async def http(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    token = desk.deployment.token("backend", name="alertmanager")
    headers = {"Authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=16)
    async with httpx.AsyncClient(
        base_url=desk.deployment.http("escalation"), headers=headers, timeout=120, limits=limits, trust_env=False
    ) as client:
        yield client


def alert(key: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "LeakedBucket", "candor_kind": "illegal_content", "candor_key": key, "candor_n": "5"},
        "annotations": {"summary": f"Bucket {key} is open"},
        "startsAt": at.isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"f-{key}"[:16],
        "somethingNew": {"nested": True},
        **more,
    }


def webhook(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "candor",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": alerts,
        "unknownToUs": 1,
    }  # fmt: skip


async def test_ten_thousand_duplicates_are_one_incident_and_one_page_and_all_are_counted(
    desk: Desk, channels: Channels, http: httpx.AsyncClient
) -> None:
    key = f"storm-{command_id()[-8:]}"
    body = webhook(*[alert(key, datetime.now(UTC) - timedelta(minutes=1))] * PER_CALL)
    started = time.monotonic()
    answers = await asyncio.gather(*(http.post("/intake/alertmanager", json=body) for _ in range(STORM // PER_CALL)))
    seconds = time.monotonic() - started
    print(f"{STORM} duplicate signals taken in {seconds:.2f} s")  # noqa: T201 - the figure

    assert {answer.status_code for answer in answers} == {200}
    (incident_id,) = {tuple(answer.json()["incidents"]) for answer in answers}.pop()
    seen = await desk.incident(incident_id)
    assert seen.incident.signals == STORM
    assert seen.clocks
    await channels.wait(incident_id, "duty-officer", seconds=90)
    pages = await desk.deployment.rows(
        "escalation",
        "SELECT count(*) AS n FROM page WHERE incident_id = %s AND cause = 'start' AND level = 1 AND round = 1",
        incident_id,
    )
    assert pages[0]["n"] == 1
    counted = await desk.deployment.rows(
        "escalation", "SELECT times FROM intake_signal WHERE incident_id = %s", incident_id
    )
    assert [row["times"] for row in counted] == [STORM]
    assert seconds < 30  # measured in the bench; here only that no signal costs a transaction


async def test_signals_one_by_one_at_the_same_time_are_gathered(desk: Desk, http: httpx.AsyncClient) -> None:
    key = f"many-{command_id()[-8:]}"
    body = webhook(alert(key, datetime.now(UTC)))
    answers = await asyncio.gather(*(http.post("/intake/alertmanager", json=body) for _ in range(200)))
    (incident_id,) = {tuple(answer.json()["incidents"]) for answer in answers}.pop()

    assert (await desk.incident(incident_id)).incident.signals == 200


async def test_an_alert_says_kind_key_facts_and_when_and_that_it_is_over(desk: Desk, http: httpx.AsyncClient) -> None:
    key, at = f"open-{command_id()[-8:]}", datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=3)
    first = await http.post("/intake/alertmanager", json=webhook(alert(key, at)))
    over = alert(key, at, status="resolved", endsAt=(at + timedelta(minutes=1)).isoformat())
    again = await http.post("/intake/alertmanager", json=webhook(over))
    (incident_id,) = first.json()["incidents"]
    seen = await desk.incident(incident_id)

    assert again.json() == first.json()
    assert (seen.incident.kind, seen.incident.title) == ("illegal_content", f"Bucket {key} is open")
    assert instant(seen.clocks[0].anchor.at) == at
    known = {fact.name: fact.value.number_value for fact in seen.facts}
    assert known == {"n": 5, "alerts_unresolved": 0}
    assert seen.clocks[0].stopped_at.seconds == 0  # that an alert is over stops no clock


async def test_odd_alerts_are_taken_as_far_as_they_go(desk: Desk, http: httpx.AsyncClient) -> None:
    key = f"odd-{command_id()[-8:]}"
    ahead = alert(f"{key}-2", datetime.now(UTC) + timedelta(hours=1))
    odd = [
        {"labels": {"candor_key": f"{key}-1", "candor_kind": "illegal_content", "bad\x00name": "\ud800"}},
        ahead,
        {"labels": {"candor_key": "not a key!", "candor_kind": "Not A Kind"}, "startsAt": "yesterday", "status": 7},
    ]
    answer = await http.post("/intake/alertmanager", content=json.dumps(webhook(*odd)))

    assert answer.status_code == 200
    found = [await desk.incident(incident_id) for incident_id in answer.json()["incidents"]]
    assert sorted(seen.incident.kind for seen in found) == ["illegal_content", "illegal_content", "security"]
    assert all(instant(seen.clocks[0].anchor.at) <= datetime.now(UTC) for seen in found)


async def test_a_plain_signal_is_a_reported_signal_and_its_id_makes_it_one(desk: Desk, http: httpx.AsyncClient) -> None:
    key = f"plain-{command_id()[-8:]}"
    signal = {
        "id": f"ticket-{key}", "kind": "pi_leak", "title": "A stolen laptop", "source": "helpdesk",
        "correlation_key": key, "facts": {"persons": 5, "harm_avoided": True}, "unknown": [1],
    }  # fmt: skip
    first = (await http.post("/intake/signals", json=signal)).json()["signals"]
    again = (await http.post("/intake/signals", json={"signals": [signal, signal]})).json()["signals"]
    seen = await desk.incident(first[0]["incident_id"])

    assert [one["repeated"] for one in (*first, *again)] == [False, True, True]
    assert seen.incident.signals == 3
    assert {fact.name for fact in seen.facts} == {"persons", "harm_avoided"}
    assert [fact.recorded_by for fact in seen.facts][:1] == ["candor.escalation.intake.alertmanager"]


async def test_one_wrong_signal_among_right_ones_is_refused_alone(desk: Desk, http: httpx.AsyncClient) -> None:
    key = f"mixed-{command_id()[-8:]}"
    right = {"kind": "pi_leak", "title": "A leak", "source": "helpdesk", "correlation_key": key}
    future = {**right, "anchors": [{"name": "aware", "at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}]}
    answer = await http.post("/intake/signals", json={"signals": [{**right, "kind": "Not A Kind"}, future, right]})
    outcomes = answer.json()["signals"]
    alone = await http.post("/intake/signals", json=future)

    assert answer.status_code == 207
    assert [one.get("refused", {}).get("title") for one in outcomes] == ["INVALID_FIELD", "TIME_IN_FUTURE", None]
    assert outcomes[0]["refused"]["violations"][0]["field"] == "kind"
    assert (await desk.incident(outcomes[2]["incident_id"])).incident.signals == 1
    assert (alone.status_code, alone.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "content", "status", "reason"),
    [
        ("/intake/alertmanager", b"{", 400, "MALFORMED"),
        ("/intake/alertmanager", b'{"alerts": 5}', 400, "MALFORMED"),
        ("/intake/alertmanager", b"[]", 400, "MALFORMED"),
        ("/intake/signals", b'{"signals": {}}', 400, "MALFORMED"),
        ("/intake/signals", b'{"kind": 5}', 400, "MALFORMED"),
        ("/intake/signals", b"[" * 100_000, 400, "MALFORMED"),
        ("/intake/signals", b" " * 2_000_000, 413, "TOO_LARGE"),
    ],
)
async def test_what_is_no_signal_is_a_problem(
    http: httpx.AsyncClient, path: str, content: bytes, status: int, reason: str
) -> None:
    answer = await http.post(path, content=content)

    assert (answer.status_code, answer.json()["title"]) == (status, reason)


async def test_only_backends_with_a_token_report(desk: Desk, http: httpx.AsyncClient) -> None:
    nobody = await http.post("/intake/signals", json={}, headers={"Authorization": ""})
    auditor = f"Bearer {desk.deployment.token('auditor', name='x')}"
    wrong = await http.post("/intake/signals", json={}, headers={"Authorization": auditor})

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (wrong.status_code, wrong.json()["title"]) == (403, "WRONG_ROLE")
