"""Topics are declared with what the promises need: an end to every copy, and room for a dead letter's record."""

import pytest
from candor_kit.settings import ServiceSettings
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


def test_no_topic_keeps_a_subject_longer_than_a_proof_of_erasure_says() -> None:
    proven = ServiceSettings.model_fields["intake_retention_seconds"].default
    for spec in candor_topics():
        assert spec.retention_ms is not None
        assert spec.segment_ms is not None
        assert (spec.retention_ms + spec.segment_ms) / 1000 <= proven


def test_every_service_has_three_topics() -> None:
    names = [spec.name for spec in candor_topics()]
    assert len(set(names)) == 3 * len(SERVICES)
