"""Persons and their acts in the database. A person's row is the lock of all that concerns them: take it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from candor_kit.database import Connection
from candor_kit.keys import open_sealed, seal

from candor_consent.domain.act import Act, AgeBand, Deed, Guardian, Kind

_ACT = (
    "act_id::text AS act_id, deed, consent_id::text AS consent_id, purpose_id, purpose_version, notice_id,"
    " notice_version, kind, age_band, channel, at, recorded_at, expires_at, guardian_method, sealed_guardian"
)


@dataclass(frozen=True)
class Person:
    """A person's random identifier; `is_new` when this transaction made the row, so that nobody is named by it yet."""

    person_id: str
    is_new: bool = False


@dataclass(frozen=True)
class Known:
    """A person whose subject can be found: by the key of the pseudonym."""

    person_id: str
    pseudonym: bytes
    sealed_subject: bytes


async def lock(connection: Connection, pseudonym: bytes) -> Person | None:
    """Lock a person's row until the transaction ends; None when there is none."""
    cursor = await connection.execute(
        "SELECT person_id::text AS person_id FROM person WHERE pseudonym = %s FOR UPDATE", (pseudonym,)
    )
    row = await cursor.fetchone()
    return Person(row["person_id"]) if row else None


async def take(connection: Connection, pseudonym: bytes) -> Person:
    """Lock a person's row, made on first use; one who makes or erases it at the same time is waited for."""
    known = await lock(connection, pseudonym)
    if known is not None:
        return known
    cursor = await connection.execute(
        "INSERT INTO person (pseudonym) VALUES (%s)"
        " ON CONFLICT (pseudonym) DO UPDATE SET pseudonym = excluded.pseudonym"
        " RETURNING person_id::text AS person_id, sealed_subject IS NULL AS is_new",
        (pseudonym,),
    )
    row = await cursor.fetchone()
    if row is None:  # an upsert that may update always gives its row back
        raise LookupError("the row of a person was not given back")
    return Person(row["person_id"], is_new=row["is_new"])


async def name(connection: Connection, person: Person, subject: str, key: bytes) -> None:
    """Seal the subject into the person's row, so that facts about them can be published later."""
    await connection.execute(
        "UPDATE person SET sealed_subject = %s WHERE person_id = %s",
        (seal(key, subject.encode(), _subject_context(person.person_id)), person.person_id),
    )


def subject_of(known: Known, key: bytes) -> str:
    """Open the sealed subject."""
    return open_sealed(key, known.sealed_subject, _subject_context(known.person_id)).decode()


async def acts_on(connection: Connection, pseudonym: bytes, purpose_id: str) -> list[Act]:
    """Return a person's acts that can bear on a purpose, in the order recorded, without guardians: no rule asks."""
    cursor = await connection.execute(
        f"SELECT {_ACT} FROM act JOIN person USING (person_id)"  # noqa: S608 - constants
        " WHERE pseudonym = %s AND (purpose_id = %s OR purpose_id IS NULL) ORDER BY position",
        (pseudonym, purpose_id),
    )
    return [_act(row, None) for row in await cursor.fetchall()]


async def acts_of(connection: Connection, pseudonym: bytes) -> list[Act]:
    """Return a person's acts in the order recorded, without guardians: no rule asks about them."""
    return await history(connection, pseudonym, None)


async def history(connection: Connection, pseudonym: bytes, key: bytes | None) -> list[Act]:
    """Return a person's acts in the order recorded, with the guardians that the key opens."""
    cursor = await connection.execute(
        f"SELECT {_ACT} FROM act JOIN person USING (person_id) WHERE pseudonym = %s ORDER BY position",  # noqa: S608 - constants
        (pseudonym,),
    )
    return [_act(row, key) for row in await cursor.fetchall()]


async def is_known(connection: Connection, pseudonym: bytes) -> bool:
    """Tell whether the registry knows the person."""
    cursor = await connection.execute("SELECT 1 AS one FROM person WHERE pseudonym = %s", (pseudonym,))
    return await cursor.fetchone() is not None


async def add(connection: Connection, person: Person, act: Act, key: bytes | None = None) -> None:
    """Put an act on record, and keep the terms of the person's consents in step with it.

    Args:
        connection: in a transaction that holds the person's lock.
        person: whose act it is.
        act: with a guardian only when `key` is given.
        key: the person's, 32 bytes.
    """
    guardian = act.guardian
    await connection.execute(
        "INSERT INTO act (act_id, person_id, deed, consent_id, purpose_id, purpose_version, notice_id, notice_version,"
        " kind, age_band, channel, at, recorded_at, expires_at, guardian_method, sealed_guardian)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            act.act_id,
            person.person_id,
            act.deed.value,
            act.consent_id or None,
            act.purpose_id or None,
            act.purpose_version or None,
            act.notice_id or None,
            act.notice_version or None,
            act.kind.value if act.kind else None,
            act.age_band.value if act.age_band else None,
            act.channel or None,
            act.at,
            act.recorded_at,
            act.expires_at,
            guardian.method if guardian else None,
            _sealed_guardian(act, key),
        ),
    )
    await _keep_terms(connection, person, act)


