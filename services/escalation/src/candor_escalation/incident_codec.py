"""Protobuf to domain and back: questions, anchors and the history of clocks."""

from collections.abc import Iterable, Mapping

from candor.escalation.v1 import model_pb2

from candor_escalation import codec
from candor_escalation.answers import Answering
from candor_escalation.domain import anchor as anchors
from candor_escalation.domain import question as questions
from candor_escalation.domain.anchor import Entry
from candor_escalation.domain.history import Revision
from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.question import Question

_KINDS = {
    questions.FACT: model_pb2.QUESTION_KIND_FACT,
    questions.CONTRADICTION: model_pb2.QUESTION_KIND_CONTRADICTION,
    questions.ANCHOR: model_pb2.QUESTION_KIND_ANCHOR,
    questions.DISPUTE: model_pb2.QUESTION_KIND_DISPUTE,
    questions.TRIAGE: model_pb2.QUESTION_KIND_TRIAGE,
}
_STATES = {
    questions.OPEN: model_pb2.QUESTION_STATE_OPEN,
    questions.ANSWERED: model_pb2.QUESTION_STATE_ANSWERED,
    questions.LAPSED: model_pb2.QUESTION_STATE_LAPSED,
}
_ACTS = {
    anchors.REPORT: model_pb2.ANCHOR_ACT_REPORT,
    anchors.CORRECTION: model_pb2.ANCHOR_ACT_CORRECTION,
    anchors.DISPUTE: model_pb2.ANCHOR_ACT_DISPUTE,
}


def question_message(question: Question, answering: Answering | None = None) -> model_pb2.Question:
    """A question on the wire; ``answering`` where it goes to who answers it."""
    return model_pb2.Question(
        question_id=question.question_id,
        incident_id=question.incident_id,
        kind=_KINDS[question.kind],
        name=question.name,
        title_zh=question.title_zh,
        title_en=question.title_en,
        state=_STATES[question.state],
        asked_at=codec.timestamp(question.asked_at),
        answered_at=codec.timestamp(question.answered_at),
        answered_by=question.answered_by,
        answer=answering.kind if answering else "",
        choices=answering.choices if answering else (),
    )


def anchor_messages(entries: Iterable[Entry], standing: Mapping[str, Anchor]) -> list[model_pb2.IncidentAnchor]:
    """What was said about anchors on the wire, in the order it was recorded."""
    return [
        model_pb2.IncidentAnchor(
            anchor=model_pb2.Anchor(name=entry.name, at=codec.timestamp(entry.at), evidence=entry.evidence),
            act=_ACTS[entry.act],
            reason=entry.reason,
            recorded_at=codec.timestamp(entry.recorded_at),
            recorded_by=entry.recorded_by,
            source=entry.source,
            stands=standing[entry.name].at == entry.at,
        )
        for entry in entries
    ]


def history_of(clock_id: str, revisions: Iterable[Revision]) -> list[model_pb2.ClockRevision]:
    """The history of one clock on the wire, the first change in front."""
    return [_revision(revision) for revision in revisions if revision.clock_id == clock_id]


def _revision(revision: Revision) -> model_pb2.ClockRevision:
    anchor = revision.anchor
    return model_pb2.ClockRevision(
        revision=revision.revision,
        cause=revision.cause,
        state=codec.clock_state(revision.state),
        anchor=model_pb2.Anchor(name=anchor.name, at=codec.timestamp(anchor.at), evidence=anchor.evidence),
        strict_due=codec.timestamp(revision.strict_due),
        legal_latest=codec.timestamp(revision.legal_latest),
        provisional=revision.provisional,
        pack_version=revision.pack_version,
        changed_at=codec.timestamp(revision.changed_at),
        changed_by=revision.changed_by,
        reason=revision.reason,
    )
