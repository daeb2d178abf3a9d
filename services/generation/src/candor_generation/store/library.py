"""The feature library in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Any

from candor_kit.database import Connection
from psycopg.rows import tuple_row

from candor_generation.domain.feature import (
    DIGEST_HEADER,
    Estimate,
    Feature,
    Kind,
    Mode,
    State,
    feature_digest,
)
from candor_generation.domain.generation import Decision

_AT_A_TIME = 2000


@dataclass(frozen=True)
class Condition:
    """Which features are asked for; an empty part asks for nothing."""

    states: tuple[State, ...] = ()
    modes: tuple[Mode, ...] = ()
    kinds: tuple[Kind, ...] = ()
    category: str = ""


async def lock(connection: Connection) -> None:
    """Let one change of the library happen after the other, so that its digest is that of all of them."""
    await connection.execute("SELECT digest FROM library FOR UPDATE")


async def digest(connection: Connection) -> bytes:
    """The digest of the features that screen, 32 bytes."""
    return (await in_force(connection))[1]


async def in_force(connection: Connection) -> tuple[int, bytes]:
    """The library's version and its digest."""
    cursor = await connection.execute("SELECT version, digest FROM library")
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("the library's row is missing")
    return row["version"], bytes(row["digest"])


async def insert(connection: Connection, feature: Feature) -> bool:
    """Put a new feature in, with its first step; False where its id is taken."""
    cursor = await connection.execute(
        "INSERT INTO feature (feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by,"
        " changed_at, mode, exceptions, within_words, valid_from, valid_until, source, standard, reason, reviewed_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            feature.feature_id,
            feature.kind.value,
            feature.value,
            feature.category,
            feature.decision.name,
            feature.citation,
            feature.state.value,
            feature.proposed_by,
            feature.admitted_by,
            feature.changed_at,
            feature.mode.value,
            list(feature.exceptions),
            feature.within_words,
            feature.valid_from,
            feature.valid_until,
            feature.source,
            feature.standard,
            feature.reason,
            feature.reviewed_by,
        ),
    )
    if cursor.rowcount != 1:
        return False
    await _add_steps(connection, [feature], "proposed", feature.proposed_by)
    return True


async def update(connection: Connection, changed: Sequence[Feature], step: str, by: str) -> None:
    """Record one step of some features' lives."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "UPDATE feature SET state = %s, reviewed_by = %s, admitted_by = %s, changed_at = %s, mode = %s,"
            " mode_since = %s, standard = %s, reason = %s, benign_hits = %s, benign_texts = %s, benign_corpus = %s,"
            " digest = %s WHERE feature_id = %s",
            [_changeable(feature) for feature in changed],
        )
    await _add_steps(connection, changed, step, by)


async def find(connection: Connection, feature_ids: Sequence[str]) -> dict[str, Feature]:
    """Those of the features that there are, by id."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at,"
        " mode, exceptions, within_words, valid_from, valid_until, source, standard, reason, reviewed_by, benign_hits,"
        " benign_texts, benign_corpus, mode_since FROM feature WHERE feature_id = ANY(%s)",
        (list(feature_ids),),
    )
    return {row["feature_id"]: _feature(row) for row in await cursor.fetchall()}


async def live(connection: Connection, kind: Kind, value: str) -> str | None:
    """The id of a feature of this value that is neither rejected nor retired, or None."""
    cursor = await connection.execute(
        "SELECT feature_id FROM feature WHERE value = %s AND kind = %s AND state NOT IN ('rejected', 'retired')"
        " ORDER BY feature_id LIMIT 1",
        (value, kind.value),
    )
    row = await cursor.fetchone()
    return str(row["feature_id"]) if row else None


async def page(connection: Connection, condition: Condition, after: str, size: int) -> list[Feature]:
    """Features that meet the condition, by id, those that come after `after`, `size` at most."""
    cursor = await connection.execute(
        "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at,"
        " mode, exceptions, within_words, valid_from, valid_until, source, standard, reason, reviewed_by, benign_hits,"
        " benign_texts, benign_corpus, mode_since FROM feature WHERE feature_id > %s"
        " AND (%s::text[] = '{}' OR state = ANY(%s)) AND (%s::text[] = '{}' OR mode = ANY(%s))"
        " AND (%s::text[] = '{}' OR kind = ANY(%s)) AND (%s = '' OR category = %s) ORDER BY feature_id LIMIT %s",
        (after, *_twice(condition.states, condition.modes, condition.kinds), *[condition.category] * 2, size),
    )
    return [_feature(row) for row in await cursor.fetchall()]


async def admitted(connection: Connection, known: Mapping[bytes, Feature]) -> list[Feature]:
    """The features that screen, by id: those admitted that are not suspended.

    Of what is `known`, by digest, nothing but the digest is read. Where the library changes meanwhile, the features
    do not give the digest that is in force.
    """
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute(
            "SELECT feature_id, digest FROM feature WHERE state = 'admitted' AND mode <> 'suspended'"
            " ORDER BY feature_id"
        )
        found = {feature_id: known.get(digest) async for feature_id, digest in cursor}
    unknown = [feature_id for feature_id, item in found.items() if item is None]
    async with connection.transaction():  # what is read some at a time is read in one
        async for item in _screening(connection, unknown):
            found[item.feature_id] = item
    return [item for item in found.values() if item is not None]