async def _keep_terms(connection: Connection, person: Person, act: Act) -> None:
    """What is taken back or renewed before its end runs out no more; a term that had passed by then stays due."""
    if act.deed in {Deed.GRANTED, Deed.WITHDRAWN}:
        await connection.execute(
            "DELETE FROM term WHERE person_id = %s AND purpose_id = %s AND expires_at > %s",
            (person.person_id, act.purpose_id, act.at),
        )
    if act.deed is Deed.GRANTED and act.expires_at is not None:
        await connection.execute(
            "INSERT INTO term (consent_id, person_id, purpose_id, expires_at) VALUES (%s, %s, %s, %s)",
            (act.consent_id, person.person_id, act.purpose_id, act.expires_at),
        )


async def lock_due(connection: Connection, now: datetime, most: int) -> list[Known]:
    """Lock persons with a consent whose term has passed, those in front that nobody else is at work on."""
    cursor = await connection.execute(
        "SELECT person_id::text AS person_id, pseudonym, sealed_subject FROM person WHERE person_id IN"
        " (SELECT term.person_id FROM term WHERE term.expires_at <= %s ORDER BY term.expires_at LIMIT %s)"
        " FOR UPDATE SKIP LOCKED",
        (now, most),
    )
    return [Known(**row) for row in await cursor.fetchall()]


async def pop_due(connection: Connection, person_id: str, now: datetime) -> list[tuple[str, str]]:
    """Take (consent_id, purpose_id) of the person's consents whose term has passed, the earliest in front."""
    cursor = await connection.execute(
        "WITH due AS (DELETE FROM term WHERE person_id = %s AND expires_at <= %s"
        " RETURNING consent_id, purpose_id, expires_at)"
        " SELECT consent_id::text AS consent_id, purpose_id FROM due ORDER BY expires_at, consent_id",
        (person_id, now),
    )
    return [(row["consent_id"], row["purpose_id"]) for row in await cursor.fetchall()]


async def next_term(connection: Connection) -> datetime | None:
    """Return when the next consent runs out, or None when none will."""
    cursor = await connection.execute("SELECT min(expires_at) AS next FROM term")
    row = await cursor.fetchone()
    return row["next"] if row else None


async def let_go(connection: Connection, acts: Sequence[Act]) -> None:
    """Put acts under a random identifier that leads to nobody, without their guardians; nothing of them runs out."""
    await connection.execute(
        "WITH nobody AS (INSERT INTO person DEFAULT VALUES RETURNING person_id)"
        " UPDATE act SET person_id = (SELECT nobody.person_id FROM nobody), sealed_guardian = NULL"
        " WHERE act_id = ANY(%s::uuid[])",
        ([act.act_id for act in acts],),
    )
    await connection.execute(
        "DELETE FROM term WHERE consent_id = ANY(%s::uuid[])", ([act.consent_id for act in acts if act.consent_id],)
    )


async def reseal(connection: Connection, person: Person, subject: str, acts: Sequence[Act], key: bytes) -> None:
    """Seal what stays of a person under their new key: the subject, and the guardians of their acts."""
    await name(connection, person, subject, key)
    for act in acts:
        await connection.execute(
            "UPDATE act SET sealed_guardian = %s WHERE act_id = %s", (_sealed_guardian(act, key), act.act_id)
        )


async def remove(connection: Connection, person: Person) -> None:
    """Remove the row of a person without acts."""
    await connection.execute("DELETE FROM person WHERE person_id = %s", (person.person_id,))


def _act(row: dict[str, Any], key: bytes | None) -> Act:
    return Act(
        act_id=row["act_id"],
        deed=Deed(row["deed"]),
        at=row["at"],
        recorded_at=row["recorded_at"],
        consent_id=row["consent_id"] or "",
        purpose_id=row["purpose_id"] or "",
        purpose_version=row["purpose_version"] or 0,
        notice_id=row["notice_id"] or "",
        notice_version=row["notice_version"] or 0,
        kind=Kind(row["kind"]) if row["kind"] else None,
        age_band=AgeBand(row["age_band"]) if row["age_band"] else None,
        guardian=_guardian(row, key),
        expires_at=row["expires_at"],
        channel=row["channel"] or "",
    )


def _guardian(row: dict[str, Any], key: bytes | None) -> Guardian | None:
    if key is None or row["sealed_guardian"] is None:
        return None
    reference = open_sealed(key, row["sealed_guardian"], _guardian_context(row["act_id"])).decode()
    return Guardian(guardian_ref=reference, method=row["guardian_method"])


def _sealed_guardian(act: Act, key: bytes | None) -> bytes | None:
    if act.guardian is None or key is None:
        return None
    return seal(key, act.guardian.guardian_ref.encode(), _guardian_context(act.act_id))


def _subject_context(person_id: str) -> bytes:
    return f"consent.subject:{person_id}".encode()


def _guardian_context(act_id: str) -> bytes:
    return f"consent.guardian:{act_id}".encode()
