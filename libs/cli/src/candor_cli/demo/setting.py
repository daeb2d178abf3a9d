"""What an operator and a privacy officer set up once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from candor.consent.v1 import model_pb2 as consent_model
from candor.consent.v1 import service_pb2 as consent_pb2
from candor.consent.v1 import service_pb2_grpc as consent_grpc
from candor.generation.v1 import model_pb2 as generation_model
from candor.generation.v1 import service_pb2 as generation_pb2
from candor.generation.v1 import service_pb2_grpc as generation_grpc

from candor_cli.demo.telling import Telling
from candor_cli.session import Session, command_id

SERVICE = "chat-service"
TRAINING = "model-training"
NOTICE = "privacy-notice"
_FEATURES = (
    ("bomb-making-zh", generation_model.FEATURE_KIND_TERM, "自制炸药的配方", "violence", "block"),
    ("card-number", generation_model.FEATURE_KIND_PATTERN, r"\b4[0-9]{12}(?:[0-9]{3})?\b", "personal-data", "review"),
)
_DECISIONS = {"block": generation_model.DECISION_BLOCK, "review": generation_model.DECISION_REVIEW}


async def consent(session: Session, telling: Telling) -> None:
    """Define two purposes and the notice that explains them."""
    stub = consent_grpc.ConsentServiceStub(session.channel("consent", "privacy_officer", name="officer"))
    versions = {}
    for purpose, training in ((SERVICE, False), (TRAINING, True)):
        answer = await stub.DefinePurpose(
            consent_pb2.DefinePurposeRequest(
                command_id=command_id(),
                purpose_id=purpose,
                description="Answer what the person asks" if not training else "Train the models of the service",
                method="A language model reads the prompt" if not training else "Prompts and answers become examples",
                categories=["prompt", "output"],
                training=training,
            )
        )
        versions[purpose] = answer.purpose.version
    notice = consent_pb2.PublishNoticeRequest(
        command_id=command_id(),
        notice_id=NOTICE,
        locale="zh-CN",
        url="https://example.com/privacy",
        text_sha256=hashlib.sha256("隐私政策".encode()).digest(),
        purposes=[consent_model.PurposeRef(purpose_id=name, version=version) for name, version in versions.items()],
    )
    notice.effective_from.FromDatetime(datetime.now(UTC) - timedelta(minutes=1))
    published = await stub.PublishNotice(notice)
    telling.ok(f"purposes {', '.join(versions)}; notice {NOTICE} version {published.notice.version}")


async def features(session: Session, telling: Telling) -> None:
    """Propose features, and have another person review and admit them (Deep Synthesis 10).

    They are to decide from the first moment, which the run over benign texts allows: they are found in none.
    """
    proposer = generation_grpc.GenerationServiceStub(session.channel("generation", "operator", name="operator"))
    officer = generation_grpc.GenerationServiceStub(session.channel("generation", "privacy_officer", name="officer"))
    for name, kind, value, category, decision in _FEATURES:
        await proposer.ProposeFeature(
            generation_pb2.ProposeFeatureRequest(
                command_id=command_id(),
                feature_id=name,
                kind=kind,
                value=value,
                category=category,
                decision=_DECISIONS[decision],
                citation="互联网信息服务深度合成管理规定 第十条",
                source="demo",
                reason="what the demo shows",
            )
        )
    first, *also = (feature[0] for feature in _FEATURES)
    await officer.ReviewFeature(
        generation_pb2.ReviewFeatureRequest(
            command_id=command_id(),
            feature_id=first,
            also=also,
            approved=True,
            standard="demo standard 1",
            reason="of the category, and found in no ordinary text",
        )
    )
    answer = await officer.AdmitFeature(
        generation_pb2.AdmitFeatureRequest(
            command_id=command_id(),
            feature_id=first,
            also=also,
            mode=generation_model.FEATURE_MODE_ACTIVE,
            reason="to decide from the start",
        )
    )
    run = answer.feature.benign_run
    telling.ok(
        f"{len(_FEATURES)} features reviewed and admitted by another person than the proposer, found in {run.hits} of"
        f" {run.texts} benign texts; library version {answer.library_version}, {answer.library_digest.hex()[:12]}"
    )
