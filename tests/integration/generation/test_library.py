"""The feature library (Deep Synthesis 10)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from candor.generation.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id
from candor_generation import codec, guard, library_command
from candor_generation.domain import feature
from candor_generation.domain.flood import Limits
from candor_generation.store import hits
from candor_generation.store import library as library_store
from candor_kit import database
from candor_kit.clock import SystemClock
from candor_kit.stop import Wake
from candor_kit.transaction import Caller, Transactions
from psycopg.rows import dict_row
from typer.testing import CliRunner

from .backend import Backend, refusal

pytestmark = pytest.mark.clause("Deep Synthesis 10")

SHADOW, ACTIVE, SUSPENDED = (
    model_pb2.FEATURE_MODE_SHADOW,
    model_pb2.FEATURE_MODE_ACTIVE,
    model_pb2.FEATURE_MODE_SUSPENDED,
)


def proposal(backend: Backend, **overrides: object) -> service_pb2.ProposeFeatureRequest:
    fields: dict[str, object] = {
        "command_id": command_id(),
        "feature_id": f"f-{backend.word}",
        "kind": model_pb2.FEATURE_KIND_TERM,
        "value": f"谣言{backend.word}",
        "category": "false-information",
        "decision": model_pb2.DECISION_BLOCK,
        "citation": "Deep Synthesis 6",
        "source": "order 7",
        "reason": "it spreads",
    }
    return service_pb2.ProposeFeatureRequest(**{**fields, **overrides})  # type: ignore[arg-type]


def admission(backend: Backend, **overrides: object) -> service_pb2.AdmitFeatureRequest:
    fields: dict[str, object] = {
        "command_id": command_id(),
        "feature_id": f"f-{backend.word}",
        "mode": ACTIVE,
        "reason": "found in no benign text",
    }
    return service_pb2.AdmitFeatureRequest(**{**fields, **overrides})  # type: ignore[arg-type]


def mode(backend: Backend, wanted: model_pb2.FeatureMode.ValueType) -> service_pb2.SetFeatureModeRequest:
    return service_pb2.SetFeatureModeRequest(
        command_id=command_id(), feature_id=f"f-{backend.word}", mode=wanted, reason="test"
    )


def retirement(backend: Backend) -> service_pb2.RetireFeatureRequest:
    return service_pb2.RetireFeatureRequest(
        command_id=command_id(), feature_id=f"f-{backend.word}", reason="the order was lifted"
    )


async def decision(backend: Backend, text: str) -> service_pb2.RecordResponse:
    answer: service_pb2.RecordResponse = await backend.backend.Record(backend.generation(output=text))
    return answer


async def library(backend: Backend, **which: Any) -> service_pb2.GetLibraryResponse:
    """A whole library, page by page."""
    request = service_pb2.GetLibraryRequest(page_size=50, **which)
    whole = service_pb2.GetLibraryResponse()
    while True:
        answer = await backend.auditor.GetLibrary(request)
        whole.MergeFrom(answer)
        if not answer.next_page_token:
            return whole
        request.page_token = answer.next_page_token


async def test_a_feature_screens_from_its_admission_by_other_people_to_its_retirement(backend: Backend) -> None:
    text = f"据说谣\u200b言{backend.word}是真的"
    before = (await backend.alice.ProposeFeature(proposal(backend))).feature
    assert before.state == model_pb2.FEATURE_STATE_PROPOSED
    assert (await decision(backend, text)).verdict.decision == model_pb2.DECISION_ALLOW

    assert await refusal(backend.bob.AdmitFeature(admission(backend))) == "FEATURE_STATE"
    review = service_pb2.ReviewFeatureRequest(
        command_id=command_id(), feature_id=before.feature_id, approved=True, standard="standard 1", reason="fits"
    )
    assert await refusal(backend.alice.ReviewFeature(review)) == "SAME_PERSON"
    (reviewed,) = (await backend.review(before.feature_id)).features
    assert (reviewed.reviewed_by, reviewed.standard) == ("bob", "standard 1")
    assert await refusal(backend.alice.AdmitFeature(admission(backend))) == "SAME_PERSON"
    admitted = await backend.bob.AdmitFeature(admission(backend))
    assert admitted.feature.admitted_by == "bob"
    assert admitted.feature.benign_run.hits == 0
    assert admitted.feature.benign_run.texts >= 150
    answer = await decision(backend, text)
    assert answer.verdict.decision == model_pb2.DECISION_BLOCK
    assert answer.verdict.library_digest == admitted.library_digest
    assert [(hit.feature_id, hit.in_prompt) for hit in answer.verdict.hits] == [(f"f-{backend.word}", False)]
    (flagged,) = await backend.deployment.facts(
        "generation", facts_pb2.GenerationFlagged, lambda fact: fact.generation_id == answer.generation_id
    )
    assert (flagged.subject, flagged.verdict) == (backend.subject, answer.verdict)

    retired = await backend.alice.RetireFeature(retirement(backend))
    answer = await decision(backend, text)
    assert answer.verdict.decision == model_pb2.DECISION_ALLOW
    assert answer.verdict.library_digest == retired.library_digest != admitted.library_digest
    kinds: tuple[type[Any], ...] = (
        facts_pb2.FeatureProposed,
        facts_pb2.FeatureReviewed,
        facts_pb2.FeatureAdmitted,
        facts_pb2.FeatureRetired,
    )
    for kind in kinds:
        await backend.deployment.facts("generation", kind, lambda fact: fact.feature.feature_id == before.feature_id)
    steps = await backend.deployment.rows(
        "generation", "SELECT step, by, reason FROM feature_step WHERE feature_id = %s ORDER BY at", before.feature_id
    )
    assert [(step["step"], step["by"]) for step in steps] == [
        ("proposed", "alice"),
        ("reviewed", "bob"),
        ("admitted", "bob"),
        ("retired", "alice"),
    ]
    assert all(step["reason"] for step in steps)


async def test_a_feature_in_shadow_has_no_consequence_until_somebody_lets_it_decide(backend: Backend) -> None:
    text = f"谣言{backend.word}"
    await backend.alice.ProposeFeature(proposal(backend))
    await backend.review(f"f-{backend.word}")
    shadow = await backend.bob.AdmitFeature(admission(backend, mode=model_pb2.FEATURE_MODE_UNSPECIFIED))
    assert shadow.feature.mode == SHADOW
    assert (await decision(backend, text)).verdict.decision == model_pb2.DECISION_ALLOW
    assert await refusal(backend.alice.SetFeatureMode(mode(backend, ACTIVE))) == "SAME_PERSON"
    active = await backend.bob.SetFeatureMode(mode(backend, ACTIVE))
    assert (await decision(backend, text)).verdict.decision == model_pb2.DECISION_BLOCK
    resting = await backend.alice.SetFeatureMode(mode(backend, SUSPENDED))
    assert (await decision(backend, text)).verdict.decision == model_pb2.DECISION_ALLOW
    assert await refusal(backend.bob.SetFeatureMode(mode(backend, ACTIVE))) == "FEATURE_STATE"
    versions = [shadow.library_version, active.library_version, resting.library_version]
    assert versions == sorted(set(versions))
    changed = await backend.deployment.facts(
        "generation",
        facts_pb2.FeatureModeChanged,
        lambda fact: fact.feature.feature_id == f"f-{backend.word}",
        count=2,
    )
    assert [(fact.previous_mode, fact.feature.mode, fact.changed_by) for fact in changed] == [
        (SHADOW, ACTIVE, "bob"),
        (ACTIVE, SUSPENDED, "alice"),
    ]


async def test_what_ordinary_texts_hold_is_not_admitted(backend: Backend) -> None:
    # As long lists of words do; 大麻 is found in 大麻烦, and 请 nearly everywhere.
    await backend.alice.ProposeFeature(proposal(backend, kind=model_pb2.FEATURE_KIND_PATTERN, value="请[帮问]?"))
    await backend.review(f"f-{backend.word}")
    assert await refusal(backend.bob.AdmitFeature(admission(backend, mode=SHADOW))) == "HIT_RATE_TOO_HIGH"
    listed = await backend.alice.ListFeatures(
        service_pb2.ListFeaturesRequest(states=[model_pb2.FEATURE_STATE_REVIEWED], page_size=1000)
    )
    assert f"f-{backend.word}" in {item.feature_id for item in listed.features}


async def test_a_version_is_given_back_as_it_was_in_force(backend: Backend) -> None:
    item = proposal(
        backend, value=f"大麻{backend.word}", exceptions=[f"大麻{backend.word}烦"], within_words=True, decision=2
    )
    item.valid_until.FromDatetime(datetime.now(UTC) + timedelta(days=30))
    await backend.alice.ProposeFeature(item)
    await backend.review(f"f-{backend.word}")
    admitted = await backend.bob.AdmitFeature(admission(backend))
    answer = await decision(backend, "一句平常的话")
    await backend.alice.RetireFeature(retirement(backend))

    then = await library(backend, library_digest=answer.verdict.library_digest)
    assert then.version == admitted.library_version
    (found,) = [feature for feature in then.features if feature.feature_id == f"f-{backend.word}"]
    told = (found.value, list(found.exceptions), found.within_words, found.decision, found.mode)
    assert told == (item.value, list(item.exceptions), True, model_pb2.DECISION_REVIEW, ACTIVE)
    assert found.valid_until == item.valid_until
    assert then.size == len(then.features)
    by_number = await library(backend, version=then.version)
    assert by_number == then
    before = await library(backend, version=then.version - 1)
    now = await library(backend)
    for other in (before, now):
        assert f"f-{backend.word}" not in {feature.feature_id for feature in other.features}
    assert now.version > then.version
    unknown = service_pb2.GetLibraryRequest(library_digest=b"x" * 32)
    assert await refusal(backend.auditor.GetLibrary(unknown)) == "LIBRARY_UNKNOWN"


async def test_features_that_are_refused(backend: Backend) -> None:
    await backend.alice.ProposeFeature(proposal(backend))
    assert await refusal(backend.bob.ProposeFeature(proposal(backend))) == "FEATURE_EXISTS"
    wrong = proposal(backend, feature_id=f"g-{backend.word}", kind=model_pb2.FEATURE_KIND_PATTERN, value="(a")
    assert await refusal(backend.alice.ProposeFeature(wrong)) == "PATTERN_INVALID"
    over = proposal(backend, feature_id=f"g-{backend.word}")
    over.valid_until.FromDatetime(datetime.now(UTC) - timedelta(days=1))
    assert await refusal(backend.alice.ProposeFeature(over)) == "VALIDITY_INVALID"
    unknown = admission(backend, feature_id=f"g-{backend.word}")
    assert await refusal(backend.bob.AdmitFeature(unknown)) == "FEATURE_UNKNOWN"
    assert await refusal(backend.alice.RetireFeature(retirement(backend))) == "FEATURE_STATE"


async def test_an_act_on_many_does_what_it_can_and_names_the_rest(backend: Backend) -> None:
    ids = [f"m{number}-{backend.word}" for number in range(4)]
    for number, feature_id in enumerate(ids):
        value = "请[帮问]?" if number == 1 else f"词{number}{backend.word}"
        await backend.alice.ProposeFeature(
            proposal(backend, feature_id=feature_id, kind=model_pb2.FEATURE_KIND_PATTERN, value=value)
        )
    reviewed = await backend.review(ids[0], *ids[1:3], "unknown-feature")
    assert [item.feature_id for item in reviewed.features] == ids[:3]
    assert [(item.feature_id, item.reason) for item in reviewed.refused] == [("unknown-feature", "FEATURE_UNKNOWN")]
    before = (await library(backend)).version
    admitted = await backend.bob.AdmitFeature(admission(backend, feature_id=ids[0], also=ids[1:]))
    assert admitted.feature.feature_id == ids[0]
    assert [item.feature_id for item in admitted.also] == [ids[2]]
    assert {(item.feature_id, item.reason) for item in admitted.refused} == {
        (ids[1], "HIT_RATE_TOO_HIGH"),
        (ids[3], "FEATURE_STATE"),
    }
    assert admitted.library_version == before + 1


async def test_a_pattern_screens_the_prompt_too(backend: Backend) -> None:
    pattern = proposal(backend, kind=model_pb2.FEATURE_KIND_PATTERN, value=f"{backend.word}[0-9]{{3}}", decision=2)
    await backend.alice.ProposeFeature(pattern)
    await backend.review(f"f-{backend.word}")
    await backend.bob.AdmitFeature(admission(backend))
    answer = await backend.backend.Record(backend.generation(prompt=f"x {backend.word}１２３"))
    assert answer.verdict.decision == model_pb2.DECISION_REVIEW
    assert answer.verdict.hits[0].in_prompt


async def test_pages_of_features_hold_every_feature_once(backend: Backend) -> None:
    ids = [f"p{number}-{backend.word}" for number in range(5)]
    for feature_id in ids:
        await backend.alice.ProposeFeature(
            proposal(backend, feature_id=feature_id, category=f"c-{backend.word}", value=feature_id)
        )
    request = service_pb2.ListFeaturesRequest(category=f"c-{backend.word}", page_size=2)
    found: list[str] = []
    while True:
        answer = await backend.alice.ListFeatures(request)
        found.extend(item.feature_id for item in answer.features)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert found == ids
    none = service_pb2.ListFeaturesRequest(category=f"c-{backend.word}", states=[model_pb2.FEATURE_STATE_RETIRED])
    assert not (await backend.alice.ListFeatures(none)).features


def rows(backend: Backend) -> list[dict[str, object]]:
    good = {"kind": "term", "category": "violence", "decision": "block", "citation": "Deep Synthesis 6"}
    return [
        {**good, "feature_id": f"i1-{backend.word}", "value": f"甲{backend.word}"},
        {**good, "feature_id": f"i2-{backend.word}", "value": "("},
        {**good, "feature_id": f"i3-{backend.word}", "value": "(a", "kind": "pattern"},
        {**good, "feature_id": f"i1-{backend.word}", "value": f"乙{backend.word}"},
        {**good, "value": f"甲{backend.word}"},
        {**good, "feature_id": f"i6-{backend.word}", "value": f"丙{backend.word}", "source": "own"},
    ]


async def test_a_file_is_proposed_row_by_row_and_a_dry_run_says_the_same_and_does_nothing(
    backend: Backend, tmp_path: Path
) -> None:
    file = tmp_path / "features.json"
    file.write_text(json.dumps({"format": "candor-features/1", "features": rows(backend)}), encoding="utf-8")
    said = [await run(backend, "import", str(file), "--source", "s", "--reason", "r", "--json", *more) for more in DRY]
    for code, output in said:
        answer = json.loads(output)
        assert code == 1
        assert answer["proposed"] == "2"
        assert [(row["row"], row["field"], row["reason"]) for row in answer["refused"]] == [
            ("2", "value", "INVALID_FIELD"),
            ("3", "value", "PATTERN_INVALID"),
            ("4", "feature_id", "FEATURE_EXISTS"),
            ("5", "value", "FEATURE_EXISTS"),
        ]
    listed = await backend.alice.ListFeatures(
        service_pb2.ListFeaturesRequest(states=[model_pb2.FEATURE_STATE_PROPOSED], page_size=1000)
    )
    taken = {item.feature_id: item for item in listed.features if backend.word in item.feature_id}
    assert {name: (item.source, item.proposed_by) for name, item in taken.items()} == {
        f"i1-{backend.word}": ("s", "alice"),
        f"i6-{backend.word}": ("own", "alice"),
    }


async def test_what_is_exported_is_read_back_and_a_revoked_indicator_is_named(backend: Backend, tmp_path: Path) -> None:
    await backend.admit(f"f-{backend.word}", f"谣言{backend.word}")
    file = tmp_path / "library.stix.json"
    code, output = await run(backend, "export", str(file))
    assert code == 0, output
    bundle = json.loads(file.read_text(encoding="utf-8"))
    (found,) = [item for item in bundle["objects"] if item["name"] == f"f-{backend.word}"]
    assert (found["pattern"], found["revoked"]) == (f"谣言{backend.word}", False)
    file.write_text(json.dumps({**bundle, "objects": [{**found, "revoked": True}]}), encoding="utf-8")
    code, output = await run(backend, "import", str(file), "--json")
    assert (code, json.loads(output)["tombstones"]) == (0, [f"f-{backend.word}"])
    code, output = await run(backend, "retire", f"f-{backend.word}", "--reason", "the sender revoked it")
    assert (code, output.splitlines()[0]) == (0, "1 done, 0 refused")


DRY: tuple[tuple[str, ...], ...] = (("--dry-run",), ())


async def run(backend: Backend, *arguments: str) -> tuple[int, str]:
    """Run `candor features` as alice."""
    address = backend.deployment.description.services["generation"].grpc
    token = backend.deployment.token("operator", name="alice")
    result = await asyncio.to_thread(
        CliRunner().invoke, library_command.app, [*arguments, "--address", address, "--token", token]
    )
    return result.exit_code, result.stdout


async def test_a_feature_that_floods_goes_back_to_shadow_and_a_person_is_told(backend: Backend) -> None:
    feature_id = f"f-{backend.word}"
    await backend.admit(feature_id, f"谣言{backend.word}")
    pool = database.pool(backend.deployment.database_url("generation"), 2)
    await pool.open(wait=True)
    try:
        transactions = Transactions("generation", pool, SystemClock(), Wake())
        watch = guard.Guard(
            lambda: transactions.open(Caller("candor.generation.guard")),
            Limits(10, 20, 0.001),
            timedelta(minutes=10),
            1,
        )
        minute = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        async with transactions.open(Caller("test")) as tx:
            await hits.count(tx.connection, minute, {feature_id: 19}, 500)
        assert feature_id not in await watch.look()
        async with transactions.open(Caller("test")) as tx:
            await hits.count(tx.connection, minute, {feature_id: 11}, 500)
        await watch.look()
        (changed,) = await backend.deployment.facts(
            "generation",
            facts_pb2.FeatureModeChanged,
            lambda fact: fact.feature.feature_id == feature_id,
        )
        assert (changed.previous_mode, changed.feature.mode) == (ACTIVE, SHADOW)
        assert changed.flood.hits == 30
        assert changed.flood.screened >= 1000
        assert changed.changed_by == ""
        assert "flood" in changed.feature.reason
        answer = await decision(backend, f"谣言{backend.word}")
        assert answer.verdict.decision == model_pb2.DECISION_ALLOW
        assert answer.verdict.library_digest == changed.library_digest
        assert codec.time_of(changed.flood.since) > datetime.now(UTC) - timedelta(minutes=11)
    finally:
        await pool.close()
        url = backend.deployment.database_url("generation")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute("DELETE FROM feature_hits WHERE feature_id = %s", (feature_id,))
            await connection.execute("DELETE FROM screened WHERE generations = 500")


async def test_the_stored_digest_is_that_of_the_features_that_screen(backend: Backend) -> None:
    for number in range(3):
        await backend.admit(f"d{number}-{backend.word}", f"词{number}{backend.word}")
    url = backend.deployment.database_url("generation")
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        await library_store.lock(connection)
        screening = await library_store.admitted(connection, {})
        assert len(screening) >= 3
        assert (await library_store.in_force(connection))[1] == feature.library_digest(screening)
