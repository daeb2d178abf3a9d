"""Applications for, and deliveries of, content without an explicit label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from candor_kit.database import Connection

from candor_generation.domain.unlabelled import Application, Delivery


@dataclass(frozen=True)
class Held:
    """What an erasure left: how many deliveries, and until when the law keeps the last of them."""

    erased: int
    held: int
    until: datetime | None


async def insert_application(connection: Connection, application: Application, purpose: bytes) -> None:
    """Keep an application with its sealed purpose."""
    await connection.execute(
        "INSERT INTO unlabelled_application"
        " (application_id, subject, product, applied_at, duties_version, granted_at, purpose)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            application.application_id,
            application.subject,
            application.product,
            application.applied_at,
            application.duties_version,
            application.granted_at,
            purpose,
        ),
    )


async def lock_application(connection: Connection, application_id: str) -> Application | None:
    """An application, locked until the transaction ends; None where there is none."""
    cursor = await connection.execute(
        "SELECT application_id, subject, product, applied_at, duties_version, granted_at"
        " FROM unlabelled_application WHERE application_id = %s FOR UPDATE",
        (application_id,),
    )
    row = await cursor.fetchone()
    return Application(**{**row, "application_id": str(row["application_id"])}) if row else None


async def grant(connection: Connection, application: Application) -> None:
    """Keep which duties were accepted, and when."""
    await connection.execute(
        "UPDATE unlabelled_application SET duties_version = %s, granted_at = %s WHERE application_id = %s",
        (application.duties_version, application.granted_at, application.application_id),
    )


async def insert_delivery(connection: Connection, delivery: Delivery) -> None:
    """Keep a delivery."""
    await connection.execute(
        "INSERT INTO unlabelled_delivery (delivery_id, application_id, generation_id, subject, product,"
        " duties_version, delivered_at, retained_until) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            delivery.delivery_id,
            delivery.application_id,
            delivery.generation_id,
            delivery.subject,
            delivery.product,
            delivery.duties_version,
            delivery.delivered_at,
            delivery.retained_until,
        ),
    )


async def page(connection: Connection, subject: str, after: str, size: int) -> Sequence[tuple[Delivery, bytes | None]]:
    """Deliveries with the sealed purpose, by id, which is by time.

    Args:
        connection: to read from.
        subject: whose; "" for everybody's.
        after: a delivery id; "" for the first page.
        size: how many at most.
    """
    cursor = await connection.execute(
        "SELECT d.delivery_id, d.application_id, d.generation_id, d.subject, d.product, d.duties_version,"
        " d.delivered_at, d.retained_until, a.purpose FROM unlabelled_delivery d"
        " JOIN unlabelled_application a USING (application_id)"
        " WHERE (%(subject)s = '' OR d.subject = %(subject)s)"
        " AND (%(after)s::uuid IS NULL OR d.delivery_id > %(after)s::uuid)"
        " ORDER BY d.delivery_id LIMIT %(size)s",
        {"subject": subject, "after": after or None, "size": size},
    )
    return [_delivery(row) for row in await cursor.fetchall()]


async def count_of_subject(connection: Connection, subject: str) -> int:
    """How many deliveries to a subject are on record."""
    cursor = await connection.execute(
        "SELECT count(*) AS number FROM unlabelled_delivery WHERE subject = %s", (subject,)
    )
    row = await cursor.fetchone()
    return int(row["number"]) if row else 0


async def erase(connection: Connection, subject: str, now: datetime) -> Held:
    """Erase what a subject applied for; deliveries that the law still keeps stay, without their purpose.

    Source: Generative AI Labelling Measures 9; PIPL 47
    """
    gone = await connection.execute(
        "DELETE FROM unlabelled_delivery WHERE subject = %s AND retained_until <= %s", (subject, now)
    )
    cursor = await connection.execute(
        "SELECT count(*) AS number, max(retained_until) AS until FROM unlabelled_delivery WHERE subject = %s",
        (subject,),
    )
    row = await cursor.fetchone()
    await connection.execute("UPDATE unlabelled_application SET purpose = NULL WHERE subject = %s", (subject,))
    await connection.execute(
        "DELETE FROM unlabelled_application a WHERE subject = %s"
        " AND NOT EXISTS (SELECT FROM unlabelled_delivery d WHERE d.application_id = a.application_id)",
        (subject,),
    )
    return Held(gone.rowcount, row["number"] if row else 0, row["until"] if row else None)


async def forget_expired(connection: Connection, now: datetime, most: int) -> int:
    """Delete deliveries that need not be kept any longer, and erased applications that none rests on; how many."""
    cursor = await connection.execute(
        "DELETE FROM unlabelled_delivery WHERE delivery_id IN (SELECT delivery_id FROM unlabelled_delivery"
        " WHERE retained_until <= %s ORDER BY retained_until LIMIT %s)",
        (now, most),
    )
    await connection.execute(
        "DELETE FROM unlabelled_application a WHERE purpose IS NULL"
        " AND NOT EXISTS (SELECT FROM unlabelled_delivery d WHERE d.application_id = a.application_id)"
    )
    return cursor.rowcount


def _delivery(row: dict[str, Any]) -> tuple[Delivery, bytes | None]:
    delivery = Delivery(
        str(row["delivery_id"]),
        str(row["application_id"]),
        str(row["generation_id"]),
        row["subject"],
        row["product"],
        row["duties_version"],
        row["delivered_at"],
        row["retained_until"],
    )
    return delivery, row["purpose"]
