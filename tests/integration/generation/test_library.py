"""The feature library (Deep Synthesis 10)."""

from __future__ import annotations

from typing import Any

import pytest
from candor.generation.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id

from .backend import Backend, refusal

pytestmark = pytest.mark.clause("Deep Synthesis 10")


def proposal(backend: Backend, **overrides: object) -> service_pb2.ProposeFeatureRequest:
    fields: dict[str, object] = {
        "command_id": command_id(),
        "feature_id": f"f-{backend.word}",
        "kind": model_pb2.FEATURE_KIND_TERM,
        "value": f"谣言{backend.word}",
        "category": "false-information",
        "decision": model_pb2.DECISION_BLOCK,
        "citation": "Deep Synthesis 6",
    }
    return service_pb2.ProposeFeatureRequest(**{**fields, **overrides})  # type: ignore[arg-type]


def admission(backend: Backend) -> service_pb2.AdmitFeatureRequest:
    return service_pb2.AdmitFeatureRequest(command_id=command_id(), feature_id=f"f-{backend.word}")


async def test_a_feature_screens_from_its_admission_by_another_person_to_its_retirement(backend: Backend) -> None:
    text = f"据说谣\u200b言{backend.word}是真的"
    before = (await backend.alice.ProposeFeature(proposal(backend))).feature
    assert before.state == model_pb2.FEATURE_STATE_PROPOSED
    answer = await backend.backend.Record(backend.generation(output=text))
    assert answer.verdict.decision == model_pb2.DECISION_ALLOW

    assert await refusal(backend.alice.AdmitFeature(admission(backend))) == "SAME_PERSON"
    admitted = await backend.bob.AdmitFeature(admission(backend))
    assert admitted.feature.admitted_by == "bob"
    answer = await backend.backend.Record(backend.generation(output=text))
    assert answer.verdict.decision == model_pb2.DECISION_BLOCK
    assert answer.verdict.library_digest == admitted.library_digest
    assert [(hit.feature_id, hit.in_prompt) for hit in answer.verdict.hits] == [(f"f-{backend.word}", False)]
    (flagged,) = await backend.deployment.facts(
        "generation", facts_pb2.GenerationFlagged, lambda fact: fact.generation_id == answer.generation_id
    )
    assert (flagged.subject, flagged.verdict) == (backend.subject, answer.verdict)

    retirement = service_pb2.RetireFeatureRequest(command_id=command_id(), feature_id=f"f-{backend.word}")
    retired = await backend.alice.RetireFeature(retirement)
    answer = await backend.backend.Record(backend.generation(output=text))
    assert answer.verdict.decision == model_pb2.DECISION_ALLOW
    assert answer.verdict.library_digest == retired.library_digest != admitted.library_digest
    kinds: tuple[type[Any], ...] = (facts_pb2.FeatureProposed, facts_pb2.FeatureAdmitted, facts_pb2.FeatureRetired)
    for kind in kinds:
        await backend.deployment.facts("generation", kind, lambda fact: fact.feature.feature_id == before.feature_id)
    listed = await backend.alice.ListFeatures(service_pb2.ListFeaturesRequest())
    assert [item.state for item in listed.features if item.feature_id == before.feature_id] == [
        model_pb2.FEATURE_STATE_RETIRED
    ]


async def test_features_that_are_refused(backend: Backend) -> None:
    await backend.alice.ProposeFeature(proposal(backend))
    assert await refusal(backend.bob.ProposeFeature(proposal(backend))) == "FEATURE_EXISTS"
    wrong = proposal(backend, feature_id=f"g-{backend.word}", kind=model_pb2.FEATURE_KIND_PATTERN, value="(a")
    assert await refusal(backend.alice.ProposeFeature(wrong)) == "PATTERN_INVALID"
    unknown = service_pb2.AdmitFeatureRequest(command_id=command_id(), feature_id=f"g-{backend.word}")
    assert await refusal(backend.bob.AdmitFeature(unknown)) == "FEATURE_UNKNOWN"
    retirement = service_pb2.RetireFeatureRequest(command_id=command_id(), feature_id=f"f-{backend.word}")
    assert await refusal(backend.alice.RetireFeature(retirement)) == "FEATURE_STATE"


async def test_a_pattern_screens_the_prompt_too(backend: Backend) -> None:
    pattern = proposal(backend, kind=model_pb2.FEATURE_KIND_PATTERN, value=f"{backend.word}[0-9]{{3}}", decision=2)
    await backend.alice.ProposeFeature(pattern)
    await backend.bob.AdmitFeature(admission(backend))
    answer = await backend.backend.Record(backend.generation(prompt=f"x {backend.word}１２３"))
    assert answer.verdict.decision == model_pb2.DECISION_REVIEW
    assert answer.verdict.hits[0].in_prompt
