"""Everything held about a person, counted and streamed in pieces (PIPL 45; GDPR 15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from candor.rights.v1.holder_pb2 import ExportResponse
from candor_kit.database import Connection
from candor_kit.keys import SubjectKeys

from candor_generation import codec, hold_codec, sealing
from candor_generation.handlers import payloads
from candor_generation.handlers.reviews import open_statement
from candor_generation.handlers.under_review import notes_key
from candor_generation.handlers.unlabelled import open_purpose
from candor_generation.store import logs, persons, records, unlabelled

_PIECE = 64


@dataclass(frozen=True)
class Personal:
    """Reads what is held about one person. What a hold keeps restricted is nobody's, so it is neither counted nor read.

    Attributes:
        keys: the subjects' keys.
    """

    keys: SubjectKeys

    async def counts(self, connection: Connection, subject: str) -> dict[str, int]:
        """How many items of each kind there are, as many as `items` gives."""
        return {
            "generation": await records.count_of_subject(connection, subject),
            "unlabelled_application": await persons.count_applications(connection, subject),
            "unlabelled_delivery": await unlabelled.count_of_subject(connection, subject),
            "appeal_statement": await persons.count_statements(connection, subject),
        }

    async def items(self, connection: Connection, subject: str) -> AsyncIterator[ExportResponse]:
        """Every item, kind by kind, each kind the oldest first.

        Source: PIPL 45; GDPR 15(3)
        """
        async for record, payload in payloads.of_subject(connection, self.keys, subject):
            if payload is not None:
                yield codec.export_message(record, payload)
        async for item in self._applications(connection, subject):
            yield item
        async for item in self._deliveries(connection, subject):
            yield item
        async for item in self._statements(connection, subject):
            yield item

    async def _applications(self, connection: Connection, subject: str) -> AsyncIterator[ExportResponse]:
        last = ""
        while True:
            async with logs.snapshot(connection):
                key = await self.keys.find(connection, subject)
                piece = await persons.applications(connection, subject, last, _PIECE)
            for application, sealed in piece:
                last = application.application_id
                yield hold_codec.application_item(application, open_purpose(key, last, sealed))
            if len(piece) < _PIECE:
                return

    @staticmethod
    async def _deliveries(connection: Connection, subject: str) -> AsyncIterator[ExportResponse]:
        last = ""
        while True:
            piece = await unlabelled.page(connection, subject, last, _PIECE)
            for delivery, _ in piece:
                last = delivery.delivery_id
                yield hold_codec.delivery_item(delivery)
            if len(piece) < _PIECE:
                return

    async def _statements(self, connection: Connection, subject: str) -> AsyncIterator[ExportResponse]:
        last = ""
        while True:
            async with logs.snapshot(connection):
                key = await self.keys.find(connection, subject)
                piece = await persons.statements(connection, subject, last, _PIECE)
            if key is None:
                return
            for found in piece:
                last = found.generation_id
                record_key = sealing.unwrap(key, found.wrapped_key, last)
                said = open_statement(notes_key(record_key), last, found.sealed)
                yield hold_codec.statement_item(last, found.appealed_at, said)
            if len(piece) < _PIECE:
                return
