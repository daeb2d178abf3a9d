"""Recording by a stream: many records, one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from candor.generation.v1.service_pb2 import RecordRequest, RecordStreamRequest, RecordStreamResponse, RefusedRecord
from candor_kit.errors import Refusal
from candor_kit.exchange import Exchange

from candor_generation.domain.refusal import Refused

_MOST = 10_000
_TOGETHER = 500


@dataclass
class _Tally:
    """What became of the records so far."""

    accepted: int = 0
    refused: list[RefusedRecord] = field(default_factory=list)

    async def carry_out(self, exchange: Exchange, records: list[RecordRequest]) -> None:
        for record, outcome in zip(records, await exchange.carry_out(records), strict=True):
            if isinstance(outcome, Refusal):
                self.refused.append(_refused(record, outcome))
            else:
                self.accepted += 1


async def record_stream(
    exchange: Exchange, requests: AsyncIterator[RecordStreamRequest]
) -> AsyncIterator[RecordStreamResponse]:
    """Record a stream, a few hundred in a transaction; what was taken before the stream breaks off stays on record.

    Raises:
        Refused: STREAM_TOO_LONG, after 10,000 records, which are on record.
    """
    tally = _Tally()
    waiting: list[RecordRequest] = []
    taken = 0
    async for request in requests:
        taken += 1
        if taken > _MOST:
            raise Refused("STREAM_TOO_LONG", f"a stream takes {_MOST} records; those are on record, open another one")
        waiting.append(request.record)
        if len(waiting) == _TOGETHER:
            await tally.carry_out(exchange, waiting)
            waiting = []
    if waiting:
        await tally.carry_out(exchange, waiting)
    yield RecordStreamResponse(accepted=tally.accepted, refused=tally.refused)


def _refused(record: RecordRequest, refusal: Refusal) -> RefusedRecord:
    return RefusedRecord(
        command_id=record.command_id,
        reason=refusal.reason,
        message=refusal.message,
        fields=[violation.field for violation in refusal.violations],
    )
