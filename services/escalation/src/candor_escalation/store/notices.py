"""Table content_notice. Whoever changes a notice has locked its row."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from candor_escalation.domain.content_notice import Form, Notice
from candor_escalation.store import Connection, Row
from candor_escalation.store.disposals import Wrapped

_COLUMNS = (
    "n.notice_id, n.product, n.forms, n.category, n.generation_id, n.content, n.reference, n.trusted_flagger,"
    " n.contact_held, n.signed, n.good_faith, n.received_at, n.incident_ids, n.outcome, n.basis, n.automated_means,"
    " n.manifestly_unfounded, n.decided_by, n.decided_at, n.confirmed_at, n.answered_at, n.restricted_until,"
    " n.pseudonym, n.wrapped_by, n.wrapped_key, n.sealed, n.sealed_reasons, n.looks"
)
_MOST = 1000


@dataclass(frozen=True)
class StoredNotice:
    """A notice with its sealed part; ``looks``: how often its generation was looked for."""

    notice: Notice
    wrapped: Wrapped
    sealed_reasons: bytes | None = None
    looks: int = 0


async def insert(connection: Connection, notice: Notice, wrapped: Wrapped) -> None:
    """Keep a new notice; its generation is looked for at once."""
    await connection.execute(
        "INSERT INTO content_notice (notice_id, product, forms, category, generation_id, content, look_at, reference,"
        " trusted_flagger, contact_held, signed, good_faith, received_at, incident_ids, pseudonym, wrapped_by,"
        " wrapped_key, sealed) VALUES (%s, %s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END, %s, %s, %s, %s,"
        " %s, %s, %s::uuid[], %s, %s, %s, %s)",
        (
            notice.notice_id, notice.product, [form.value for form in notice.forms], notice.category,
            notice.generation_id or None, notice.content, bool(notice.generation_id), notice.reference,
            notice.trusted_flagger, notice.contact_held, notice.signed, notice.good_faith, notice.received_at,
            list(notice.incident_ids), wrapped.pseudonym, wrapped.wrapped_by, wrapped.wrapped_key, wrapped.sealed,
        ),
    )  # fmt: skip


async def lock(connection: Connection, notice_id: str) -> StoredNotice | None:
    """Lock a notice until the transaction ends; None when there is none."""
    query = f"SELECT {_COLUMNS} FROM content_notice n WHERE n.notice_id = %s FOR UPDATE"  # noqa: S608 - constants
    return await _one(connection, query, notice_id)


async def find(connection: Connection, notice_id: str) -> StoredNotice | None:
    """A notice as it stands; None when there is none."""
    return await _one(connection, f"SELECT {_COLUMNS} FROM content_notice n WHERE n.notice_id = %s", notice_id)  # noqa: S608 - constants


async def update(connection: Connection, notice: Notice) -> None:
    """Keep how a locked notice stands now. Once it is decided, its generation is looked for no more."""
    await connection.execute(
        "UPDATE content_notice SET outcome = %s, basis = %s, automated_means = %s, manifestly_unfounded = %s,"
        " decided_by = %s, decided_at = %s, confirmed_at = %s, answered_at = %s,"
        " look_at = CASE WHEN %s = '' THEN look_at END WHERE notice_id = %s",
        (
            notice.outcome, notice.basis, notice.automated_means, notice.manifestly_unfounded, notice.decided_by,
            notice.decided_at, notice.confirmed_at, notice.answered_at, notice.outcome, notice.notice_id,
        ),
    )  # fmt: skip


async def keep_reasons(connection: Connection, notice_id: str, sealed: bytes) -> None:
    """Keep what who gave a notice is told of the decision."""
    await connection.execute("UPDATE content_notice SET sealed_reasons = %s WHERE notice_id = %s", (sealed, notice_id))


async def listed(connection: Connection, *, open_only: bool) -> list[Notice]:
    """Notices, those that wait in front, of them those of trusted flaggers, then the oldest; at most 1,000."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM content_notice n WHERE NOT %s OR n.outcome = ''"  # noqa: S608 - constants
        " ORDER BY n.outcome <> '', n.trusted_flagger DESC, n.received_at, n.notice_id LIMIT %s",
        (open_only, _MOST),
    )
    return [_stored(row).notice for row in await cursor.fetchall()]


