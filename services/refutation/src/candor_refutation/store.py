"""SQL to domain and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from candor_refutation.domain.claim import REFUTING, Claim, Source, Spreading, Verdict
from candor_refutation.domain.matching import Band, Match, RefutedClaim
from candor_refutation.domain.spread import Spread
from candor_refutation.domain.step import Step, StepKind

Connection = AsyncConnection[dict[str, Any]]
Row = Mapping[str, Any]
# A claim that spreads has matches without end; of these, so many are told one by one.
MATCHED_STEPS = 100
_CLAIM = (
    "claim_id, text, locale, registered_at, first_seen_at, first_seen_url, verdict, explanation, sources, decided_at"
)
_SPREADING = (
    f"SELECT {_CLAIM}, spread_level, spread_at,"  # noqa: S608 - constant columns
    " (SELECT count(*) FROM match WHERE match.claim_id = claim.claim_id) AS matches,"
    " (SELECT count(*) FROM match WHERE match.claim_id = claim.claim_id AND occurred_at > %(hour_ago)s)"
    " AS matches_last_hour"
    " FROM claim"
)


@dataclass(frozen=True)
class Position:
    """Where a page of claims ended: the claim's latest spread, and its id."""

    since: datetime
    claim_id: str


async def add_claim(connection: Connection, claim: Claim, fingerprint: bytes) -> bool:
    """Add a claim; False when the same wording is on record."""
    cursor = await connection.execute(
        "INSERT INTO claim (claim_id, text, locale, fingerprint, first_seen_at, first_seen_url, registered_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (fingerprint) DO NOTHING",
        (
            claim.claim_id, claim.text, claim.locale, fingerprint, claim.first_seen_at, claim.first_seen_url,
            claim.registered_at,
        ),
    )  # fmt: skip
    return cursor.rowcount == 1


async def lock_claim(connection: Connection, claim_id: str) -> Claim | None:
    """Return a claim, locked against other decisions about it; matches can still be added."""
    # NO KEY: the foreign keys of matches must not wait for a decision.
    cursor = await connection.execute(
        f"SELECT {_CLAIM} FROM claim WHERE claim_id = %s FOR NO KEY UPDATE",  # noqa: S608 - constant columns
        (claim_id,),
    )
    row = await cursor.fetchone()
    return _claim(row) if row else None


async def save_verdict(connection: Connection, claim: Claim) -> None:
    """Save a claim's verdict, and let every holder of an index see that it is old."""
    await connection.execute(
        "UPDATE claim SET verdict = %s, explanation = %s, sources = %s, decided_at = %s WHERE claim_id = %s",
        (claim.verdict, claim.explanation, _sources_json(claim.sources), claim.decided_at, claim.claim_id),
    )
    await connection.execute("UPDATE claims_version SET version = version + 1")


async def claims_version(connection: Connection) -> int:
    """Return the version of the refuted claims."""
    row = await (await connection.execute("SELECT version FROM claims_version")).fetchone()
    return int(row["version"]) if row else 0


