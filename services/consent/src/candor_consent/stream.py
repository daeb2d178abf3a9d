"""The facts of other services that the registry acts on."""

from __future__ import annotations

from candor.rights.v1 import facts_pb2
from candor_kit.consumer import FactConsumer

from candor_consent.tasks import Tasks


def rights_asks(tasks: Tasks) -> FactConsumer:
    """Return the consumer of what the rights service asks of its holders."""
    return FactConsumer(name="rights-asks", topic="candor.rights.v1", handlers={facts_pb2.TaskAsked: tasks.on_asked})
