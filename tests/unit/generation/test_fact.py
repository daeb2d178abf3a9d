"""The bytes that facts of generations are put together from are those that protobuf writes."""

from __future__ import annotations

from candor.generation.v1 import facts_pb2, model_pb2
from candor_generation.domain import fact
from hypothesis import given
from hypothesis import strategies as st

MICROS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
NAMES = st.uuids().map(str)


def template(model: str) -> bytes:
    told = facts_pb2.GenerationRecorded(
        generation_id=fact.NOBODY,
        model=model,
        label=model_pb2.Label(produce_id=fact.NOBODY, json=f'{{"ProduceID":"{fact.NOBODY}"}}'),
    )
    return told.SerializeToString(deterministic=True)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5), NAMES, MICROS, st.integers(0, 2**62), st.text())
def test_a_filled_template_is_the_message_itself(
    models: list[str], name: str, micros: int, index: int, origin: str
) -> None:
    templates = fact.unbundle(fact.bundle([template(model) for model in models]))
    for model, made in zip(models, templates, strict=True):
        whole = fact.placed(fact.fill(made, name.encode(), micros), origin.encode(), index)
        expected = facts_pb2.GenerationRecorded(
            generation_id=name,
            log_index=index,
            origin=origin,
            model=model,
            label=model_pb2.Label(produce_id=name, json=f'{{"ProduceID":"{name}"}}'),
        )
        expected.occurred_at.FromMicroseconds(micros)
        assert facts_pb2.GenerationRecorded.FromString(whole) == expected


@given(MICROS)
def test_a_time_is_what_protobuf_writes(micros: int) -> None:
    expected = facts_pb2.GenerationRecorded()
    expected.occurred_at.FromMicroseconds(micros)
    assert fact.occurred(micros) == expected.SerializeToString()


def test_nothing_is_kept_of_no_templates() -> None:
    assert fact.bundle([]) == b""
    assert list(fact.unbundle(b"")) == []
