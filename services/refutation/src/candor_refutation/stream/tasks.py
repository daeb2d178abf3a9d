"""The asks of rights."""

from candor.rights.v1.facts_pb2 import TaskAsked
from candor_kit.consumer import FactConsumer

from candor_refutation.handlers import Handlers


def tasks_consumer(handlers: Handlers) -> FactConsumer:
    """Return the consumer that answers the asks of rights."""
    return FactConsumer(name="rights-tasks", topic="candor.rights.v1", handlers={TaskAsked: handlers.answer_task})
