from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from candor.consent.v1 import facts_pb2, model_pb2, service_pb2
from candor_consent import codec
from candor_consent.domain.act import Act, AgeBand, Deed, Kind
from candor_consent.domain.consent import State, standing
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from .builders import CHAT, GUARDIAN, HOUR, NOON, granted, refused_training, versions_of, withdrawn

VERSIONS = versions_of(CHAT)
YES = granted(
    VERSIONS, kind=Kind.SEPARATE, age_band=AgeBand.UNDER_14, guardian=GUARDIAN, expires_at=NOON + HOUR, channel="app"
)


@given(st.datetimes(timezones=st.just(NOON.tzinfo)))
def test_instants_come_back(at: datetime) -> None:
    assert codec.instant(codec.stamp(at)) == at


def test_an_instant_is_cut_to_the_microsecond() -> None:
    assert codec.instant(Timestamp(seconds=0, nanos=1_999)).microsecond == 1


def test_a_grant_is_read_whole() -> None:
    command = service_pb2.GrantConsentRequest(
        subject="user-1",
        purpose_id="chat",
        notice_id="privacy",
        notice_version=1,
        kind=model_pb2.CONSENT_KIND_SEPARATE,
        age_band=model_pb2.AGE_BAND_14_TO_17,
        guardian=model_pb2.Guardian(guardian_ref="parent-1", method="id-document"),
        given_at=codec.stamp(NOON),
        channel="signup",
    )

    asked = codec.grant_of(command)

    assert (asked.kind, asked.age_band, asked.guardian) == (Kind.SEPARATE, AgeBand.FROM_14_TO_17, GUARDIAN)
    assert (asked.given_at, asked.expires_at) == (NOON, None)
    command.ClearField("guardian")
    assert codec.grant_of(command).guardian is None


def test_every_value_of_the_domain_has_its_name_on_the_wire() -> None:
    for kind in Kind:
        for age_band in AgeBand:
            wire = codec.wire_act(replace(YES, kind=kind, age_band=age_band))
            assert model_pb2.ConsentKind.Name(wire.kind).endswith(kind.value)
            assert model_pb2.AgeBand.Name(wire.age_band).endswith(age_band.value)
    for deed in Deed:
        assert model_pb2.ConsentAct.Act.Name(codec.wire_act(replace(YES, deed=deed)).act).endswith(deed.value)
    for state in State:
        stands = replace(standing([], VERSIONS, NOON), state=state)
        assert model_pb2.ConsentState.Name(codec.wire_standing(stands).state).endswith(state.value)


@pytest.mark.parametrize(
    ("act", "fact"),
    [
        (YES, facts_pb2.ConsentGranted),
        (withdrawn(YES, NOON), facts_pb2.ConsentWithdrawn),
        (replace(YES, deed=Deed.EXPIRED), facts_pb2.ConsentExpired),
        (refused_training(NOON), facts_pb2.TrainingRefused),
    ],
)
def test_every_act_is_published_as_its_fact(act: Act, fact: type) -> None:
    made = codec.fact_of(act, "user-1")

    assert isinstance(made, fact)
    assert getattr(made, "subject", "") == "user-1"


def test_the_fact_of_a_grant_says_that_a_guardian_gave_it_but_not_who() -> None:
    fact = codec.fact_of(YES, "user-1")

    assert isinstance(fact, facts_pb2.ConsentGranted)
    assert fact.by_guardian
    assert b"parent-1" not in fact.SerializeToString()


def test_an_export_shows_everything_held_about_an_act() -> None:
    item = codec.export_of(YES)

    assert (item.kind, item.item_id, codec.instant(item.occurred_at)) == ("consent", "act-consent-1", NOON)
    assert json.loads(item.json) == {
        "act": "GRANTED",
        "consent_id": "consent-1",
        "purpose_id": "chat",
        "purpose_version": 1,
        "notice_id": "privacy",
        "notice_version": 1,
        "kind": "SEPARATE",
        "age_band": "UNDER_14",
        "guardian": {"guardian_ref": "parent-1", "method": "id-document"},
        "channel": "app",
        "at": "2026-11-22T12:00:00+00:00",
        "recorded_at": "2026-11-22T12:00:00+00:00",
        "expires_at": "2026-11-22T13:00:00+00:00",
    }
    assert codec.export_of(refused_training(NOON)).kind == "training_refusal"
