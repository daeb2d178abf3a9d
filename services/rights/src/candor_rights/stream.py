"""The facts of other services that this one acts on."""

from candor.escalation.v1 import facts_pb2 as escalation_pb2
from candor_kit.consumer import FactConsumer

from candor_rights.handlers.orders import OrderHandlers


def consumers(orders: OrderHandlers) -> tuple[FactConsumer, ...]:
    """Authorities' orders to delete a model."""
    return (
        FactConsumer(
            name="orders",
            topic="candor.escalation.v1",
            handlers={escalation_pb2.ModelDeletionOrdered: orders.on_model_deletion_ordered},
        ),
    )