async def _screening(connection: Connection, feature_ids: Sequence[str] | None = None) -> AsyncIterator[Feature]:
    """Features that screen, some at a time, as a library may be large: those of these ids, or all."""
    async with connection.cursor("screening") as cursor:
        cursor.itersize = _AT_A_TIME
        await cursor.execute(
            "SELECT feature_id, kind, value, category, decision, citation, state, proposed_by, admitted_by, changed_at,"
            " mode, exceptions, within_words, valid_from, valid_until, source, standard, reason, reviewed_by,"
            " benign_hits, benign_texts, benign_corpus, mode_since FROM feature"
            " WHERE state = 'admitted' AND mode <> 'suspended'"
            " AND (%(ids)s::text[] IS NULL OR feature_id = ANY(%(ids)s))",
            {"ids": feature_ids},
        )
        async for row in cursor:
            yield _feature(row)


async def renew(connection: Connection, changed: Sequence[str], at: datetime) -> tuple[int, bytes]:
    """Put a new version in force where the features of these ids changed what screens.

    The caller holds the library's lock. Where nothing that a verdict depends on has changed, the version stays.

    Returns:
        The version in force and its digest.
    """
    version, before = await in_force(connection)
    after = await _digest_of_screening(connection)
    if version and after == before:
        return version, before
    version += 1
    await connection.execute("UPDATE library SET digest = %s, version = %s", (after, version))
    await connection.execute(
        "INSERT INTO library_version (version, digest, since) VALUES (%s, %s, %s)", (version, after, at)
    )
    await connection.execute(
        "UPDATE library_row SET until_version = %s WHERE feature_id = ANY(%s) AND until_version IS NULL",
        (version, list(changed)),
    )
    await connection.execute(
        "INSERT INTO library_row (feature_id, from_version, kind, value, category, decision, citation, mode,"
        " exceptions, within_words, valid_from, valid_until)"
        " SELECT feature_id, %s, kind, value, category, decision, citation, mode, exceptions, within_words, valid_from,"
        " valid_until FROM feature WHERE feature_id = ANY(%s) AND state = 'admitted' AND mode <> 'suspended'",
        (version, list(changed)),
    )
    return version, after


async def mend_digests(connection: Connection) -> list[str]:
    """Give the features that screen the digests of this release; return the ids of all that screen.

    Source: Deep Synthesis 10
    """
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute("SELECT feature_id, digest FROM feature WHERE digest IS NOT NULL")
        stored = {feature_id: digest async for feature_id, digest in cursor}
    screening = {item.feature_id: feature_digest(item) async for item in _screening(connection)}
    wrong = [(digest, name) for name, digest in screening.items() if stored.get(name) != digest]
    async with connection.cursor() as many:
        await many.executemany("UPDATE feature SET digest = %s WHERE feature_id = %s", wrong)
    return list(screening)


async def _digest_of_screening(connection: Connection) -> bytes:
    """As `domain.feature.library_digest` says it, over the stored digests."""
    cursor = await connection.execute(
        "SELECT sha256(%s::bytea || coalesce("
        "string_agg(digest, ''::bytea ORDER BY feature_id COLLATE \"C\"), ''::bytea)) AS digest"
        " FROM feature WHERE state = 'admitted' AND mode <> 'suspended'",
        (DIGEST_HEADER,),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an aggregate gave no row")
    return bytes(row["digest"])


def _twice(*parts: Sequence[State] | Sequence[Mode] | Sequence[Kind]) -> list[list[str]]:
    """Each part's values two times: once to see whether it asks for anything, once to ask."""
    return [[item.value for item in part] for part in parts for _ in range(2)]


def _changeable(feature: Feature) -> tuple[object, ...]:
    estimate = feature.estimate
    return (
        feature.state.value,
        feature.reviewed_by,
        feature.admitted_by,
        feature.changed_at,
        feature.mode.value,
        feature.mode_since,
        feature.standard,
        feature.reason,
        estimate.hits if estimate else None,
        estimate.texts if estimate else None,
        estimate.corpus if estimate else None,
        feature_digest(feature) if feature.screens else None,
        feature.feature_id,
    )


async def _add_steps(connection: Connection, changed: Sequence[Feature], step: str, by: str) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO feature_step (feature_id, at, step, by, mode, source, standard, reason, category, valid_from,"
            " valid_until) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    feature.feature_id,
                    feature.changed_at,
                    step,
                    by,
                    feature.mode.value,
                    feature.source,
                    feature.standard,
                    feature.reason,
                    feature.category,
                    feature.valid_from,
                    feature.valid_until,
                )
                for feature in changed
            ],
        )


def _feature(row: Mapping[str, Any]) -> Feature:
    return Feature(
        row["feature_id"],
        Kind(row["kind"]),
        row["value"],
        # What many features have in common is kept once.
        intern(row["category"]),
        Decision[row["decision"]],
        intern(row["citation"]),
        State(row["state"]),
        intern(row["proposed_by"]),
        intern(row["admitted_by"]),
        row["changed_at"],
        mode=Mode(row["mode"]),
        exceptions=tuple(row["exceptions"]),
        within_words=row["within_words"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        source=intern(row["source"]),
        standard=intern(row["standard"]),
        reason=intern(row["reason"]),
        reviewed_by=intern(row["reviewed_by"]),
        estimate=_estimate(row["benign_hits"], row["benign_texts"], row["benign_corpus"]),
        mode_since=row["mode_since"],
    )


@lru_cache(maxsize=1024)
def _estimate(hits: int | None, texts: int | None, corpus: bytes | None) -> Estimate | None:
    return None if hits is None or texts is None or corpus is None else Estimate(hits, texts, corpus)
