"""Reading payloads back, in pieces that bound the memory whatever is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from candor_kit.database import Connection
from candor_kit.keys import SubjectKeys

from candor_generation import codec, sealing
from candor_generation.domain.generation import Payload
from candor_generation.domain.record import Record
from candor_generation.store import logs, records
from candor_generation.store.logs import Log
from candor_generation.store.records import Stored

# A payload is 0.8 MB at most, so a piece is 50 MB at the very worst and usually a few hundred KB.
_PIECE = 64
Opened = tuple[Record, Payload | None]


async def in_log(connection: Connection, keys: SubjectKeys, log: Log, start: int, end: int) -> AsyncIterator[Opened]:
    """Records by index from `start` up to but not with `end`; one that is erased comes without payload."""
    while start < end:
        async with logs.snapshot(connection):
            piece = await opened(connection, keys, await records.in_log(connection, log.log_id, start, end, _PIECE))
        for record, payload in piece:
            yield record, payload
        if len(piece) < _PIECE:
            return
        start = (piece[-1][0].place.index or 0) + 1


async def of_subject(connection: Connection, keys: SubjectKeys, subject: str) -> AsyncIterator[Opened]:
    """A person's records, oldest first."""
    last: tuple[datetime, str] | None = None
    while True:
        async with logs.snapshot(connection):
            piece = await opened(connection, keys, await records.of_subject(connection, subject, last, _PIECE))
        for record, payload in piece:
            last = (record.meta.occurred_at, record.meta.generation_id)
            yield record, payload
        if len(piece) < _PIECE:
            return


async def opened(connection: Connection, keys: SubjectKeys, found: Sequence[Stored]) -> list[Opened]:
    """Records with their payloads; the caller reads both and the keys in one snapshot."""
    subjects = {stored.personal.subject for stored in found if stored.personal}
    by_subject = await keys.find_many(connection, subjects)
    return [(record, _open(record, by_subject)) for record in map(codec.record_of, found)]


def _open(record: Record, by_subject: dict[str, bytes]) -> Payload | None:
    if record.personal is None or record.personal.subject not in by_subject:
        return None
    key = sealing.unwrap(by_subject[record.personal.subject], record.personal.wrapped_key, record.meta.generation_id)
    return sealing.open_payload(key, record.meta.generation_id, record.personal)
