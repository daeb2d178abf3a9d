"""The questions: generations, evidence, proofs, texts to match."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from candor.generation.v1.service_pb2 import (
    GetConsistencyProofRequest,
    GetConsistencyProofResponse,
    GetEvidenceRequest,
    GetEvidenceResponse,
    GetGenerationRequest,
    GetGenerationResponse,
    GetInclusionProofRequest,
    GetInclusionProofResponse,
    GetProofFileRequest,
    GetProofFileResponse,
    ListLogsRequest,
    ListLogsResponse,
    ReadOutputsRequest,
    ReadOutputsResponse,
    SearchGenerationsRequest,
    SearchGenerationsResponse,
)
from candor_kit.database import Connection
from candor_kit.keys import SubjectKeys
from candor_kit.query import Query

from candor_generation import codec, sealing
from candor_generation.domain import leaf, merkle, proof_file
from candor_generation.domain.evidence import Evidence, Opening
from candor_generation.domain.label import Label
from candor_generation.domain.record import Record
from candor_generation.domain.refusal import Refused
from candor_generation.handlers import payloads
from candor_generation.handlers.proofs import Proofs
from candor_generation.store import logs, records
from candor_generation.store.logs import Log

_PAGE = 100


@dataclass(frozen=True)
class Queries:
    """Answers out of rows and tiles.

    Attributes:
        keys: the subjects' keys.
        proofs: reads the logs' files.
        signed: a label as it is given out.
    """

    keys: SubjectKeys
    proofs: Proofs
    signed: Callable[[Label], Label]

    async def get_generation(self, query: Query, request: GetGenerationRequest) -> GetGenerationResponse:
        """A generation as far as no personal data is told.

        Raises:
            Refused: GENERATION_UNKNOWN.
        """
        record = await _known(query.connection, request.generation_id)
        _, tree = await self.proofs.published(query.connection, record.place.origin)
        message = codec.generation_message(record, tree.size)
        message.label.CopyFrom(codec.label_message(self.signed(record.label)))
        return GetGenerationResponse(generation=message)

    async def search_generations(self, query: Query, request: SearchGenerationsRequest) -> SearchGenerationsResponse:
        """Generations by what is not personal, newest first.

        Raises:
            Refused: PAGE_TOKEN_INVALID.
        """
        size = request.page_size or _PAGE
        found = await records.search(
            query.connection,
            records.Wanted(
                request.product or None,
                request.model or None,
                int(codec.DECISION_OF[request.decision]) if request.decision else None,
                codec.time_of(request.occurred_from) if request.HasField("occurred_from") else None,
                codec.time_of(request.occurred_until) if request.HasField("occurred_until") else None,
            ),
            _after(request.page_token),
            size,
        )
        sizes = {
            origin: (await self.proofs.published(query.connection, origin))[1].size
            for origin in {stored.place.origin for stored in found}
        }
        listed = [codec.record_of(stored) for stored in found]
        return SearchGenerationsResponse(
            generations=[codec.generation_message(record, sizes[record.place.origin]) for record in listed],
            next_page_token=_token(listed[-1]) if len(listed) == size else "",
        )

    async def get_evidence(self, query: Query, request: GetEvidenceRequest) -> GetEvidenceResponse:
        """What an auditor needs to check one record, proven against the latest checkpoint.

        Raises:
            Refused: GENERATION_UNKNOWN, NOT_INTEGRATED.
        """
        async with logs.snapshot(query.connection):
            record = await _known(query.connection, request.generation_id)
            opening = await self._opening(query.connection, record)
        proven = await self.proofs.of(query.connection, record.place)
        return codec.evidence_response(
            Evidence(
                record.place.origin, proven.index, proven.entry, proven.inclusion_proof, proven.checkpoint, opening
            )
        )

    async def get_proof_file(self, query: Query, request: GetProofFileRequest) -> GetProofFileResponse:
        """An offline proof of one generation, to be checked with nothing but the log's verifier key.

        Raises:
            Refused: GENERATION_UNKNOWN, NOT_INTEGRATED.
        """
        record = await _known(query.connection, request.generation_id)
        proven = await self.proofs.of(query.connection, record.place)
        return GetProofFileResponse(
            proof=proof_file.ProofFile(proven.index, proven.inclusion_proof, proven.checkpoint, proven.entry).text,
            vkey=self.proofs.key.signer_of(record.place.origin).vkey.text,
        )

    async def get_inclusion_proof(self, query: Query, request: GetInclusionProofRequest) -> GetInclusionProofResponse:
        """The proof that an index is in the tree of a size.

        Raises:
            Refused: LOG_UNKNOWN, SIZE_UNKNOWN.
        """
        log, tree = await self.proofs.published(query.connection, request.origin)
        size = _size_within(request.tree_size, tree.size, "tree_size")
        if request.log_index >= size:
            raise Refused("SIZE_UNKNOWN", f"the tree has {size} leaves", field="log_index")
        index = request.log_index
        spans = [(index, index + 1), *merkle.inclusion_spans(index, size)]
        leaf_hash, *proof = await self.proofs.hashes(log, tree.size, spans)
        return GetInclusionProofResponse(tree_size=size, leaf_hash=leaf_hash, proof=proof)

    async def get_consistency_proof(
        self, query: Query, request: GetConsistencyProofRequest
    ) -> GetConsistencyProofResponse:
        """The proof that the tree of one size is a prefix of the tree of another.

        Raises:
            Refused: LOG_UNKNOWN, SIZE_UNKNOWN.
        """
        log, tree = await self.proofs.published(query.connection, request.origin)
        new_size = _size_within(request.new_size, tree.size, "new_size")
        if request.old_size > new_size:
            raise Refused("SIZE_UNKNOWN", f"the newer tree has {new_size} leaves", field="old_size")
        spans = merkle.consistency_spans(request.old_size, new_size)
        return GetConsistencyProofResponse(new_size=new_size, proof=await self.proofs.hashes(log, tree.size, spans))

    async def list_logs(self, query: Query, _request: ListLogsRequest) -> ListLogsResponse:
        """Every log of this deployment, dropped ones too."""
        found = await logs.all_logs(query.connection)
        return ListLogsResponse(logs=[await self._described(query.connection, log) for log in found])

    async def read_outputs(self, query: Query, request: ReadOutputsRequest) -> AsyncIterator[ReadOutputsResponse]:
        """Texts by log range, up to what was published when the call began.

        Raises:
            Refused: LOG_UNKNOWN.
        """
        log, tree = await self.proofs.published(query.connection, request.origin)
        end = min(request.to_index or tree.size, tree.size)
        async for record, payload in payloads.in_log(query.connection, self.keys, log, request.from_index, end):
            yield codec.output_message(record, payload)

    async def _described(self, connection: Connection, log: Log) -> codec.LogMessage:
        tree = await logs.latest_tree(connection, log.log_id)
        vkey = self.proofs.key.signer_of(log.origin).vkey.text
        return codec.log_message(log, vkey, tree.size if tree else 0, tree.root if tree else merkle.EMPTY_ROOT)

    async def _opening(self, connection: Connection, record: Record) -> Opening | None:
        personal = record.personal
        subject_key = await self.keys.find(connection, personal.subject) if personal else None
        if personal is None or subject_key is None:
            return None
        identifier = record.meta.generation_id
        record_key = sealing.unwrap(subject_key, personal.wrapped_key, identifier)
        return Opening(leaf.commitment_key(record_key), sealing.open_payload(record_key, identifier, personal))


async def _known(connection: Connection, generation_id: str) -> Record:
    stored = await records.find(connection, generation_id)
    if stored is None:
        raise Refused("GENERATION_UNKNOWN", "there is no generation of this id", field="generation_id")
    return codec.record_of(stored)


def _size_within(asked: int, published: int, field: str) -> int:
    if asked > published:
        raise Refused("SIZE_UNKNOWN", f"the log has published {published} leaves", field=field)
    return asked or published


def _token(record: Record) -> str:
    text = f"{record.meta.occurred_at.isoformat()} {record.meta.generation_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _after(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        at, _, identifier = base64.urlsafe_b64decode(token).decode().partition(" ")
        return datetime.fromisoformat(at), identifier
    except (binascii.Error, ValueError) as error:
        raise Refused("PAGE_TOKEN_INVALID", "the page token is not one of ours", field="page_token") from error
