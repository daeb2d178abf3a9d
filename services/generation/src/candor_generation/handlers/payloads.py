"""Reading payloads back, in pieces that bound the memory whatever is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from candor_kit.database import Connection
from candor_kit.keys import SubjectKeys

from candor_generation import sealing
from candor_generation.domain.generation import Payload
from candor_generation.domain.record import Record
from candor_generation.store import log, records

# A payload is 0.8 MB at most, so a piece is 50 MB at the very worst and usually a few hundred KB.
_PIECE = 64
Opened = tuple[Record, Payload | None]


async def in_log(connection: Connection, keys: SubjectKeys, start: int, end: int) -> AsyncIterator[Opened]:
    """Records by index from `start` up to but not with `end`; one that is erased comes without payload."""
    while start < end:
        async with log.snapshot(connection):
            piece = await opened(connection, keys, await records.in_log(connection, start, end, _PIECE))
        for record, payload in piece:
            yield record, payload
        if len(piece) < _PIECE:
            return
        start += _PIECE


async def of_subject(connection: Connection, keys: SubjectKeys, subject: str) -> AsyncIterator[Opened]:
    """A person's records, oldest first."""
    last: Record | None = None
    while True:
        async with log.snapshot(connection):
            piece = await opened(connection, keys, await records.of_subject(connection, subject, last, _PIECE))
        for record, payload in piece:
            last = record
            yield record, payload
        if len(piece) < _PIECE:
            return


async def opened(connection: Connection, keys: SubjectKeys, found: Sequence[Record]) -> list[Opened]:
    """Records with their payloads; the caller reads both and the keys in one snapshot."""
    subjects = {record.personal.subject for record in found if record.personal}
    by_subject = await keys.find_many(connection, subjects)
    return [(record, _open(record, by_subject)) for record in found]


def _open(record: Record, by_subject: dict[str, bytes]) -> Payload | None:
    if record.personal is None or record.personal.subject not in by_subject:
        return None
    key = sealing.unwrap(by_subject[record.personal.subject], record.personal.wrapped_key, record.meta.generation_id)
    return sealing.open_payload(key, record.meta.generation_id, record.personal)