async def refuted_claims(connection: Connection) -> tuple[int, list[RefutedClaim]]:
    """Return the refuted claims with their version, of one snapshot."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        version = await claims_version(connection)
        cursor = await connection.execute(
            "SELECT claim_id, text, explanation FROM claim WHERE verdict = ANY(%s) ORDER BY claim_id",
            ([verdict.value for verdict in REFUTING],),
        )
        rows = await cursor.fetchall()
    return version, [RefutedClaim(str(row["claim_id"]), row["text"], row["explanation"]) for row in rows]


async def add_match(
    connection: Connection, match: Match, generation_id: str, log_index: int, occurred_at: datetime, now: datetime
) -> bool:
    """Add a match; False when it is on record."""
    cursor = await connection.execute(
        "INSERT INTO match (claim_id, generation_id, log_index, occurred_at, containment, band, matched_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (claim_id, generation_id) DO NOTHING",
        (match.claim_id, generation_id, log_index, occurred_at, match.containment, match.band, now),
    )
    return cursor.rowcount == 1


async def recount(connection: Connection, claim_id: str, start: datetime, end: datetime) -> int:
    """Count the near-copies of generations in [start, end)."""
    cursor = await connection.execute(
        "SELECT count(*) AS matches FROM match"
        " WHERE claim_id = %s AND band = %s AND occurred_at >= %s AND occurred_at < %s",
        (claim_id, Band.AUTOMATIC, start, end),
    )
    row = await cursor.fetchone()
    return int(row["matches"]) if row else 0


async def announced_level(connection: Connection, claim_id: str) -> int:
    """Return the highest level announced, 0: none."""
    cursor = await connection.execute(
        "SELECT coalesce(max(level), 0) AS level FROM spread WHERE claim_id = %s", (claim_id,)
    )
    row = await cursor.fetchone()
    return int(row["level"]) if row else 0


async def add_spread(connection: Connection, claim_id: str, spread: Spread, now: datetime) -> None:
    """Add a level to a claim; its unique key refuses a second announcement."""
    await connection.execute(
        "INSERT INTO spread (claim_id, level, matches, window_start, window_end, detected_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (claim_id, spread.level, spread.matches, spread.window_start, spread.window_end, now),
    )
    await connection.execute(
        "UPDATE claim SET spread_level = %s, spread_at = %s WHERE claim_id = %s", (spread.level, now, claim_id)
    )


async def add_step(connection: Connection, claim_id: str, step: Step) -> None:
    """Add a step; a nomination of a level is a step once."""
    await connection.execute(
        "INSERT INTO step (claim_id, kind, level, at, actor, note) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (claim_id, level) WHERE kind = 'spread_nominated' DO NOTHING",
        (claim_id, step.kind, step.level, step.at, step.actor, step.note),
    )


async def steps(connection: Connection, claim_id: str, matcher: str) -> list[Step]:
    """Return the steps of a claim, oldest first; of its matches the first hundred, and how many more there are."""
    cursor = await connection.execute(
        "SELECT kind, level, at, actor, note FROM step WHERE claim_id = %s ORDER BY id", (claim_id,)
    )
    decided = [
        Step(StepKind(row["kind"]), row["at"], row["actor"], row["note"], row["level"])
        for row in await cursor.fetchall()
    ]
    return sorted([*decided, *await _matched_steps(connection, claim_id, matcher)], key=lambda step: step.at)


async def _matched_steps(connection: Connection, claim_id: str, matcher: str) -> list[Step]:
    cursor = await connection.execute(
        "SELECT generation_id, containment, band, matched_at FROM match WHERE claim_id = %s"
        " ORDER BY matched_at, generation_id LIMIT %s",
        (claim_id, MATCHED_STEPS),
    )
    rows = await cursor.fetchall()
    matched = [
        Step(
            StepKind.MATCHED,
            row["matched_at"],
            matcher,
            f"generation {row['generation_id']}, containment {row['containment']:.2f}, {row['band']}",
        )
        for row in rows
    ]
    if len(rows) < MATCHED_STEPS:
        return matched
    cursor = await connection.execute(
        "SELECT count(*) AS matches, max(matched_at) AS latest FROM match WHERE claim_id = %s", (claim_id,)
    )
    total = await cursor.fetchone()
    if total and total["matches"] > MATCHED_STEPS:
        more = f"{total['matches'] - MATCHED_STEPS} more matches, the latest at this time"
        matched.append(Step(StepKind.MATCHED, total["latest"], matcher, more))
    return matched


async def find_claim(connection: Connection, claim_id: str) -> Claim | None:
    """Return a claim."""
    cursor = await connection.execute(
        f"SELECT {_CLAIM} FROM claim WHERE claim_id = %s",  # noqa: S608 - constant columns
        (claim_id,),
    )
    row = await cursor.fetchone()
    return _claim(row) if row else None


async def find_spreading(connection: Connection, claim_id: str, now: datetime) -> Spreading | None:
    """Return a claim with what its matches say."""
    cursor = await connection.execute(
        f"{_SPREADING} WHERE claim_id = %(claim_id)s", {"claim_id": claim_id, "hour_ago": _hour_before(now)}
    )
    row = await cursor.fetchone()
    return _spreading(row) if row else None


async def list_spreading(
    connection: Connection, now: datetime, *, spreading_only: bool, after: Position | None, size: int
) -> list[Spreading]:
    """Return at most `size` claims after a position, the latest spread first, then the latest registered."""
    conditions = ["spread_level > 0"] if spreading_only else []
    values: dict[str, object] = {"hour_ago": _hour_before(now), "size": size}
    if after is not None:
        conditions.append("(spread_at, claim_id) < (%(since)s, %(claim_id)s)")
        values |= {"since": after.since, "claim_id": after.claim_id}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    cursor = await connection.execute(
        f"{_SPREADING} {where} ORDER BY spread_at DESC, claim_id DESC LIMIT %(size)s", values
    )
    return [_spreading(row) for row in await cursor.fetchall()]


def _hour_before(now: datetime) -> datetime:
    return now - timedelta(hours=1)


def _claim(row: Row) -> Claim:
    return Claim(
        claim_id=str(row["claim_id"]),
        text=row["text"],
        locale=row["locale"],
        registered_at=row["registered_at"],
        first_seen_at=row["first_seen_at"],
        first_seen_url=row["first_seen_url"],
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        explanation=row["explanation"],
        sources=tuple(Source(item["title"], item["url"]) for item in row["sources"]),
        decided_at=row["decided_at"],
    )


def _spreading(row: Row) -> Spreading:
    return Spreading(_claim(row), row["matches"], row["matches_last_hour"], row["spread_level"], row["spread_at"])


def _sources_json(sources: Sequence[Source]) -> str:
    return json.dumps([{"title": source.title, "url": source.url} for source in sources], ensure_ascii=False)
