"""Purposes and notices in the database."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from candor_kit.database import Connection

from candor_consent.domain.notice import Notice, PurposeRef
from candor_consent.domain.purpose import Purpose

_PURPOSE = "purpose_id, version, description, method, categories, sensitive, training, defined_at"


async def lock_purposes(connection: Connection) -> None:
    """Let nobody else define a purpose until the transaction ends; reading goes on."""
    await connection.execute("LOCK TABLE purpose IN SHARE ROW EXCLUSIVE MODE")


async def lock_notices(connection: Connection) -> None:
    """Let nobody else publish a notice until the transaction ends; reading goes on."""
    await connection.execute("LOCK TABLE notice IN SHARE ROW EXCLUSIVE MODE")


async def versions_of(connection: Connection, purpose_id: str) -> list[Purpose]:
    """Return the versions of a purpose, oldest first; empty when it is unknown."""
    return (await versions_by_purpose(connection, [purpose_id])).get(purpose_id, [])


async def versions_by_purpose(connection: Connection, purpose_ids: Iterable[str]) -> dict[str, list[Purpose]]:
    """Return purpose_id -> versions, oldest first, of those that are known."""
    cursor = await connection.execute(
        f"SELECT {_PURPOSE} FROM purpose WHERE purpose_id = ANY(%s) ORDER BY purpose_id, version",  # noqa: S608 - constants
        (sorted(set(purpose_ids)),),
    )
    return _by_purpose(await cursor.fetchall())


async def all_versions(connection: Connection) -> dict[str, list[Purpose]]:
    """Return purpose_id -> versions, oldest first, of every purpose."""
    cursor = await connection.execute(f"SELECT {_PURPOSE} FROM purpose ORDER BY purpose_id, version")  # noqa: S608 - constants
    return _by_purpose(await cursor.fetchall())


async def training_versions(connection: Connection) -> dict[str, list[Purpose]]:
    """Return purpose_id -> versions, oldest first, of the purposes that train models or did once."""
    cursor = await connection.execute(
        f"SELECT {_PURPOSE} FROM purpose"  # noqa: S608 - constants
        " WHERE purpose_id IN (SELECT trains.purpose_id FROM purpose AS trains WHERE trains.training)"
        " ORDER BY purpose_id, version"
    )
    return _by_purpose(await cursor.fetchall())


async def add_purpose(connection: Connection, purpose: Purpose) -> None:
    """Put a version of a purpose on record."""
    await connection.execute(
        f"INSERT INTO purpose ({_PURPOSE}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",  # noqa: S608 - constants
        (
            purpose.purpose_id,
            purpose.version,
            purpose.description,
            purpose.method,
            list(purpose.categories),
            purpose.sensitive,
            purpose.training,
            purpose.defined_at,
        ),
    )


async def notices_of(connection: Connection, notice_id: str) -> list[Notice]:
    """Return the versions of a notice, oldest first; empty when it is unknown."""
    cursor = await connection.execute(
        "SELECT notice.notice_id, version, locale, url, text_sha256, effective_from,"
        " array_agg(purpose_id ORDER BY place) AS purpose_ids, array_agg(purpose_version ORDER BY place) AS numbers"
        " FROM notice JOIN notice_purpose"
        " ON notice_purpose.notice_id = notice.notice_id AND notice_version = notice.version"
        " WHERE notice.notice_id = %s GROUP BY notice.notice_id, notice.version ORDER BY version",
        (notice_id,),
    )
    return [_notice(row) for row in await cursor.fetchall()]


async def add_notice(connection: Connection, notice: Notice) -> None:
    """Put a version of a notice on record."""
    await connection.execute(
        "INSERT INTO notice (notice_id, version, locale, url, text_sha256, effective_from)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (notice.notice_id, notice.version, notice.locale, notice.url, notice.text_sha256, notice.effective_from),
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO notice_purpose (notice_id, notice_version, place, purpose_id, purpose_version)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (notice.notice_id, notice.version, place, ref.purpose_id, ref.version)
                for place, ref in enumerate(notice.purposes)
            ],
        )


def _notice(row: dict[str, Any]) -> Notice:
    explained = zip(row.pop("purpose_ids"), row.pop("numbers"), strict=True)
    return Notice(**row, purposes=tuple(PurposeRef(purpose_id, number) for purpose_id, number in explained))


def _by_purpose(rows: Iterable[dict[str, Any]]) -> dict[str, list[Purpose]]:
    return {
        purpose_id: [Purpose(**{**row, "categories": tuple(row["categories"])}) for row in group]
        for purpose_id, group in groupby(rows, key=lambda row: str(row["purpose_id"]))
    }
