"""The facts of other services that this one acts on."""

from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor_kit.consumer import FactConsumer
from candor_kit.holding import task_consumer

from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.signals import Signals
from candor_escalation.handlers.tasks import Tasks


def consumers(signals: Signals) -> tuple[FactConsumer, ...]:
    """Blocked outputs and spreading rumours."""
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
    )


def disposal_consumers(proposals: Proposals, tasks: Tasks) -> tuple[FactConsumer, ...]:
    """Decided reviews, which propose disposals, and the tasks of the rights service."""
    return (
        FactConsumer(
            name="reviews",
            topic="candor.generation.v1",
            handlers={generation_pb2.ReviewDecided: proposals.on_review_decided},
        ),
        task_consumer("escalation", tasks.carry_out),
    )
