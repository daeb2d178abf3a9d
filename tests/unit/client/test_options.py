"""The options of a client."""

from __future__ import annotations

from dataclasses import fields

from candor_client.core import Given, Options


def test_every_option_can_be_given_and_only_those() -> None:
    assert {field.name for field in fields(Options)} == set(Given.__annotations__)


def test_secrets_are_not_shown() -> None:
    options = Options(address="h:1", token="the-token", spool_key=b"the-key", kafka_settings={"sasl.password": "pw"})
    assert not any(secret in repr(options) for secret in ("the-token", "the-key", "pw"))


def test_a_topic_is_sent_many_at_a_time_and_an_rpc_one() -> None:
    assert Options(address="h:1").under_way() == 1
    assert Options(kafka="h:1").under_way() > 1
    assert Options(address="h:1", spool_under_way=8).under_way() == 8
