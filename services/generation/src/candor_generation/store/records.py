"""Records of generations in PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from candor_kit.database import Connection
from psycopg.types.json import Jsonb

from candor_generation.domain.generation import Decision, Hit, Meta, Modality, Verdict
from candor_generation.domain.label import Label
from candor_generation.domain.record import Personal, Placed, Record


async def insert(connection: Connection, record: Record, personal: Personal, accepted_at: datetime) -> None:
    """Put a new record in; it has no index yet."""
    meta, verdict = record.meta, record.verdict
    await connection.execute(
        "INSERT INTO record (generation_id, accepted_at, occurred_at, provider, model, product, locale, modality,"
        " label, decision, hits, library_digest, entry, subject, payload, wrapped_key)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            meta.generation_id,
            accepted_at,
            meta.occurred_at,
            meta.provider,
            meta.model,
            meta.product,
            meta.locale,
            meta.modality.value,
            Jsonb(dataclasses.asdict(record.label)),
            verdict.decision.name,
            Jsonb([dataclasses.asdict(hit) for hit in verdict.hits]),
            verdict.library_digest,
            record.entry,
            personal.subject,
            personal.payload,
            personal.wrapped_key,
        ),
    )


async def find(connection: Connection, generation_id: str) -> Record | None:
    """The record, or None."""
    cursor = await connection.execute(
        "SELECT generation_id, log_index, occurred_at, provider, model, product, locale, modality, label, decision,"
        " hits, library_digest, entry, subject, payload, wrapped_key FROM record WHERE generation_id = %s",
        (generation_id,),
    )
    row = await cursor.fetchone()
    return _record(row) if row else None


async def in_log(connection: Connection, start: int, end: int, limit: int) -> list[Record]:
    """Records by index from `start` up to but not with `end`, `limit` at most."""
    cursor = await connection.execute(
        "SELECT generation_id, log_index, occurred_at, provider, model, product, locale, modality, label, decision,"
        " hits, library_digest, entry, subject, payload, wrapped_key FROM record"
        " WHERE log_index >= %s AND log_index < %s ORDER BY log_index LIMIT %s",
        (start, end, limit),
    )
    return [_record(row) for row in await cursor.fetchall()]


async def placed(connection: Connection, start: int, end: int) -> list[Placed]:
    """What facts say of the records by index from `start` up to but not with `end`; nothing personal is read."""
    cursor = await connection.execute(
        "SELECT generation_id, log_index, occurred_at, provider, model, product, locale, modality, label, decision,"
        " hits, library_digest FROM record WHERE log_index >= %s AND log_index < %s ORDER BY log_index",
        (start, end),
    )
    return [
        Placed(_meta(row), Label(**row["label"]), _verdict(row), row["log_index"]) for row in await cursor.fetchall()
    ]


async def of_subject(connection: Connection, subject: str, after: Record | None, limit: int) -> list[Record]:
    """A person's records, oldest first, those that come after `after`, `limit` at most."""
    since = (after.meta.occurred_at, after.meta.generation_id) if after else (None, None)
    cursor = await connection.execute(
        "SELECT generation_id, log_index, occurred_at, provider, model, product, locale, modality, label, decision,"
        " hits, library_digest, entry, subject, payload, wrapped_key FROM record WHERE subject = %s"
        " AND (%s::timestamptz IS NULL OR (occurred_at, generation_id) > (%s::timestamptz, %s::uuid))"
        " ORDER BY occurred_at, generation_id LIMIT %s",
        (subject, since[0], *since, limit),
    )
    return [_record(row) for row in await cursor.fetchall()]


async def count_of_subject(connection: Connection, subject: str) -> int:
    """How many records of a person are held."""
    cursor = await connection.execute("SELECT count(*) AS records FROM record WHERE subject = %s", (subject,))
    row = await cursor.fetchone()
    return int(row["records"]) if row else 0


async def erase(connection: Connection, subject: str, until: datetime, at: datetime) -> int:
    """Empty a person's records made at or before `until`; return how many. Entry and index stay as they are.

    The rows are locked in the order in which the sequencer locks them.
    """
    cursor = await connection.execute(
        "WITH held AS (SELECT generation_id FROM record WHERE subject = %s AND occurred_at <= %s"
        " ORDER BY arrival FOR UPDATE)"
        " UPDATE record SET subject = NULL, payload = NULL, wrapped_key = NULL, hits = '[]', erased_at = %s"
        " FROM held WHERE record.generation_id = held.generation_id",
        (subject, until, at),
    )
    return cursor.rowcount


async def flagged_until(connection: Connection, subject: str, until: datetime) -> list[tuple[str, Label, Verdict]]:
    """A person's records made at or before `until` in which something was found: id, label, verdict."""
    cursor = await connection.execute(
        "SELECT generation_id, label, decision, hits, library_digest FROM record"
        " WHERE subject = %s AND occurred_at <= %s AND hits <> '[]' ORDER BY arrival FOR UPDATE",
        (subject, until),
    )
    return [(str(row["generation_id"]), Label(**row["label"]), _verdict(row)) for row in await cursor.fetchall()]


async def wrapped_keys(connection: Connection, subject: str) -> dict[str, bytes]:
    """The wrapped key of each of a person's records, by generation id; the rows are locked."""
    cursor = await connection.execute(
        "SELECT generation_id, wrapped_key FROM record WHERE subject = %s ORDER BY arrival FOR UPDATE", (subject,)
    )
    return {str(row["generation_id"]): row["wrapped_key"] for row in await cursor.fetchall()}


async def replace_wrapped_keys(connection: Connection, wrapped: Mapping[str, bytes]) -> None:
    """Put newly wrapped keys in the place of the old."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "UPDATE record SET wrapped_key = %s WHERE generation_id = %s",
            [(key, generation_id) for generation_id, key in wrapped.items()],
        )


async def count_discarded(connection: Connection, at: datetime) -> None:
    """Count one record that came after the erasure of what it belongs to."""
    await connection.execute(
        "INSERT INTO discarded (day, records) VALUES (%s, 1)"
        " ON CONFLICT (day) DO UPDATE SET records = discarded.records + 1",
        (at.date(),),
    )


def _record(row: Mapping[str, Any]) -> Record:
    whole = row["subject"] is not None
    personal = Personal(row["subject"], row["payload"], row["wrapped_key"]) if whole else None
    return Record(_meta(row), Label(**row["label"]), _verdict(row), row["entry"], row["log_index"], personal)


def _meta(row: Mapping[str, Any]) -> Meta:
    return Meta(
        str(row["generation_id"]),
        row["occurred_at"],
        row["provider"],
        row["model"],
        row["product"],
        row["locale"],
        Modality(row["modality"]),
    )


def _verdict(row: Mapping[str, Any]) -> Verdict:
    return Verdict(Decision[row["decision"]], _hits(row["hits"]), row["library_digest"])


def _hits(items: Iterable[Mapping[str, Any]]) -> tuple[Hit, ...]:
    return tuple(Hit(item["feature_id"], item["category"], item["in_prompt"]) for item in items)
