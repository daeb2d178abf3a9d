"""Registers on a real database and a real broker: entries, releases, transfers, orders, and what is public of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx
import pytest
from candor.escalation.v1 import facts_pb2, register_pb2, register_pb2_grpc
from candor.rights.v1 import facts_pb2 as rights_facts
from candor.rights.v1 import model_pb2 as rights_model
from candor.rights.v1 import order_pb2, order_pb2_grpc
from candor_cli.session import command_id

from .desk import Desk, stamp, until, values
from .test_clocks import reason

_NEEDED = "provider_name service_form application_field algorithm_type self_assessment public_content"
FILED = dict.fromkeys(_NEEDED.split(), "给定")


class Archive:
    """Those who keep the registers."""

    def __init__(self, desk: Desk) -> None:
        self.deployment = desk.deployment

    def stub(self, name: str = "archivist", role: str = "privacy_officer") -> Any:
        return register_pb2_grpc.RegisterServiceStub(self.deployment.channel("escalation", role, name=name))

    async def record(self, register: str, product: str, state: str, **more: Any) -> register_pb2.RecordEntryResponse:
        fields = values(more.pop("fields", {}))
        request = register_pb2.RecordEntryRequest(
            command_id=command_id(),
            register=register_pb2.Register.Value(f"REGISTER_{register}"),
            title=f"{product} {register}",
            product=product,
            state=state,
            fields=fields,
            **more,
        )
        answer: register_pb2.RecordEntryResponse = await self.stub().RecordEntry(request)
        return answer


@pytest.fixture
def archive(desk: Desk) -> Archive:
    return Archive(desk)


@pytest.mark.clause("Algorithm Provisions 26")
async def test_the_number_of_a_filing_is_public_once_it_is_approved(archive: Archive) -> None:
    product = f"chat-{command_id()}"
    filed = await archive.record("ALGORITHM_FILING", product, "filed", fields=FILED)
    url = f"{archive.deployment.http('escalation')}/public/filings"
    async with httpx.AsyncClient() as client:
        before = (await client.get(url)).json()
        number = {"number": "网信算备0001号", "link": "https://beian.example/<1>"}
        after = await archive.record("ALGORITHM_FILING", product, "approved", fields=number, entry_id=filed.entry_id)
        shown = (await client.get(url)).json()
        page = (await client.get(url, headers={"Accept": "text/html"})).text

    assert after.version == 2
    assert not [one for one in before["filings"] if one["product"] == product]
    assert [one for one in shown["filings"] if one["product"] == product] == [
        {"product": product, "title": f"{product} ALGORITHM_FILING", **number}
    ]
    assert '<a href="https://beian.example/&lt;1&gt;">网信算备0001号</a>' in page
    versions = (await archive.stub().GetEntry(register_pb2.GetEntryRequest(entry_id=filed.entry_id))).versions
    assert [(entry.version, entry.state) for entry in versions] == [(2, "approved"), (1, "filed")]
    facts = await archive.deployment.facts(
        "escalation",
        facts_pb2.RegisterEntryRecorded,
        lambda fact: fact.entry.entry_id == filed.entry_id,
        count=2,
    )
    assert [fact.entry.version for fact in facts] == [1, 2]


async def test_what_a_register_does_not_admit_is_refused_with_the_field(archive: Archive) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await archive.record("ALGORITHM_FILING", "chat", "approved", fields=FILED)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason(refused.value) == "ENTRY_INCOMPLETE"
    assert "number" in (refused.value.details() or "")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await archive.record("ALGORITHM_REVIEW", "chat", "planned", entry_id=command_id())
    assert reason(refused.value) == "ENTRY_UNKNOWN"


@pytest.mark.clause("Algorithm Provisions 24")
async def test_a_change_of_a_service_starts_the_clock_to_change_its_filing(archive: Archive, desk: Desk) -> None:
    request = register_pb2.ReportServiceEventRequest(
        command_id=command_id(),
        product=f"chat-{command_id()}",
        event=register_pb2.SERVICE_EVENT_CHANGE,
        at=stamp(datetime.now(UTC) - timedelta(minutes=5)),
        description="new model",
        facts=values({"public_opinion": True}),
    )
    answer = await archive.stub(role="backend").ReportServiceEvent(request)

    clock = await desk.clock(answer.incident_id, "cn.algorithm-filing", "change")
    assert clock.clock_id in answer.clock_ids
    assert clock.anchor.at == request.at


@pytest.mark.clause("Generative AI Measures 17")
async def test_a_model_is_released_only_through_open_gates(archive: Archive) -> None:
    product = f"chat-{command_id()}"
    release = register_pb2.ReleaseModelRequest(
        command_id=command_id(), model="m-2", product=product, training_data_sha256=bytes(32)
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await archive.stub().ReleaseModel(release)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert reason(refused.value) == "GATE_SHUT"

    await archive.record("ALGORITHM_FILING", product, "approved", fields={**FILED, "number": "1", "link": "x"})
    await archive.record("SECURITY_ASSESSMENT", product, "passed", fields={"scope": "all", "assessor": "lab"})
    ask = register_pb2.CheckReleaseRequest(model="m-2", product=product)
    shown = await archive.stub().CheckRelease(ask)
    assert [gate.name for gate in shown.gates if not gate.passed] == ["algorithm_review"]
    await archive.record("ALGORITHM_REVIEW", product, "passed", fields={"scope": "all", "reviewer": "li"})

    release.command_id = command_id()
    released = await archive.stub().ReleaseModel(release)
    versions = (await archive.stub().GetEntry(register_pb2.GetEntryRequest(entry_id=released.entry_id))).versions
    assert versions[0].evidence_sha256 == bytes(32)
    assert set(versions[0].fields) == {"algorithm_filing", "security_assessment", "algorithm_review"}


@pytest.mark.clause("Technology Import and Export Regulations 30")
async def test_a_restricted_technology_leaves_only_after_another_person_allowed_it(archive: Archive) -> None:
    request = register_pb2.ScreenTransferRequest(
        command_id=command_id(),
        title="weights for the Singapore office",
        technology="语音合成模型的权重和训练代码",
        origin="CN",
        destination="SG",
        recipient="Example Pte",
    )
    screened = await archive.stub(name="li").ScreenTransfer(request)
    assert screened.outcome == register_pb2.TRANSFER_OUTCOME_DECISION_NEEDED
    assert [item.number for item in screened.items] == ["cn-speech-synthesis"]

    decide = register_pb2.DecideTransferRequest(
        command_id=command_id(), entry_id=screened.entry_id, allow=True, reason="a licence was given", licence="L-7"
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await archive.stub(name="li").DecideTransfer(decide)
    assert reason(refused.value) == "SAME_PERSON"
    decide.command_id = command_id()
    allowed = await archive.stub(name="wang").DecideTransfer(decide)
    assert allowed.outcome == register_pb2.TRANSFER_OUTCOME_ALLOWED


@pytest.mark.clause("Deep Synthesis 21")
@pytest.mark.clause("Generative AI Measures 7")
async def test_an_order_opens_an_incident_and_a_model_goes_over_to_the_rights_service(archive: Archive) -> None:
    received = datetime.now(UTC) - timedelta(hours=2)
    request = register_pb2.RecordOrderRequest(
        command_id=command_id(),
        kind=register_pb2.ORDER_KIND_DELETE_MODEL,
        authority="国家互联网信息办公室",
        reference="2026-17",
        received_at=stamp(received),
        jurisdiction="CN",
        text="删除使用非法数据训练的模型",
        holder_id="model-7",
    )
    answer = await archive.stub().RecordOrder(request)

    shown = await archive.deployment.facts(
        "escalation", facts_pb2.ModelDeletionOrdered, lambda fact: fact.entry_id == answer.entry_id, count=1
    )
    assert (shown[0].holder_id, shown[0].incident_id) == ("model-7", answer.incident_id)
    opened = await archive.deployment.facts(
        "escalation", facts_pb2.IncidentOpened, lambda fact: fact.incident.incident_id == answer.incident_id, count=1
    )
    assert opened[0].incident.kind == "authority_order"
    orders = order_pb2_grpc.OrderServiceStub(archive.deployment.channel("rights", "backend"))
    asked = await archive.deployment.facts(
        "rights", rights_facts.ModelDeletionAsked, lambda fact: fact.order_id == answer.entry_id, count=1
    )
    assert (asked[0].holder_id, asked[0].attempt) == ("model-7", 1)
    proof = rights_model.Proof(
        outcome=rights_model.OUTCOME_DONE,
        kinds=[rights_model.KindCount(kind="checkpoint", count=3)],
        completed_at=stamp(datetime.now(UTC)),
    )
    given = order_pb2.AnswerModelDeletionRequest(order_id=answer.entry_id, holder_id="model-8", proof=proof)
    given.command_id = command_id()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await orders.AnswerModelDeletion(given)
    assert reason(refused.value) == "WRONG_HOLDER"
    given.command_id, given.holder_id = command_id(), "model-7"
    service = order_pb2_grpc.OrderServiceStub(archive.deployment.channel("rights", "service", name="generation"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await service.AnswerModelDeletion(given)  # no service of ours holds a model
    assert reason(refused.value) == "WRONG_ROLE"
    await orders.AnswerModelDeletion(given)

    async def versions() -> list[register_pb2.RegisterEntry]:
        return list((await archive.stub().GetEntry(register_pb2.GetEntryRequest(entry_id=answer.entry_id))).versions)

    latest = (await until(versions, lambda found: len(found) == 2))[0]
    assert latest.state == "complied"
    assert "3 checkpoint" in latest.fields["effect_given"].string_value

    request.command_id, request.received_at.seconds = command_id(), request.received_at.seconds + 7200 + 3600
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await archive.stub().RecordOrder(request)
    assert reason(refused.value) == "TIME_IN_FUTURE"


@pytest.mark.clause("Deep Synthesis 15")
async def test_a_review_that_runs_out_is_told_once(
    archive: Archive, desk: Desk, oncall_environment: dict[str, str]
) -> None:
    product = f"chat-{command_id()}"
    recorded = await archive.record(
        "ALGORITHM_REVIEW",
        product,
        "passed",
        fields={"scope": "all", "reviewer": "li"},
        valid_until=stamp(datetime.now(UTC) + timedelta(days=10)),
    )
    for _ in range(2):  # it looks when it starts
        desk.deployment.runner.restart_service("escalation", oncall_environment)

    async def told() -> list[dict[str, Any]]:
        incidents: list[dict[str, Any]] = await desk.deployment.rows(
            "escalation",
            "SELECT kind FROM incident WHERE starts_with(correlation_key, %s)",
            recorded.entry_id,
        )
        return incidents

    assert [row["kind"] for row in await until(told, bool)] == ["register_due"]
    notices = await desk.deployment.rows(
        "escalation", "SELECT version FROM register_notice WHERE entry_id = %s", recorded.entry_id
    )
    assert [row["version"] for row in notices] == [1]
