"""Holds, and what a person is told of besides records, as messages."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from candor.generation.v1 import facts_pb2, hold_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.errors import EDGE

from candor_generation.codec import time_of, timestamp
from candor_generation.domain.generation import Payload
from candor_generation.domain.hold import Hold, State
from candor_generation.domain.unlabelled import Application, Delivery

_STATES = {
    State.ACTIVE: hold_pb2.HOLD_STATE_ACTIVE,
    State.ENDED: hold_pb2.HOLD_STATE_ENDED,
    State.EXECUTED: hold_pb2.HOLD_STATE_EXECUTED,
}


def hold_of(command: hold_pb2.PlaceHoldRequest, placed_by: str, now: datetime) -> Hold:
    """The hold that is asked for."""
    return Hold(
        (command.hold_id or command.command_id).lower(),
        bool(command.subject),
        command.incident_id,
        command.reason,
        command.citation,
        placed_by,
        now,
        time_of(command.until),
    )


def hold_message(hold: Hold, now: datetime) -> hold_pb2.Hold:
    """A hold; whom it covers is not told."""
    message = hold_pb2.Hold(
        hold_id=hold.hold_id,
        state=_STATES[hold.state(now)],
        of_subject=hold.of_subject,
        generations=hold.generations,
        incident_id=hold.incident_id,
        reason=hold.reason,
        citation=hold.citation,
        placed_by=hold.placed_by,
        placed_at=timestamp(hold.placed_at),
        until=timestamp(hold.until),
        restricted=hold.restricted,
    )
    if hold.released_at is not None:
        message.released_at.FromDatetime(hold.released_at)
    return message


def placed(hold: Hold, now: datetime) -> facts_pb2.HoldPlaced:
    """The fact that a hold is placed, widened or prolonged."""
    return facts_pb2.HoldPlaced(
        hold_id=hold.hold_id,
        of_subject=hold.of_subject,
        generations=hold.generations,
        incident_id=hold.incident_id,
        citation=hold.citation,
        placed_at=timestamp(now),
        until=timestamp(hold.until),
    )


def ended(hold: Hold, records: int, now: datetime) -> facts_pb2.HoldEnded:
    """The fact that a hold has ended and what it alone kept is erased."""
    message = facts_pb2.HoldEnded(hold_id=hold.hold_id, executed_at=timestamp(now), records=records)
    if hold.released_at is not None:
        message.released_at.FromDatetime(hold.released_at)
    return message


def held_message(generation_id: str, commitment_key: bytes, payload: Payload) -> hold_pb2.ReadHeldResponse:
    """What a hold keeps, opened."""
    opening = service_pb2.Opening(
        commitment_key=commitment_key, subject=payload.subject, prompt=payload.prompt, output=payload.output
    )
    return hold_pb2.ReadHeldResponse(generation_id=generation_id, opening=opening)


def token(hold: Hold) -> str:
    """Where a page ended."""
    return base64.urlsafe_b64encode(f"{hold.placed_at.isoformat()} {hold.hold_id}".encode()).decode()


def after(page_token: str) -> tuple[datetime, str] | None:
    """Where a page begins.

    Raises:
        Refusal: INVALID_FIELD, the token is not one of ours.
    """
    if not page_token:
        return None
    try:
        at, _, identifier = base64.urlsafe_b64decode(page_token).decode().partition(" ")
        return datetime.fromisoformat(at).astimezone(), str(UUID(identifier))
    except (binascii.Error, ValueError) as error:
        raise EDGE.refusal("INVALID_FIELD", "page_token must be one that an answer gave", field="page_token") from error


def application_item(application: Application, purpose: str | None) -> holder_pb2.ExportResponse:
    """An application for content without an explicit label, for the person who made it."""
    item = {
        "application_id": application.application_id,
        "product": application.product,
        "applied_at": application.applied_at.isoformat(),
        "duties_version": application.duties_version,
        "granted_at": application.granted_at.isoformat() if application.granted_at else None,
        "purpose": purpose,
    }
    return _item("unlabelled_application", application.application_id, application.applied_at, item)


def delivery_item(delivery: Delivery) -> holder_pb2.ExportResponse:
    """A delivery of content without an explicit label, for the person who received it."""
    item = {
        "delivery_id": delivery.delivery_id,
        "application_id": delivery.application_id,
        "generation_id": delivery.generation_id,
        "product": delivery.product,
        "duties_version": delivery.duties_version,
        "delivered_at": delivery.delivered_at.isoformat(),
        "retained_until": delivery.retained_until.isoformat(),
    }
    return _item("unlabelled_delivery", delivery.delivery_id, delivery.delivered_at, item)


def statement_item(generation_id: str, appealed_at: datetime, statement: str) -> holder_pb2.ExportResponse:
    """What a person said in an appeal, for that person."""
    return _item(
        "appeal_statement", generation_id, appealed_at, {"generation_id": generation_id, "statement": statement}
    )


def _item(kind: str, item_id: str, at: datetime, item: dict[str, Any]) -> holder_pb2.ExportResponse:
    return holder_pb2.ExportResponse(
        kind=kind, item_id=item_id, occurred_at=timestamp(at), json=json.dumps(item, ensure_ascii=False).encode()
    )