async def disposals_of(connection: Connection, notice_id: str) -> list[str]:
    """The disposals that rest on a notice, oldest first."""
    cursor = await connection.execute(
        "SELECT disposal_id FROM disposal WHERE notice_id = %s ORDER BY decided_at, disposal_id", (notice_id,)
    )
    return [str(row["disposal_id"]) for row in await cursor.fetchall()]


async def lease_look(connection: Connection, seconds: float) -> StoredNotice | None:
    """A notice whose generation is to be looked for, claimed for a while; None when there is none."""
    return await _one(
        connection,
        "UPDATE content_notice n SET look_at = clock_timestamp() + make_interval(secs => %s) WHERE n.notice_id = ("  # noqa: S608
        "SELECT notice_id FROM content_notice WHERE look_at <= clock_timestamp()"
        " ORDER BY look_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
        f" RETURNING {_COLUMNS}",
        seconds,
    )


async def looked(connection: Connection, notice_id: str, content: str, again_after: timedelta | None) -> None:
    """What was found of a locked notice's generation, and whether it is looked for again."""
    await connection.execute(
        "UPDATE content_notice SET content = %s, looks = looks + 1, look_at = clock_timestamp() + %s::interval"
        " WHERE notice_id = %s",
        (content, again_after, notice_id),
    )


async def of_person(connection: Connection, pseudonym: bytes, *, lock: bool = False) -> list[StoredNotice]:
    """The notices that a person gave, oldest first; locked when they are to be changed."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM content_notice n WHERE n.pseudonym = %s ORDER BY n.received_at, n.notice_id"  # noqa: S608 - constants
        f"{' FOR UPDATE' if lock else ''}",
        (pseudonym,),
    )
    return [_stored(row) for row in await cursor.fetchall()]


async def rewrap(connection: Connection, notice_id: str, wrapped: Wrapped, restricted_until: datetime | None) -> None:
    """Put another wrap in the place of a locked notice's; with an end, it is restricted from now on."""
    await connection.execute(
        "UPDATE content_notice SET pseudonym = %s, wrapped_by = %s, wrapped_key = %s, restricted_until = %s"
        " WHERE notice_id = %s",
        (wrapped.pseudonym, wrapped.wrapped_by, wrapped.wrapped_key, restricted_until, notice_id),
    )


async def let_go(connection: Connection, notice_id: str) -> None:
    """Forget who gave a locked notice and what was said; what is counted stays."""
    await connection.execute(
        "UPDATE content_notice SET pseudonym = NULL, wrapped_by = NULL, wrapped_key = NULL, sealed = NULL,"
        " sealed_reasons = NULL, reference = '' WHERE notice_id = %s",
        (notice_id,),
    )


async def next_to_let_go(connection: Connection) -> StoredNotice | None:
    """Lock a restricted notice that the law keeps no longer; one that is open waits for its decision."""
    return await _one(
        connection,
        f"SELECT {_COLUMNS} FROM content_notice n WHERE n.restricted_until <= clock_timestamp()"  # noqa: S608 - constants
        " AND n.sealed IS NOT NULL AND n.outcome <> '' ORDER BY n.restricted_until LIMIT 1 FOR UPDATE SKIP LOCKED",
    )


async def _one(connection: Connection, query: str, *parameters: object) -> StoredNotice | None:
    cursor = await connection.execute(query, parameters)  # the callers' own text
    row = await cursor.fetchone()
    return _stored(row) if row else None


def _stored(row: Row) -> StoredNotice:
    notice = Notice(
        notice_id=str(row["notice_id"]),
        product=row["product"],
        forms=tuple(Form(form) for form in row["forms"]),
        category=row["category"],
        generation_id=str(row["generation_id"] or ""),
        content=row["content"],
        reference=row["reference"],
        trusted_flagger=row["trusted_flagger"],
        contact_held=row["contact_held"],
        signed=row["signed"],
        good_faith=row["good_faith"],
        received_at=row["received_at"],
        incident_ids=tuple(str(incident_id) for incident_id in row["incident_ids"]),
        outcome=row["outcome"],
        basis=row["basis"],
        automated_means=row["automated_means"],
        manifestly_unfounded=row["manifestly_unfounded"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        confirmed_at=row["confirmed_at"],
        answered_at=row["answered_at"],
        restricted_until=row["restricted_until"],
    )
    wrapped = Wrapped(row["pseudonym"], row["wrapped_by"], row["wrapped_key"], row["sealed"])
    return StoredNotice(notice, wrapped, row["sealed_reasons"], row["looks"])
