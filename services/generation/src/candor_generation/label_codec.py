"""The label service's messages to domain and back."""

from __future__ import annotations

from uuid import UUID

from candor.generation.v1 import facts_pb2, label_pb2
from candor_kit.errors import EDGE, Violation

from candor_generation.codec import label_message, timestamp
from candor_generation.domain.label import Found, Grounds
from candor_generation.domain.unlabelled import Application, Delivery
from candor_generation.labelling import Passed
from candor_generation.marks import Place

_GROUNDS = {
    label_pb2.GROUNDS_METADATA: Grounds.METADATA,
    label_pb2.GROUNDS_DECLARED: Grounds.DECLARED,
    label_pb2.GROUNDS_TRACES: Grounds.TRACES,
}
_PLACES = {
    label_pb2.PLACE_UNSPECIFIED: Place.END,
    label_pb2.PLACE_START: Place.START,
    label_pb2.PLACE_END: Place.END,
}


def passed_of(propagation: label_pb2.Propagation) -> Passed:
    """How content of others is passed on."""
    return Passed(_GROUNDS[propagation.grounds], propagation.propagate_id)


def place_of(options: label_pb2.ExplicitOptions) -> Place:
    """Where an explicit label goes; at the end unless something else is asked for."""
    return _PLACES[options.place]


def found_message(text: str, found: Found) -> label_pb2.FoundLabel:
    """A label as it stands in a file."""
    message = label_pb2.FoundLabel(text=text, problems=found.problems)
    if found.label is not None:
        message.label.CopyFrom(label_message(found.label))
    return message


def granted(application: Application) -> facts_pb2.UnlabelledGranted:
    """The fact that a user may receive content without an explicit label."""
    fact = facts_pb2.UnlabelledGranted(
        application_id=application.application_id,
        subject=application.subject,
        product=application.product,
        duties_version=application.duties_version,
    )
    if application.granted_at is not None:
        fact.granted_at.CopyFrom(timestamp(application.granted_at))
    return fact


def delivered(delivery: Delivery) -> facts_pb2.UnlabelledDelivered:
    """The fact that content went to a user without an explicit label."""
    return facts_pb2.UnlabelledDelivered(
        delivery_id=delivery.delivery_id,
        application_id=delivery.application_id,
        generation_id=delivery.generation_id,
        subject=delivery.subject,
        delivered_at=timestamp(delivery.delivered_at),
        retained_until=timestamp(delivery.retained_until),
    )


def delivery_message(delivery: Delivery, purpose: str | None) -> label_pb2.UnlabelledDelivery:
    """A delivery as the recipients' log tells of it."""
    return label_pb2.UnlabelledDelivery(
        delivery_id=delivery.delivery_id,
        application_id=delivery.application_id,
        generation_id=delivery.generation_id,
        subject=delivery.subject,
        product=delivery.product,
        purpose=purpose,
        duties_version=delivery.duties_version,
        delivered_at=timestamp(delivery.delivered_at),
        retained_until=timestamp(delivery.retained_until),
    )


def after(page_token: str) -> str:
    """The delivery id that a page follows; "" for the first page.

    Raises:
        Refusal: INVALID_FIELD, it is no token of ours.
    """
    try:
        return str(UUID(page_token)) if page_token else ""
    except ValueError as error:
        violation = Violation("page_token", "is no token of ours")
        raise EDGE.refusal("INVALID_FIELD", "page_token is no token of ours", violations=[violation]) from error
