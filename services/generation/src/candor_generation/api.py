"""Which RPC is which handler."""

from __future__ import annotations

from candor.generation.v1 import review_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_generation.handlers import feature_files, feature_queries
from candor_generation.handlers.features import Features
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.queries import Queries
from candor_generation.handlers.recording import Recording
from candor_generation.handlers.reviews import Reviews


def generation_api(recording: Recording, queries: Queries, features: Features) -> Api:
    """The generation log."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["GenerationService"],
        commands={
            "Record": recording.record,
            "ProposeFeature": features.propose_feature,
            "ReviewFeature": features.review_feature,
            "AdmitFeature": features.admit_feature,
            "SetFeatureMode": features.set_feature_mode,
            "RetireFeature": features.retire_feature,
            "ImportFeatures": feature_files.import_features,
        },
        queries={
            "GetGeneration": queries.get_generation,
            "GetEvidence": queries.get_evidence,
            "GetInclusionProof": queries.get_inclusion_proof,
            "GetConsistencyProof": queries.get_consistency_proof,
            "ListFeatures": feature_queries.list_features,
            "GetLibrary": feature_queries.get_library,
        },
        streams={"ReadOutputs": queries.read_outputs, "ExportFeatures": feature_queries.export_features},
    )


def review_api(reviews: Reviews) -> Api:
    """The review queue."""
    return Api(
        review_pb2.DESCRIPTOR.services_by_name["ReviewService"],
        commands={
            "AssignReview": reviews.assign_review,
            "DecideReview": reviews.decide_review,
            "AppealReview": reviews.appeal_review,
        },
        queries={"ListReviews": reviews.list_reviews, "GetReview": reviews.get_review},
    )


def holder_api(holding: Holding) -> Api:
    """What every holder of personal data offers."""
    return Api(
        holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"],
        streams={"Export": holding.export},
    )
