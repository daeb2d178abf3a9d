"""Facts of other services that the generation log acts on."""

from __future__ import annotations

from candor.rights.v1.facts_pb2 import TaskAsked
from candor_kit.consumer import FactConsumer

from candor_generation.handlers.holding import Holding


def rights_asks(holding: Holding) -> FactConsumer:
    """What the rights service asks of its holders."""
    return FactConsumer("rights-asks", "candor.rights.v1", {TaskAsked: holding.on_task_asked})
