"""A refuted claim that spreads: the view nominates, the handler recounts and announces once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from candor.refutation.v1 import facts_pb2, model_pb2, service_pb2
from candor_cli.session import command_id
from deployment import Deployment
from google.protobuf.timestamp_pb2 import Timestamp

from .conftest import Refutation, generated
from .samples import SUBWAY, Rumour

# The service's defaults; CANDOR_SPREAD_LEVELS is not set for tests.
LEVEL_1, LEVEL_2 = 50, 100


async def announced(deployment: Deployment, claim_id: str, level: int) -> list[facts_pb2.SpreadDetected]:
    return await deployment.facts(
        "refutation",
        facts_pb2.SpreadDetected,
        lambda fact: fact.claim_id == claim_id and fact.level == level,
        timeout=90,
    )


async def matches(deployment: Deployment, claim_id: str, count: int) -> None:
    await deployment.facts(
        "refutation", facts_pb2.ClaimMatched, lambda fact: fact.claim_id == claim_id, count=count, timeout=90
    )


def nomination(claim_id: str, level: int, window_end: datetime) -> service_pb2.NominateSpreadRequest:
    end = Timestamp()
    end.FromDatetime(window_end)
    return service_pb2.NominateSpreadRequest(command_id=command_id(), claim_id=claim_id, level=level, window_end=end)


async def test_a_spread_is_announced_once_per_level(refutation: Refutation, deployment: Deployment) -> None:
    claim_id = await refutation.refute(SUBWAY)
    await deployment.emit_many("generation", [generated(SUBWAY.text) for _ in range(LEVEL_1 - 1)])
    await matches(deployment, claim_id, LEVEL_1 - 1)
    service = refutation.stub_for("service", name="candor.refutation.spread")
    soon = datetime.now(UTC) + timedelta(minutes=1)

    early = await service.NominateSpread(nomination(claim_id, 1, soon))
    await deployment.emit_many("generation", [generated(SUBWAY.text) for _ in range(11)])
    (spread,) = await announced(deployment, claim_id, 1)
    late = await service.NominateSpread(nomination(claim_id, 1, soon))

    assert (early.announced, early.matches) == (False, LEVEL_1 - 1)
    assert LEVEL_1 <= spread.matches <= LEVEL_1 + 10
    assert spread.window_end.seconds - spread.window_start.seconds == 3600
    assert not late.announced
    await matches(deployment, claim_id, LEVEL_1 + 10)
    reply = await refutation.claim(claim_id)
    assert (reply.claim.spread_level, reply.claim.matches_last_hour) == (1, LEVEL_1 + 10)
    kinds = [step.kind for step in reply.steps]
    assert kinds.count(model_pb2.Step.KIND_SPREAD_NOMINATED) == 1
    assert kinds.count(model_pb2.Step.KIND_SPREAD_DETECTED) == 1
    listed = await refutation.stub.ListClaims(service_pb2.ListClaimsRequest(spreading_only=True, page_size=1))
    assert listed.claims[0].claim_id == claim_id


async def test_matches_for_a_person_to_look_at_make_no_spread(refutation: Refutation, deployment: Deployment) -> None:
    rumour = Rumour(
        "北山公园的湖底发现了8座古墓，考古队昨晚连夜运走两卡车黄金，看守人员每人分到一块金砖作为封口费",
        "北山公园的湖是近年挖成的人工湖，考古部门没有在那里工作过",
        "zh-CN",
    )
    claim_id = await refutation.refute(rumour)
    other = rumour.text.replace("8座", "3座")
    await deployment.emit_many("generation", [generated(other) for _ in range(LEVEL_1 + 5)])
    await matches(deployment, claim_id, LEVEL_1 + 5)

    reply = await refutation.stub_for("service", name="view").NominateSpread(
        nomination(claim_id, 1, datetime.now(UTC) + timedelta(minutes=1))
    )

    assert (reply.announced, reply.matches) == (False, 0)


async def test_a_killed_service_counts_on_from_where_it_was(refutation: Refutation, deployment: Deployment) -> None:
    rumour = Rumour(
        "Dock workers swear that the new ferry sank 2 hours after its launch and that the harbour office "
        "painted a copy of it on the quay wall",
        "The ferry made all of its crossings that day, as the live position data and the ticket office show",
        "en",
    )
    claim_id = await refutation.refute(rumour)
    await deployment.emit_many("generation", [generated(rumour.text) for _ in range(LEVEL_1 - 10)])
    await matches(deployment, claim_id, LEVEL_1 - 10)

    await asyncio.to_thread(deployment.runner.kill_service, "refutation")
    await deployment.emit_many("generation", [generated(rumour.text) for _ in range(LEVEL_2 - LEVEL_1 + 15)])
    await asyncio.to_thread(deployment.runner.start_service, "refutation")

    for level in (1, 2):
        assert len(await announced(deployment, claim_id, level)) == 1
    reply = await refutation.claim(claim_id)
    assert (reply.claim.matches, reply.claim.spread_level) == (LEVEL_2 + 5, 2)


async def test_a_foreign_or_broken_record_does_not_stop_the_view(
    refutation: Refutation, deployment: Deployment
) -> None:
    """The topic is ours, but the view reads whatever is on it."""
    rumour = Rumour(
        "老城区的公共路灯里全部装上了窃听器，居委会主任开会时亲口承认，已经录下了5万户居民的谈话",
        "路灯更换的是节能灯泡，检修记录公开可查，灯杆内只有电源线",
        "zh-CN",
    )
    producer = await deployment._kafka_producer()
    for headers, value in (
        ([], b"\xff"),
        ([("ce_type", b"candor.refutation.v1.ClaimMatched")], b"\xff\xff"),
        ([("ce_id", b"1"), ("ce_source", b"x"), ("ce_type", b"some.Other")], b"{}"),
        ([("ce_id", b"1"), ("ce_source", b"x"), ("ce_type", b"candor.refutation.v1.ClaimMatched")], b"\xff\xff"),
    ):
        await producer.send_and_wait("candor.refutation.v1", key=b"\xff", value=value, headers=headers)
    claim_id = await refutation.refute(rumour)
    await deployment.emit_many("generation", [generated(rumour.text) for _ in range(LEVEL_1)])

    assert len(await announced(deployment, claim_id, 1)) == 1
