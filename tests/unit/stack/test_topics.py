"""Topics are declared with what the promises need: an end to every copy, and room for a dead letter's record."""

import pytest
from candor_stack import candor_topics, service_topics
from candor_stack.topics import DAY_MS, SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_an_intake_and_its_dead_letters_expire_after_seven_days(service: str) -> None:
    for spec in service_topics(service)[1:]:
        assert spec.retention_ms == 7 * DAY_MS
        assert spec.segment_ms == DAY_MS


@pytest.mark.parametrize("service", SERVICES)
def test_a_dead_letter_fits_where_its_record_fitted(service: str) -> None:
    _, intake, dead = service_topics(service)
    assert intake.max_message_bytes is not None
    assert dead.max_message_bytes is not None
    assert dead.max_message_bytes > intake.max_message_bytes


def test_public_facts_outlive_a_month_and_generations_a_week() -> None:
    days = {spec.name: (spec.retention_ms or 0) // DAY_MS for spec in candor_topics()}
    assert days["candor.consent.v1"] == 35
    assert days["candor.generation.v1"] == 7


def test_every_service_has_three_topics() -> None:
    names = [spec.name for spec in candor_topics()]
    assert len(set(names)) == 3 * len(SERVICES)
