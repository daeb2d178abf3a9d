"""The questions: generations, evidence, proofs, texts to match."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from candor.generation.v1.service_pb2 import (
    GetConsistencyProofRequest,
    GetConsistencyProofResponse,
    GetEvidenceRequest,
    GetEvidenceResponse,
    GetGenerationRequest,
    GetGenerationResponse,
    GetInclusionProofRequest,
    GetInclusionProofResponse,
    ReadOutputsRequest,
    ReadOutputsResponse,
)
from candor_kit.database import Connection
from candor_kit.errors import Unavailable
from candor_kit.keys import SubjectKeys
from candor_kit.query import Query

from candor_generation import codec, sealing
from candor_generation.domain import leaf, merkle
from candor_generation.domain.evidence import Evidence, Opening
from candor_generation.domain.merkle import Span
from candor_generation.domain.record import Record
from candor_generation.domain.refusal import Refused
from candor_generation.files import LogFiles
from candor_generation.handlers import payloads
from candor_generation.store import log, records


@dataclass(frozen=True)
class Queries:
    """Answers out of rows and tiles."""

    keys: SubjectKeys
    files: LogFiles
    origin: str

    async def get_generation(self, query: Query, request: GetGenerationRequest) -> GetGenerationResponse:
        """A generation as far as no personal data is told.

        Raises:
            Refused: GENERATION_UNKNOWN.
        """
        record = await _known(query.connection, request.generation_id)
        tree = await log.latest_tree(query.connection)
        return GetGenerationResponse(generation=codec.generation_message(record, tree.size if tree else 0))

    async def get_evidence(self, query: Query, request: GetEvidenceRequest) -> GetEvidenceResponse:
        """What an auditor needs to check one record, proven against the latest checkpoint.

        Raises:
            Refused: GENERATION_UNKNOWN, NOT_INTEGRATED.
        """
        async with log.snapshot(query.connection):
            record = await _known(query.connection, request.generation_id)
            tree = await log.latest_tree(query.connection)
            opening = await self._opening(query.connection, record)
        if tree is None or record.log_index is None or record.log_index >= tree.size:
            raise Refused("NOT_INTEGRATED", "the record has no place in a published tree yet; ask again in a second")
        spans = merkle.inclusion_spans(record.log_index, tree.size)
        proof = await self._proof(tree.size, spans)
        return codec.evidence_response(
            Evidence(self.origin, record.log_index, record.entry, tuple(proof), tree.checkpoint, opening)
        )

    async def get_inclusion_proof(self, query: Query, request: GetInclusionProofRequest) -> GetInclusionProofResponse:
        """The proof that an index is in the tree of a size.

        Raises:
            Refused: SIZE_UNKNOWN.
        """
        published = await _published(query.connection)
        size = _size_within(request.tree_size, published, "tree_size")
        if request.log_index >= size:
            raise Refused("SIZE_UNKNOWN", f"the tree has {size} leaves", field="log_index")
        index = request.log_index
        leaf_span = (index, index + 1)
        leaf_hash, *proof = await self._proof(published, [leaf_span, *merkle.inclusion_spans(index, size)])
        return GetInclusionProofResponse(tree_size=size, leaf_hash=leaf_hash, proof=proof)

    async def get_consistency_proof(
        self, query: Query, request: GetConsistencyProofRequest
    ) -> GetConsistencyProofResponse:
        """The proof that the tree of one size is a prefix of the tree of another.

        Raises:
            Refused: SIZE_UNKNOWN.
        """
        published = await _published(query.connection)
        new_size = _size_within(request.new_size, published, "new_size")
        if request.old_size > new_size:
            raise Refused("SIZE_UNKNOWN", f"the newer tree has {new_size} leaves", field="old_size")
        proof = await self._proof(published, merkle.consistency_spans(request.old_size, new_size))
        return GetConsistencyProofResponse(new_size=new_size, proof=proof)

    async def read_outputs(self, query: Query, request: ReadOutputsRequest) -> AsyncIterator[ReadOutputsResponse]:
        """Texts by log range, up to what was published when the call began."""
        published = await _published(query.connection)
        end = min(request.to_index or published, published)
        async for record, payload in payloads.in_log(query.connection, self.keys, request.from_index, end):
            yield codec.output_message(record, payload)

    async def _opening(self, connection: Connection, record: Record) -> Opening | None:
        personal = record.personal
        subject_key = await self.keys.find(connection, personal.subject) if personal else None
        if personal is None or subject_key is None:
            return None
        identifier = record.meta.generation_id
        record_key = sealing.unwrap(subject_key, personal.wrapped_key, identifier)
        return Opening(leaf.commitment_key(record_key), sealing.open_payload(record_key, identifier, personal))

    async def _proof(self, size: int, spans: Sequence[Span]) -> list[bytes]:
        """Read a proof from the tiles of a published size.

        Raises:
            Unavailable: this process has not laid the tiles yet.
        """
        try:
            return await asyncio.to_thread(self.files.reader(size).proof, spans)
        except FileNotFoundError as error:
            raise Unavailable("the log's tiles") from error


async def _known(connection: Connection, generation_id: str) -> Record:
    record = await records.find(connection, generation_id)
    if record is None:
        raise Refused("GENERATION_UNKNOWN", "there is no generation of this id", field="generation_id")
    return record


async def _published(connection: Connection) -> int:
    tree = await log.latest_tree(connection)
    return tree.size if tree else 0


def _size_within(asked: int, published: int, field: str) -> int:
    if asked > published:
        raise Refused("SIZE_UNKNOWN", f"the log has published {published} leaves", field=field)
    return asked or published
