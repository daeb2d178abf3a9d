"""Calls to the escalation service, as the people around an incident make them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from candor.escalation.v1 import model_pb2, report_pb2, report_pb2_grpc, service_pb2, service_pb2_grpc
from candor_cli.session import command_id
from deployment import Deployment
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

T = TypeVar("T")
Told = str | float | bool


def stamp(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message


def instant(message: Timestamp) -> datetime:
    return message.ToDatetime(UTC)


def values(facts: dict[str, Told]) -> dict[str, Value]:
    return {
        name: Value(bool_value=value)
        if isinstance(value, bool)
        else Value(string_value=value)
        if isinstance(value, str)
        else Value(number_value=value)
        for name, value in facts.items()
    }


# What is known of blocked content to which only Deep Synthesis 10 applies.
ONE_LAW: dict[str, Told] = {"product": "chat", "unlawful": False, "harmful_to_minors": False}


class Desk:
    """On-call, privacy officer and backend in one hand."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def stub(self, *roles: str, name: str = "someone") -> Any:
        channel = self.deployment.channel("escalation", *roles, name=name)
        return service_pb2_grpc.EscalationServiceStub(channel)

    def reports(self, *roles: str, name: str = "someone") -> Any:
        return report_pb2_grpc.ReportServiceStub(self.deployment.channel("escalation", *roles, name=name))

    async def report(
        self, kind: str, facts: dict[str, Told] | None = None, key: str = "", **anchors: datetime
    ) -> service_pb2.ReportSignalResponse:
        request = service_pb2.ReportSignalRequest(
            command_id=command_id(),
            kind=kind,
            title=f"A {kind}",
            correlation_key=key,
            facts=values(facts or {}),
            anchors=[
                service_pb2.ReportedAnchor(name=name, at=stamp(at), evidence="a call") for name, at in anchors.items()
            ],
            source="on-call",
        )
        answer: service_pb2.ReportSignalResponse = await self.stub("on_call").ReportSignal(request)
        return answer

    async def tell(
        self, incident_id: str, facts: dict[str, Told], source: str = "on-call", reason: str = "", **anchors: datetime
    ) -> service_pb2.RecordFactsResponse:
        request = service_pb2.RecordFactsRequest(
            command_id=command_id(),
            incident_id=incident_id,
            facts=values(facts),
            anchors=[service_pb2.ReportedAnchor(name=name, at=stamp(at)) for name, at in anchors.items()],
            source=source,
            reason=reason,
        )
        answer: service_pb2.RecordFactsResponse = await self.stub("on_call").RecordFacts(request)
        return answer

    async def correct(self, incident_id: str, name: str, at: datetime, reason: str = "The log says so.") -> list[str]:
        request = service_pb2.CorrectAnchorRequest(
            command_id=command_id(), incident_id=incident_id, name=name, at=stamp(at), reason=reason
        )
        return list((await self.stub("on_call", name="li").CorrectAnchor(request)).clock_ids)

    async def dispute(self, incident_id: str, name: str, at: datetime | None = None) -> list[str]:
        request = service_pb2.DisputeAnchorRequest(
            command_id=command_id(), incident_id=incident_id, name=name, reason="The hotline says otherwise."
        )
        if at is not None:
            request.at.CopyFrom(stamp(at))
        return list((await self.stub("privacy_officer", name="wang").DisputeAnchor(request)).clock_ids)

    async def close(self, incident_id: str) -> None:
        request = service_pb2.CloseIncidentRequest(
            command_id=command_id(), incident_id=incident_id, reason="Nothing was found in it."
        )
        await self.stub("on_call").CloseIncident(request)

    async def open_questions(self, incident_id: str) -> dict[str, model_pb2.QuestionKind.ValueType]:
        request = service_pb2.ListQuestionsRequest(incident_id=incident_id, open_only=True)
        answer = await self.stub("auditor").ListQuestions(request)
        return {question.name: question.kind for question in answer.questions}

    async def incident(self, incident_id: str) -> service_pb2.GetIncidentResponse:
        request = service_pb2.GetIncidentRequest(incident_id=incident_id)
        answer: service_pb2.GetIncidentResponse = await self.stub("auditor").GetIncident(request)
        return answer

    async def clock(self, incident_id: str, pack_id: str, obligation_id: str) -> model_pb2.Clock:
        clocks = (await self.incident(incident_id)).clocks
        return next(clock for clock in clocks if (clock.pack_id, clock.obligation_id) == (pack_id, obligation_id))

    async def draft(self, clock_id: str) -> dict[str, model_pb2.Draft]:
        request = service_pb2.DraftReportRequest(command_id=command_id(), clock_id=clock_id)
        answer = await self.stub("on_call").DraftReport(request)
        return {draft.locale: draft for draft in answer.drafts}

    async def submit(
        self,
        clock_id: str,
        revision: int,
        locale: str = "zh",
        unapproved_reason: str = "Nobody else could be reached.",
        file_format: model_pb2.FileFormat.ValueType = model_pb2.FILE_FORMAT_UNSPECIFIED,
    ) -> str:
        request = service_pb2.RecordSubmissionRequest(
            command_id=command_id(),
            clock_id=clock_id,
            revision=revision,
            locale=locale,
            channel="portal",
            submitted_at=stamp(datetime.now(UTC)),
            format=file_format,
            unapproved_reason=unapproved_reason,
        )
        return str((await self.stub("on_call", name="officer").RecordSubmission(request)).submission_id)

    async def receipt(self, submission_id: str) -> model_pb2.ClockState.ValueType:
        request = service_pb2.RecordReceiptRequest(
            command_id=command_id(),
            submission_id=submission_id,
            reference="12387-2026-0001",
            received_at=stamp(datetime.now(UTC)),
            proof_sha256=bytes(32),
        )
        return (await self.stub("on_call").RecordReceipt(request)).state  # type: ignore[no-any-return]

    async def not_report(self, clock_id: str, by: str, approved_by: str) -> model_pb2.ClockState.ValueType:
        """One person proposes it and asks another, who approves in their own name."""
        request = service_pb2.DecideNotToReportRequest(
            command_id=command_id(), clock_id=clock_id, reason="No personal information was concerned.",
            approved_by=approved_by,
        )  # fmt: skip
        await self.stub("privacy_officer", name=by).DecideNotToReport(request)
        shown = await self.reports("auditor").GetReport(report_pb2.GetReportRequest(clock_id=clock_id))
        approval = report_pb2.ApproveNotToReportRequest(command_id=command_id(), proposal_id=shown.proposal.proposal_id)
        approving = self.reports("privacy_officer", name=approved_by)
        return (await approving.ApproveNotToReport(approval)).state  # type: ignore[no-any-return]


async def until(ask: Callable[[], Awaitable[T]], fits: Callable[[T], bool], seconds: float = 20) -> T:
    """Ask again until the answer fits."""
    async with asyncio.timeout(seconds):
        while not fits(answer := await ask()):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.1)
    return answer
