"""The log of compliance acts: whatever the services did is in it, and whom it names can be forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from candor.consent.v1.facts_pb2 import ConsentGranted, ConsentWithdrawn
from candor.generation.v1 import service_pb2, service_pb2_grpc
from candor.generation.v1.facts_pb2 import GenerationFlagged
from candor.rights.v1.facts_pb2 import TaskAsked
from candor.rights.v1.model_pb2 import RIGHT_DELETION
from candor_cli.demo import people, rumour, setting
from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import GenerationInput, read_rumours, record
from candor_cli.session import Published, command_id
from candor_kit.errors import Refusal
from deployment import Deployment
from google.protobuf.message import Message
from rich.console import Console

from .auditor import Auditor, logs

CARD = GenerationInput("m", "en", "Which number was it?", "It was 4111111111111111.")


@pytest.fixture
async def auditor(deployment: Deployment, tmp_path: Path) -> Auditor:
    return Auditor(deployment, tmp_path)


@pytest.fixture(scope="module")
async def told_before(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> set[Published]:
    """A library, refuted claims, consents, flagged outputs, a withdrawal, as in the demo; what was told before that."""
    before = set(await Auditor(deployment, tmp_path_factory.mktemp("before")).to_be_logged())
    telling = Telling(Console(quiet=True))
    await setting.consent(deployment, telling)
    await setting.features(deployment, telling)
    await rumour.refute(deployment, telling, read_rumours(None)[:3])
    await people.agree(deployment, telling)
    for person in (people.PERSON, "account-0001"):
        flagged = record(person, CARD, datetime.now(UTC))
        await deployment.emit("generation", flagged)
        await deployment.facts("generation", GenerationFlagged, is_of(flagged.command_id))
    await people.withdraw(deployment, telling)
    return before


def is_of(generation_id: str) -> Callable[[GenerationFlagged], bool]:
    return lambda fact: fact.generation_id == generation_id


def of_type(facts: list[Published], kind: type[Message], subject: str) -> list[Published]:
    """The facts of a type that name a person."""
    found = [fact for fact in facts if fact.type == kind.DESCRIPTOR.full_name]
    return [fact for fact in found if kind.FromString(fact.value).subject == subject]  # type: ignore[attr-defined]


async def test_every_public_fact_has_a_leaf_whose_evidence_verifies(
    auditor: Auditor, told_before: set[Published]
) -> None:
    facts = [fact for fact in await auditor.to_be_logged() if fact not in told_before]
    places: Counter[tuple[str, int]] = Counter()
    for fact in facts:
        proven = await auditor.checked(fact)
        assert proven.opening is not None, f"{fact.type} names nobody who was erased"
        places[proven.origin, proven.log_index] += 1
    assert {fact.source for fact in facts} >= {"candor.consent", "candor.generation", "candor.refutation"}
    assert max(places.values()) == 1, "two facts share a place"


async def test_an_outsider_reads_the_whole_log_of_acts_and_one_act_of_it(
    auditor: Auditor, told_before: set[Published]
) -> None:
    facts = [fact for fact in await auditor.to_be_logged() if fact not in told_before]
    consent = next(fact for fact in facts if fact.type == ConsentGranted.DESCRIPTOR.full_name)
    answer = await auditor.act(consent)
    (present,) = [log for log in logs(auditor.deployment) if log["kind"] == "acts" and log["is_present"]]
    assert answer.origin == present["origin"]
    log = ("--log-url", auditor.log_url(present["origin"]), "--key", present["vkey"])
    code, said = await auditor.verify(*log)
    assert code == 0, said
    assert "entries give the root" in said
    code, said = await auditor.verify(auditor.lay(answer), *log)
    assert code == 0, said
    assert f"of {consent.source}" in said
    assert "are what the entry commits to" in said
    assert "is a prefix of tree" in said


@pytest.mark.usefixtures("told_before")
@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
async def test_pipl_47_a_person_s_acts_cannot_be_opened_after_the_erasure_and_still_verify(auditor: Auditor) -> None:
    deployment, person, other = auditor.deployment, people.PERSON, "account-0001"
    facts = await auditor.to_be_logged()
    theirs = [
        fact for kind in (ConsentGranted, ConsentWithdrawn, GenerationFlagged) for fact in of_type(facts, kind, person)
    ]
    others = [fact for kind in (ConsentGranted, GenerationFlagged) for fact in of_type(facts, kind, other)]
    assert len(theirs) >= 4
    assert len(others) >= 3
    before = [await auditor.checked(fact) for fact in theirs]
    assert all(item.opening is not None for item in before)

    await deployment.ask("generation", person, RIGHT_DELETION)

    for fact, was in zip(theirs, before, strict=True):
        now = await auditor.checked(fact)
        assert now.opening is None, fact.type
        assert (now.origin, now.log_index, now.entry) == (was.origin, was.log_index, was.entry)
    code, said = await auditor.verify(auditor.lay(await auditor.act(theirs[0])), "--key", vkey(auditor, now.origin))
    assert code == 0, said
    assert "nothing is opened" in said
    for fact in others:
        assert (await auditor.checked(fact)).opening is not None
    # The asking itself names the person; it is logged after the erasure, and does not bring them back.
    asked = of_type(await auditor.to_be_logged(), TaskAsked, person)
    assert asked
    for fact in asked:
        assert (await auditor.checked(fact)).opening is None
    kept = await deployment.rows(
        "generation",
        "SELECT count(*) AS n FROM act WHERE pseudonym IS NULL AND sealed IS NULL AND wrapped_key IS NULL",
    )
    assert kept[0]["n"] >= len(theirs)


@pytest.mark.usefixtures("told_before")
@pytest.mark.clause("GDPR 17(1)", "PIPL 47")
async def test_pipl_47_a_fact_of_before_an_erasure_that_is_heard_after_it_is_not_opened(auditor: Auditor) -> None:
    deployment, person = auditor.deployment, f"late-{command_id()}"
    before, asked, after = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (-60, -30, -10))
    for at in (before, after):
        await deployment.emit("generation", record(person, CARD, at))
    await deployment.facts("generation", GenerationFlagged, lambda fact: fact.subject == person, count=2)
    # The second record is of after the request: it stays, under a key of its own.
    await deployment.ask("generation", person, RIGHT_DELETION, requested_at=asked)
    old = await deployment.tell("consent", ConsentGranted(subject=person, purpose_id="p"), at=before)
    new = await deployment.tell("consent", ConsentGranted(subject=person, purpose_id="p"), at=after)
    assert (await auditor.checked(old)).opening is None
    assert (await auditor.checked(new)).opening is not None


def vkey(auditor: Auditor, origin: str) -> str:
    """The key that a log is served with."""
    return next(log["vkey"] for log in logs(auditor.deployment) if log["origin"] == origin)


async def test_what_no_service_said_is_unknown_and_only_auditors_ask(auditor: Auditor) -> None:
    question = service_pb2.GetActEvidenceRequest(fact_id=command_id(), source="candor.consent")
    assert await reason(auditor.stub.GetActEvidence(question)) == "ACT_UNKNOWN"
    backend = service_pb2_grpc.GenerationServiceStub(auditor.deployment.channel("generation", "backend"))
    assert await reason(backend.GetActEvidence(question)) == "WRONG_ROLE"


async def reason(call: Awaitable[object]) -> str:
    """What a call is refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    refusal = Refusal.from_rpc(caught.value)
    assert refusal is not None
    return refusal.reason
