"""A labelled file: what a reader of it finds out."""

from __future__ import annotations

from candor.generation.v1 import label_pb2, label_pb2_grpc
from candor.generation.v1.service_pb2 import RecordRequest

from candor_cli.demo.telling import Telling
from candor_cli.demo.traffic import StoryError
from candor_cli.session import Session


async def read_back(session: Session, telling: Telling, record: RecordRequest, log_index: int) -> None:
    """Put an answer into a file with its label, find the file, and come back to the record; then forge the label."""
    labelled = await _label(session, record)
    found = await _read(session, labelled)
    if found.signature != label_pb2.SIGNATURE_STATE_HOLDS:
        raise StoryError(f"the label of our own file does not hold: {found.signature_detail}")
    if (found.generation_id, found.log_index) != (record.command_id, log_index):
        raise StoryError("the label leads to another record")
    telling.ok(
        f"a labelled file of {len(labelled)} bytes was read back: it is record {found.log_index}, signature holds"
    )
    other = record.command_id[:-1] + ("1" if record.command_id.endswith("0") else "0")
    forged = await _read(session, labelled.replace(record.command_id.encode(), other.encode()))
    if forged.signature != label_pb2.SIGNATURE_STATE_FAILS or forged.generation_id:
        raise StoryError("a label that was moved to another record is taken for ours")
    telling.ok("with the number of another record in it, the label is told to be forged")


async def _label(session: Session, record: RecordRequest) -> bytes:
    stub = label_pb2_grpc.LabelServiceStub(session.channel("generation", "backend"))
    header = label_pb2.LabelHeader(
        generation_id=record.command_id,
        media_type="text/markdown",
        locale=record.locale,
        explicit=label_pb2.ExplicitOptions(),
    )
    parts = [label_pb2.LabelRequest(header=header), label_pb2.LabelRequest(chunk=record.output.encode())]
    return b"".join([answer.chunk async for answer in stub.Label(iter(parts))])


async def _read(session: Session, content: bytes) -> label_pb2.ReadLabelResponse:
    stub = label_pb2_grpc.LabelServiceStub(session.channel("generation", "auditor", name="auditor"))
    parts = [
        label_pb2.ReadLabelRequest(header=label_pb2.ReadLabelHeader()),
        label_pb2.ReadLabelRequest(chunk=content),
    ]
    return await stub.ReadLabel(iter(parts))
