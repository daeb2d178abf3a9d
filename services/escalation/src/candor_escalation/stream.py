"""The facts of other services that this one acts on."""

from candor.generation.v1 import facts_pb2 as generation_pb2
from candor.refutation.v1 import facts_pb2 as refutation_pb2
from candor.rights.v1 import facts_pb2 as rights_pb2
from candor_kit.consumer import FactConsumer
from candor_kit.holding import task_consumer

from candor_escalation.handlers.listening import Listening
from candor_escalation.handlers.proposals import Proposals
from candor_escalation.handlers.registers import Registers
from candor_escalation.handlers.tasks import Tasks


def consumers(listening: Listening) -> tuple[FactConsumer, ...]:
    """Blocked outputs and what people decide of them, floods, rumours, requests over time."""
    return (
        FactConsumer(
            name="flagged",
            topic="candor.generation.v1",
            handlers={
                generation_pb2.GenerationFlagged: listening.on_generation_flagged,
                generation_pb2.ReviewDecided: listening.on_review_decided,
                generation_pb2.FeatureModeChanged: listening.on_feature_mode_changed,
            },
        ),
        FactConsumer(
            name="spreads",
            topic="candor.refutation.v1",
            handlers={
                refutation_pb2.SpreadDetected: listening.on_spread_detected,
                refutation_pb2.RefutationPublished: listening.on_refutation_published,
                refutation_pb2.VerdictRecorded: listening.on_verdict_recorded,
            },
        ),
        FactConsumer(
            name="requests",
            topic="candor.rights.v1",
            handlers={
                rights_pb2.RequestOpened: listening.on_request_opened,
                rights_pb2.RequestClosed: listening.on_request_closed,
                rights_pb2.RequestRefused: listening.on_request_refused,
            },
        ),
    )


def register_consumer(registers: Registers) -> FactConsumer:
    """Deleted models."""
    return FactConsumer(
        name="orders",
        topic="candor.rights.v1",
        handlers={rights_pb2.ModelDeletionAnswered: registers.on_model_deletion_answered},
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
