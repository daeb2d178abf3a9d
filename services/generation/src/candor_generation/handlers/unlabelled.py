"""Content without an explicit label: apply, accept the duties, deliver, list (Generative AI Labelling Measures 9)."""

from __future__ import annotations

from dataclasses import dataclass

from candor.generation.v1.label_pb2 import (
    AcceptDutiesRequest,
    AcceptDutiesResponse,
    ApplyUnlabelledRequest,
    ApplyUnlabelledResponse,
    DeliverUnlabelledRequest,
    DeliverUnlabelledResponse,
    ListUnlabelledDeliveriesRequest,
    ListUnlabelledDeliveriesResponse,
)
from candor_kit.keys import SubjectKeys, open_sealed, seal
from candor_kit.query import Query
from candor_kit.transaction import Tx

from candor_generation import label_codec
from candor_generation.codec import timestamp
from candor_generation.domain import unlabelled
from candor_generation.domain.refusal import Refused
from candor_generation.domain.unlabelled import Application, Delivery
from candor_generation.store import unlabelled as store

_PURPOSE = b"candor.generation.unlabelled:"
_PAGE = 100


@dataclass(frozen=True)
class Unlabelled:
    """The workflow of Labelling Measures 9.

    Attributes:
        keys: the subjects' keys.
        duties_version: the version of the duties and liabilities that a user has to accept.
        retention_months: how long the log of recipients is kept, six at least.
    """

    keys: SubjectKeys
    duties_version: str
    retention_months: int

    async def apply_unlabelled(self, tx: Tx, command: ApplyUnlabelledRequest) -> ApplyUnlabelledResponse:
        """A user applies and says what for; nothing is granted yet."""
        key = await self.keys.key(tx.connection, command.subject)
        # Ids are read back in lower case, and the purpose is sealed to its id.
        identifier = command.command_id.lower()
        purpose = seal(key, command.purpose.encode(), _PURPOSE + identifier.encode())
        application = Application(identifier, command.subject, command.product, tx.now)
        await store.insert_application(tx.connection, application, purpose)
        return ApplyUnlabelledResponse(application_id=application.application_id, duties_version=self.duties_version)

    async def accept_duties(self, tx: Tx, command: AcceptDutiesRequest) -> AcceptDutiesResponse:
        """The user accepts the labelling duties; from now on content may be delivered.

        Raises:
            Refused: APPLICATION_UNKNOWN, APPLICATION_STATE, DUTIES_OUTDATED.
        """
        application = await _locked(tx, command.application_id)
        accepted = unlabelled.accept(application, command.subject, command.duties_version, self.duties_version, tx.now)
        await store.grant(tx.connection, accepted)
        await tx.publish(label_codec.granted(accepted), key=accepted.application_id)
        return AcceptDutiesResponse(granted_at=timestamp(tx.now))

    async def deliver_unlabelled(self, tx: Tx, command: DeliverUnlabelledRequest) -> DeliverUnlabelledResponse:
        """Put on record that content goes to the user without an explicit label.

        Raises:
            Refused: APPLICATION_UNKNOWN, APPLICATION_STATE, DUTIES_OUTDATED.
        """
        application = await _locked(tx, command.application_id)
        delivery = unlabelled.deliver(
            application,
            command.command_id,
            command.generation_id,
            command.subject,
            self.duties_version,
            self.retention_months,
            tx.now,
        )
        await store.insert_delivery(tx.connection, delivery)
        await tx.publish(label_codec.delivered(delivery), key=delivery.application_id)
        return DeliverUnlabelledResponse(
            delivery_id=delivery.delivery_id, retained_until=timestamp(delivery.retained_until)
        )

    async def list_unlabelled_deliveries(
        self, query: Query, request: ListUnlabelledDeliveriesRequest
    ) -> ListUnlabelledDeliveriesResponse:
        """The log of recipients, oldest first."""
        size = request.page_size or _PAGE
        after = label_codec.after(request.page_token)
        found = await store.page(query.connection, request.subject, after, size)
        keys = await self.keys.find_many(query.connection, {delivery.subject for delivery, _ in found})
        return ListUnlabelledDeliveriesResponse(
            deliveries=[
                label_codec.delivery_message(delivery, _purpose(delivery, sealed, keys)) for delivery, sealed in found
            ],
            next_page_token=found[-1][0].delivery_id if len(found) == size else "",
        )


def open_purpose(key: bytes | None, application_id: str, sealed: bytes | None) -> str | None:
    """What a user applied for, opened by the subject's key; None once it is erased."""
    if sealed is None or key is None:
        return None
    return open_sealed(key, sealed, _PURPOSE + application_id.encode()).decode()


def _purpose(delivery: Delivery, sealed: bytes | None, keys: dict[str, bytes]) -> str | None:
    return open_purpose(keys.get(delivery.subject), delivery.application_id, sealed)


async def _locked(tx: Tx, application_id: str) -> Application:
    application = await store.lock_application(tx.connection, application_id)
    if application is None:
        raise Refused("APPLICATION_UNKNOWN", "the user has no such application", field="application_id")
    return application
