"""The facts of other services that this one acts on."""

from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor_kit.consumer import FactConsumer
from candor_kit.holding import task_consumer

from candor_escalation.handlers import tasks
from candor_escalation.handlers.registers import Registers
from candor_escalation.handlers.signals import Signals


def consumers(signals: Signals, registers: Registers) -> tuple[FactConsumer, ...]:
    """Blocked outputs, spreading rumours, deleted models, and the tasks of the rights service."""
    return (
        FactConsumer(
            name="flagged",
            topic="candor.generation.v1",
            handlers={generation_pb2.GenerationFlagged: signals.on_generation_flagged},
        ),
        FactConsumer(
            name="spreads",
            topic="candor.refutation.v1",
            handlers={refutation_pb2.SpreadDetected: signals.on_spread_detected},
        ),
        FactConsumer(
            name="orders",
            topic="candor.rights.v1",
            handlers={rights_pb2.ModelDeletionAnswered: registers.on_model_deletion_answered},
        ),
        task_consumer("escalation", tasks.carry_out),
    )
