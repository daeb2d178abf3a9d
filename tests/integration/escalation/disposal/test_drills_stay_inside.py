"""A drill is nothing that a disposal can rest on: no backend is asked, no user told, no database sent anything."""

from __future__ import annotations

from candor.escalation.v1 import disposal_pb2, drill_pb2, drill_pb2_grpc, facts_pb2
from candor_cli.session import command_id

from .disposal_desk import CARRIED_OUT, CLOSE, DisposalDesk, public_statement, refusal
from .dsa_database import DsaDatabase


async def test_a_drill_asks_no_backend_and_sends_nothing_to_the_database(desk: DisposalDesk, dsa: DsaDatabase) -> None:
    lead = drill_pb2_grpc.DrillServiceStub(desk.deployment.channel("escalation", "on_call", name="lead"))
    begun = await lead.StartDrill(drill_pb2.StartDrillRequest(command_id=command_id(), scenario="illegal_content"))
    of_drill = desk.grounds(incident_id=begun.incident_id)
    order = desk.order(disposal_pb2.MEASURE_REMOVE, generation_id="01900000-0000-7000-8000-000000000001")
    order.grounds.CopyFrom(of_drill)
    order.public_statement.CopyFrom(public_statement())
    sanction = desk.sanction(CLOSE, of_drill, public_statement=public_statement(), departure="as the scenario says")

    assert await refusal(desk.officer.OrderDisposal(order)) == "ONLY_A_DRILL"
    assert await refusal(desk.officer.ImposeSanction(sanction)) == "ONLY_A_DRILL"
    # A real one is asked and sent, so the next to be sent would have been that of the drill.
    real = await desk.impose(CLOSE, public_statement=public_statement())
    await dsa.wait(lambda: real in dsa.statements)
    asked = await desk.asked(real, disposal_pb2.DISPOSAL_ACT_APPLY)
    await desk.acknowledge(asked[0], outcome=CARRIED_OUT)
    said = [
        facts_pb2.DisposalAsked.FromString(fact.value)
        for fact in await desk.deployment.published("escalation")
        if fact.type == "candor.escalation.v1.DisposalAsked"
    ]
    assert {fact.disposal_id for fact in said if fact.product == desk.product} == {real}
    ours = await desk.deployment.rows(
        "escalation", "SELECT disposal_id FROM public_statement JOIN disposal USING (disposal_id) WHERE product = %s",
        desk.product,
    )  # fmt: skip
    assert [str(row["disposal_id"]) for row in ours] == [real]
    end = drill_pb2.EndDrillRequest(
        command_id=command_id(), incident_id=begun.incident_id, reason="Nothing more is rehearsed."
    )
    await lead.EndDrill(end)
