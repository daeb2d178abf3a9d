from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from candor.escalation.v1 import service_pb2
from candor_escalation import alerts, codec
from candor_kit import validation
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, NOON


def alert(**more: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "Leak"},
        "startsAt": NOON.isoformat(),
        "fingerprint": "f",
        **more,
    }


def read(*told: dict[str, Any]) -> list[alerts.Reported]:
    return alerts.of_webhook({"groupKey": "g", "alerts": list(told)}, NOON)


def test_an_alert_is_the_same_as_long_as_its_fingerprint_and_start_are() -> None:
    one, again, other, later = read(
        alert(), alert(status="resolved", annotations={"x": "y"}), alert(fingerprint="g"),
        alert(startsAt=(NOON - HOUR).isoformat()),
    )  # fmt: skip

    assert one.digest == again.digest
    assert len({one.digest, other.digest, later.digest}) == 3
    assert (one.resolved_at, again.resolved_at) == (None, NOON)


def test_alerts_of_one_group_are_one_incident_unless_a_label_says_otherwise() -> None:
    one, two, named = read(alert(), alert(fingerprint="g"), alert(labels={"candor_key": "ours"}))

    assert one.signal.correlation_key == two.signal.correlation_key != named.signal.correlation_key == "ours"
    assert (one.signal.kind, one.signal.title, one.signal.source) == ("security", "Leak", "alertmanager")


def test_labels_are_facts_as_what_they_plainly_are() -> None:
    labels = {
        "candor_persons": "2000000",
        "candor_personal_information": "true",
        "candor_cause": "bug",
        "severity": "low",
    }
    (one,) = read(alert(labels={**labels, "candor_Bad-Name": "1", "instance": "db-1", "candor_n": "nan"}))

    assert one.signal.facts == {
        "persons": 2e6, "personal_information": True, "cause": "bug", "severity": "low", "n": "nan",
    }  # fmt: skip


def test_an_alert_that_begins_in_the_future_began_now() -> None:
    (one,) = read(alert(startsAt=(NOON + HOUR).isoformat()))

    assert one.signal.anchors[0].at == NOON


def test_a_resolved_alert_was_over_when_it_says_so_and_no_later_than_now() -> None:
    past, ahead, none = read(
        *(
            alert(status="resolved", endsAt=ends)
            for ends in ((NOON - HOUR).isoformat(), (NOON + HOUR).isoformat(), "0001-01-01T00:00:00Z")
        )
    )

    assert [one.resolved_at for one in (past, ahead, none)] == [NOON - HOUR, NOON, NOON]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
NAMED = st.dictionaries(
    st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "fingerprint"]),
    JSON | st.dictionaries(st.sampled_from(["candor_kind", "candor_key", "candor_n", "summary", "alertname"]), JSON),
)


@given(JSON, st.lists(NAMED, min_size=1, max_size=3))
def test_whatever_an_alert_looks_like_it_becomes_a_right_signal(group: object, told: list[dict[str, Any]]) -> None:
    body = {"groupKey": group, "alerts": told}
    assert alerts.is_webhook(body)
    for one in alerts.of_webhook(body, NOON):
        at = Timestamp()
        at.FromDatetime(one.signal.anchors[0].at)
        request = service_pb2.ReportSignalRequest(
            command_id="01900000-0000-7000-8000-000000000000",
            kind=one.signal.kind,
            title=one.signal.title,
            correlation_key=one.signal.correlation_key,
            source=one.signal.source,
            anchors=[service_pb2.ReportedAnchor(name="found", at=at, evidence=one.signal.anchors[0].evidence)],
        )
        for name in one.signal.facts:
            request.facts[name].bool_value = True
        validation.check(request)
        assert one.signal.anchors[0].at <= NOON


@pytest.mark.parametrize("body", [None, [], {}, {"alerts": {}}, {"alerts": [1]}, "alerts"])
def test_what_has_another_shape_is_no_webhook(body: object) -> None:
    assert not alerts.is_webhook(body)


PLAIN = {"kind": "pi_leak", "title": "A leak", "source": "helpdesk", "facts": {"persons": 5}, "other": [1]}


def plain(entry: dict[str, Any], identifier: str = "", seconds: int = 0) -> alerts.Reported:
    now = NOON + timedelta(seconds=seconds)
    request = alerts.request_of(entry, now)
    validation.check(request)
    return alerts.of_request(request, codec.signal(request), identifier, now)


def test_a_plain_signal_without_an_instant_is_known_since_now() -> None:
    one = plain(PLAIN)

    assert [(anchor.name, anchor.at) for anchor in one.signal.anchors] == [("aware", NOON)]
    assert one.signal.facts == {"persons": 5.0}


def test_a_plain_signal_is_repeated_by_its_id_or_else_by_its_words() -> None:
    assert plain(PLAIN, "t-1").digest == plain({**PLAIN, "title": "Changed"}, "t-1", 5).digest
    assert plain(PLAIN, "t-1").digest != plain({**PLAIN, "source": "desk"}, "t-1").digest
    assert plain(PLAIN).digest == plain(PLAIN, seconds=5).digest != plain({**PLAIN, "title": "Changed"}).digest


def test_a_field_of_another_type_is_refused() -> None:
    with pytest.raises(json_format.ParseError):
        plain({**PLAIN, "kind": 5})
