"""Which RPC is which handler."""

from __future__ import annotations

from candor.generation.v1 import service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_generation.handlers import features
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.queries import Queries
from candor_generation.handlers.recording import Recording


def generation_api(recording: Recording, queries: Queries) -> Api:
    """The generation log."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["GenerationService"],
        commands={
            "Record": recording.record,
            "ProposeFeature": features.propose_feature,
            "AdmitFeature": features.admit_feature,
            "RetireFeature": features.retire_feature,
        },
        queries={
            "GetGeneration": queries.get_generation,
            "GetEvidence": queries.get_evidence,
            "GetInclusionProof": queries.get_inclusion_proof,
            "GetConsistencyProof": queries.get_consistency_proof,
            "ListFeatures": features.list_features,
        },
        streams={"ReadOutputs": queries.read_outputs},
    )


def holder_api(holding: Holding) -> Api:
    """What every holder of personal data offers."""
    return Api(
        holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"],
        streams={"Export": holding.export},
    )
