"""Which RPC is which handler."""

from __future__ import annotations

from candor.generation.v1 import hold_pb2, label_pb2, review_pb2, screening_pb2, service_pb2
from candor.rights.v1 import holder_pb2
from candor_kit.api import Api

from candor_generation.handlers import feature_files, feature_queries
from candor_generation.handlers.acts import Acts
from candor_generation.handlers.erasures import Erasures
from candor_generation.handlers.features import Features
from candor_generation.handlers.holding import Holding
from candor_generation.handlers.holds import Holds
from candor_generation.handlers.labelling import Labelling
from candor_generation.handlers.queries import Queries
from candor_generation.handlers.recording import Recording
from candor_generation.handlers.reviews import Reviews
from candor_generation.handlers.screening import Screening
from candor_generation.handlers.streaming import record_stream
from candor_generation.handlers.unlabelled import Unlabelled


def generation_api(recording: Recording, queries: Queries, acts: Acts, features: Features) -> Api:
    """The generation log."""
    return Api(
        service_pb2.DESCRIPTOR.services_by_name["GenerationService"],
        commands={
            "ProposeFeature": features.propose_feature,
            "ReviewFeature": features.review_feature,
            "AdmitFeature": features.admit_feature,
            "SetFeatureMode": features.set_feature_mode,
            "RetireFeature": features.retire_feature,
            "ImportFeatures": feature_files.import_features,
        },
        batches={"Record": recording.record},
        exchanges={"RecordStream": record_stream},
        queries={
            "GetGeneration": queries.get_generation,
            "SearchGenerations": queries.search_generations,
            "ListLogs": queries.list_logs,
            "GetProofFile": queries.get_proof_file,
            "GetActEvidence": acts.evidence,
            "GetEvidence": queries.get_evidence,
            "GetInclusionProof": queries.get_inclusion_proof,
            "GetConsistencyProof": queries.get_consistency_proof,
            "ListFeatures": feature_queries.list_features,
            "GetLibrary": feature_queries.get_library,
        },
        streams={"ReadOutputs": queries.read_outputs, "ExportFeatures": feature_queries.export_features},
    )


def screening_api(screening: Screening) -> Api:
    """Screening before an answer is shown."""
    return Api(
        screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"],
        queries={"Screen": screening.screen, "ScreenImage": screening.screen_image},
        exchanges={"ScreenStream": screening.screen_stream},
    )


def label_api(labelling: Labelling, unlabelled: Unlabelled) -> Api:
    """Labels in files."""
    return Api(
        label_pb2.DESCRIPTOR.services_by_name["LabelService"],
        exchanges={"Label": labelling.label, "ReadLabel": labelling.read_label},
        commands={
            "ApplyUnlabelled": unlabelled.apply_unlabelled,
            "AcceptDuties": unlabelled.accept_duties,
            "DeliverUnlabelled": unlabelled.deliver_unlabelled,
        },
        queries={"ListUnlabelledDeliveries": unlabelled.list_unlabelled_deliveries},
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


def hold_api(holds: Holds, erasures: Erasures) -> Api:
    """Legal holds, and erasing what none keeps."""
    return Api(
        hold_pb2.DESCRIPTOR.services_by_name["HoldService"],
        commands={
            "EraseGeneration": erasures.erase_generation,
            "PlaceHold": holds.place_hold,
            "ReleaseHold": holds.release_hold,
        },
        queries={"ListHolds": holds.list_holds},
        streams={"ReadHeld": holds.read_held},
    )


def holder_api(holding: Holding) -> Api:
    """What every holder of personal data offers."""
    return Api(
        holder_pb2.DESCRIPTOR.services_by_name["DataHolderService"],
        streams={"Export": holding.export},
    )
