"""Proofs out of the logs' files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from candor_kit.database import Connection
from candor_kit.errors import Unavailable

from candor_generation import codec
from candor_generation.domain import merkle, tiles
from candor_generation.domain.merkle import Span
from candor_generation.domain.record import Place
from candor_generation.domain.refusal import Refused
from candor_generation.domain.tiles import WIDTH, Tile
from candor_generation.files import LogFiles, LogStore, StoreAwayError
from candor_generation.handlers.labelling import Known
from candor_generation.periods import Periods
from candor_generation.signing import LogKey
from candor_generation.store import logs, records
from candor_generation.store.logs import Log, Tree

_NOTHING = Tree(0, merkle.EMPTY_ROOT, "")


@dataclass(frozen=True)
class Proven:
    """A leaf with its proof: the entry byte for byte, hashes with the leaf's sibling first, the signed checkpoint."""

    index: int
    entry: bytes
    inclusion_proof: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True)
class Proofs:
    """Reads the files of every log.

    Attributes:
        store: where the logs' files are.
        key: the logs' key.
        periods: the logs.
    """

    store: LogStore
    key: LogKey
    periods: Periods

    def files(self, log: Log) -> LogFiles:
        """A log's files."""
        return self.store.of(log.kind, log.period.name)

    async def published(self, connection: Connection, origin: str) -> tuple[Log, Tree]:
        """A log and its latest tree; without an origin, the generation log of the youngest period.

        Raises:
            Refused: LOG_UNKNOWN; it is not there, or was dropped.
        """
        log = await self._log(connection, origin)
        if log is None or log.dropped_at is not None:
            raise Refused("LOG_UNKNOWN", "there is no such log, or it was dropped after its retention", field="origin")
        return log, await logs.latest_tree(connection, log.log_id) or _NOTHING

    async def _log(self, connection: Connection, origin: str) -> Log | None:
        if origin:
            return await self.periods.named(connection, origin)
        return await self.periods.present(connection, logs.GENERATION)

    async def of(self, connection: Connection, place: Place) -> Proven:
        """The proof of a place against the latest tree, with the checkpoint as it is published, cosignatures and all.

        Raises:
            Refused: NOT_INTEGRATED, LOG_UNKNOWN.
            Unavailable: this process does not see the files yet.
        """
        log, tree = await self.published(connection, place.origin)
        if place.index is None or place.index >= tree.size:
            raise Refused("NOT_INTEGRATED", "the leaf has no place in a published tree yet; ask again in a second")
        try:
            return await asyncio.to_thread(self._read, log, place.index)
        except (FileNotFoundError, StoreAwayError) as error:
            raise Unavailable("the log's files") from error

    def _read(self, log: Log, index: int) -> Proven:
        files = self.files(log)
        checkpoint = files.checkpoint()
        if checkpoint is None:
            raise FileNotFoundError("checkpoint")
        size = int(checkpoint.split("\n", 2)[1])
        if index >= size:
            raise Refused("NOT_INTEGRATED", "the leaf has no place in a published tree yet; ask again in a second")
        proof = files.reader(size).proof(merkle.inclusion_spans(index, size))
        number, ordinal = divmod(index, WIDTH)
        bundle = files.read(Tile(None, number, tiles.width_at(0, number, size)))
        return Proven(index, tiles.unbundle(bundle)[ordinal], tuple(proof), checkpoint)

    async def known(self, connection: Connection, generation_id: str) -> Known | None:
        """What the logs know of a generation."""
        stored = await records.find(connection, generation_id)
        if stored is None:
            return None
        record = codec.record_of(stored)
        _, tree = await self.published(connection, record.place.origin)
        index = record.place.index
        published = index if index is not None and index < tree.size else None
        return Known(record.place.origin, published, record.meta.model, record.meta.occurred_at)

    async def hashes(self, log: Log, size: int, spans: Sequence[Span]) -> list[bytes]:
        """Read hashes from the tiles of a published size.

        Raises:
            Unavailable: this process does not see the files yet.
        """
        try:
            return await asyncio.to_thread(self.files(log).reader(size).proof, spans)
        except (FileNotFoundError, StoreAwayError) as error:
            raise Unavailable("the log's files") from error
