"""Every fact that was ever published can be read, by everybody who reads it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import golden
import pytest
from aiokafka import ConsumerRecord
from candor_escalation.handlers.acts import impersonal
from candor_generation.handlers.acts import subject_of
from candor_kit import envelope
from candor_kit.consumer import FactConsumer
from candor_kit.readers import FactReader
from candor_stack.issuer import LocalIssuer
from google.protobuf import json_format
from google.protobuf.message import Message

ROOT = Path(__file__).resolve().parents[2]
KINDS = list(golden.facts())
# Who reads which facts: a consumer that appears or goes must appear here or go, with its golden events.
READERS = {
    "consent": {"candor.rights.v1.TaskAsked"},
    "rights": {"candor.escalation.v1.ModelDeletionOrdered"},
    "generation": {"candor.rights.v1.TaskAsked"},
    "refutation": {"candor.rights.v1.TaskAsked", "candor.generation.v1.GenerationRecorded"},
    "escalation": {
        "candor.rights.v1.TaskAsked",
        "candor.rights.v1.ModelDeletionAnswered",
        "candor.rights.v1.RequestOpened",
        "candor.rights.v1.RequestClosed",
        "candor.rights.v1.RequestRefused",
        "candor.generation.v1.GenerationFlagged",
        "candor.generation.v1.ReviewDecided",
        "candor.generation.v1.FeatureModeChanged",
        "candor.refutation.v1.SpreadDetected",
        "candor.refutation.v1.RefutationPublished",
        "candor.refutation.v1.VerdictRecorded",
    },
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_the_golden_bytes_still_say_the_same(kind: type[Message]) -> None:
    encoded, said = golden.read(kind)
    assert json_format.MessageToDict(kind.FromString(encoded)) == said


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_what_is_published_today_is_a_superset_of_the_golden_event(kind: type[Message]) -> None:
    encoded, said = golden.read(kind)
    today = kind()
    json_format.ParseDict(said, today)
    assert today.SerializeToString(deterministic=True) == encoded


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.DESCRIPTOR.full_name)
@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
def test_the_log_of_acts_finds_the_person_in_every_fact_that_names_one(kind: type[Message]) -> None:
    encoded, said = golden.read(kind)
    assert subject_of(kind.DESCRIPTOR.full_name, encoded) == ("subject" if _has(said, "subject") else None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.DESCRIPTOR.full_name)
def test_the_incident_file_keeps_no_person_of_any_fact(kind: type[Message]) -> None:
    encoded, _ = golden.read(kind)
    assert not _has(json_format.MessageToDict(impersonal(kind.FromString(encoded))), "subject")


def test_no_golden_event_is_without_its_fact() -> None:
    assert {path.stem for path in golden.FOLDER.glob("*.json")} == {kind.DESCRIPTOR.full_name for kind in KINDS}


@pytest.mark.parametrize("service", sorted(READERS))
async def test_every_consumer_decodes_the_golden_events_it_reads(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumers = await _consumers(service, tmp_path, monkeypatch)
    read = {kind.DESCRIPTOR.full_name for consumer in consumers for kind in consumer.handlers}
    assert read == READERS[service]
    for consumer in consumers:
        for kind in consumer.handlers:
            encoded, said = golden.read(kind)
            step = FactReader(consumer, lambda _error: None).read(_record(consumer.topic, kind, encoded))
            assert step.refusal is None
            assert step.apply is not None
            assert step.message is not None
            assert json_format.MessageToDict(step.message) == said


def _has(said: object, name: str) -> bool:
    """Whether a name is anywhere in what JSON says."""
    if isinstance(said, dict):
        return name in said or any(_has(value, name) for value in said.values())
    return isinstance(said, list) and any(_has(value, name) for value in said)


async def _consumers(service: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[FactConsumer]:
    """Compose the service as its process does; composing does no I/O."""
    (folder / "kek").write_text(base64.b64encode(b"k" * 32).decode())
    (folder / "token").write_text("token")
    LocalIssuer.open(folder)
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "JWKS_FILE": str(folder / "keys" / "jwks.json"),
        "KEK_FILE": str(folder / "kek"),
        "TOKEN_FILE": str(folder / "token"),
        "DATA_DIR": str(folder),
        "PACKS_DIR": str(ROOT / "packs"),
        "LOCAL_MODE": "true",
        "PROFILE": json.dumps({}),
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"CANDOR_{name}", value)
    main = import_module(f"candor_{service}.main")
    composed = await main.compose(main.Settings())
    return list(composed._facts)


def _record(topic: str, kind: type[Message], value: bytes) -> ConsumerRecord:
    headers = envelope.headers_of(
        identifier="id", message_type=kind.DESCRIPTOR.full_name, source="candor.x", at=datetime.now(UTC)
    )
    return ConsumerRecord(topic, 0, 0, 0, 0, b"key", value, None, 3, len(value), tuple(headers))
