"""Features out of a file: every good row is proposed, every bad one is named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from candor.generation.v1 import service_pb2
from candor.generation.v1.service_pb2 import ImportFeaturesRequest, ImportFeaturesResponse
from candor_kit.transaction import Tx

from candor_generation import exchange
from candor_generation import library_codec as codec
from candor_generation.domain.refusal import Refused
from candor_generation.exchange import BadRow, Defaults, Item, Proposal, Tombstone
from candor_generation.handlers.features import propose
from candor_generation.store import library

MOST_ROWS = 2_000
"""Rows that one command takes; a longer file is sent in parts."""


async def import_features(tx: Tx, command: ImportFeaturesRequest) -> ImportFeaturesResponse:
    """Propose what a file holds; other people review and admit it like any proposal.

    A dry run does the same and takes it back, so that it refuses what the run would refuse.

    Raises:
        Refused: FILE_INVALID, it cannot be told into rows, or has too many.
    """
    rows = exchange.read(command.format, command.content, Defaults(command.source, command.reason))
    items = list(islice(rows, MOST_ROWS + 1))
    if len(items) > MOST_ROWS:
        raise Refused("FILE_INVALID", f"the file has more than {MOST_ROWS} rows; send it in parts", field="content")
    async with tx.connection.transaction(force_rollback=command.dry_run):
        return await _take(tx, items)


async def _take(tx: Tx, items: Sequence[Item]) -> ImportFeaturesResponse:
    answer = ImportFeaturesResponse()
    for item in items:
        try:
            await _take_one(tx, item, answer)
        except Refused as refused:
            bad = BadRow(item.number, refused.field, refused.reason, refused.message)
            answer.refused.append(_message(bad))
    return answer


async def _take_one(tx: Tx, item: Item, answer: ImportFeaturesResponse) -> None:
    if isinstance(item, BadRow):
        answer.refused.append(_message(item))
    elif isinstance(item, Tombstone):
        held = await library.live(tx.connection, item.kind, item.value)
        answer.tombstones.extend([held] if held else [])
    else:
        await _propose(tx, item)
        answer.proposed += 1


async def _propose(tx: Tx, item: Proposal) -> None:
    proposed = codec.feature_of(item.command, tx.caller.name, tx.now)
    held = await library.live(tx.connection, proposed.kind, proposed.value)
    if held is not None:
        raise Refused("FEATURE_EXISTS", f"the library holds this value as {held}", field="value")
    await propose(tx, proposed)


def _message(bad: BadRow) -> service_pb2.RowRefused:
    return service_pb2.RowRefused(row=bad.number, field=bad.field, reason=bad.reason, message=bad.message)
