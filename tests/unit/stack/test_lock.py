"""The lock of Kafka's jars is complete enough to decide what may run."""

import re

from candor_stack.lock import KAFKA_VERSION, read_lock


def test_every_jar_is_pinned_by_version_checksum_and_size() -> None:
    for jar in read_lock():
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert jar.size > 0, jar
        assert jar.version in jar.filename


def test_no_artifact_comes_in_two_versions() -> None:
    artifacts = [(jar.group, jar.artifact) for jar in read_lock()]
    assert len(artifacts) == len(set(artifacts))


def test_every_part_of_kafka_has_the_broker_s_version() -> None:
    versions = {jar.version for jar in read_lock() if jar.group == "org.apache.kafka"}
    assert versions == {KAFKA_VERSION}
