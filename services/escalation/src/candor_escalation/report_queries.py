"""Questions about reports."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from candor.escalation.v1 import report_pb2
from candor_kit.query import Query

from candor_escalation import codec, forms, report_codec
from candor_escalation.directory import Directory
from candor_escalation.domain.clock import Clock
from candor_escalation.domain.difference import Change, compare
from candor_escalation.domain.guide import guide, guide_of_drill
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Draft, File, draft_of
from candor_escalation.domain.timeliness import timeliness
from candor_escalation.policy import Policy
from candor_escalation.store import clocks, decisions, milestones, reports, submissions

_PIECE = 64 * 1024


class ReportQueries:
    """Reads only."""

    def __init__(self, policy: Policy, directory: Directory) -> None:
        self._policy = policy
        self._directory = directory

    async def get_report(self, query: Query, request: report_pb2.GetReportRequest) -> report_pb2.GetReportResponse:
        """Everything on record about the report of a clock."""
        clock = await _clock(query, request.clock_id)
        drafts = await reports.drafts_of_clock(query.connection, clock.clock_id)
        sent = await submissions.submissions_of_clock(query.connection, clock.clock_id)
        proposal = await decisions.latest_proposal(query.connection, clock.clock_id)
        decision = await decisions.decision(query.connection, clock.clock_id)
        reached = await milestones.of_clocks(query.connection, [clock.clock_id])
        approvals = await reports.approvals_of_clock(query.connection, clock.clock_id)
        return report_pb2.GetReportResponse(
            clock=codec.clock_message(clock, reached),
            drafts=[codec.draft_message(draft, approvals) for draft in drafts],
            approvals=[report_codec.approval_message(approval) for approval in approvals],
            submissions=[codec.submission_message(submission) for submission in sent],
            timeliness=report_codec.timeliness_message(clock, timeliness(clock, sent, query.now)),
            proposal=report_codec.proposal_message(proposal, decision) if proposal else None,
            changes=[report_codec.change_message(change) for change in _latest_changes(drafts)],
        )

    async def compare_drafts(
        self, query: Query, request: report_pb2.CompareDraftsRequest
    ) -> report_pb2.CompareDraftsResponse:
        """What differs between two revisions, field by field."""
        drafts = await reports.drafts_of_clock(query.connection, request.clock_id)
        before = draft_of(drafts, request.from_revision, request.locale)
        after = draft_of(drafts, request.to_revision, request.locale)
        changes = [report_codec.change_message(change) for change in compare(before, after)]
        return report_pb2.CompareDraftsResponse(changes=changes)

    async def get_report_file(
        self, query: Query, request: report_pb2.GetReportFileRequest
    ) -> AsyncIterator[report_pb2.GetReportFileResponse]:
        """A revision as a file, or what was sent: first what it is, then its content in pieces."""
        file = await self._file(query, request)
        yield report_pb2.GetReportFileResponse(
            media_type=file.media_type, file_name=file.name, sha256=file.sha256, size=len(file.content)
        )
        for start in range(0, len(file.content), _PIECE):
            yield report_pb2.GetReportFileResponse(content=file.content[start : start + _PIECE])

    async def list_channels(
        self, query: Query, request: report_pb2.ListChannelsRequest
    ) -> report_pb2.ListChannelsResponse:
        """The ways by which the report of a clock can be sent, step by step."""
        clock = await _clock(query, request.clock_id)
        form = self._policy.form(clock)
        addresses = self._directory.addresses(clock.pack_id, clock.obligation_id)
        automatic = self._directory.automatic(clock.pack_id, clock.obligation_id)
        found = guide_of_drill(addresses) if clock.drill else guide(addresses, automatic)
        return report_pb2.ListChannelsResponse(
            recipient=report_pb2.Words(zh=form.recipient("zh"), en=form.recipient("en")) if form else None,
            channels=[report_codec.channel_message(channel) for channel in found],
        )

    async def _file(self, query: Query, request: report_pb2.GetReportFileRequest) -> File:
        if request.submission_id:
            sent = await submissions.sent_file(query.connection, request.submission_id)
            if sent is None:
                raise Refused("SUBMISSION_UNKNOWN", "there is no file of such a submission", field="submission_id")
            return sent
        drafts = await reports.drafts_of_clock(query.connection, request.clock_id)
        revision = request.revision or max((draft.revision for draft in drafts), default=0)
        draft = draft_of(drafts, revision, request.locale)
        return await asyncio.to_thread(forms.render, draft, report_codec.file_format(request.format, forms.PDF))


async def _clock(query: Query, clock_id: str) -> Clock:
    incident_id = await clocks.incident_of(query.connection, clock_id)
    found = await clocks.of_incident(query.connection, incident_id) if incident_id else []
    clock = next((clock for clock in found if clock.clock_id == clock_id), None)
    if clock is None:
        raise Refused("CLOCK_UNKNOWN", "there is no such clock", field="clock_id")
    return clock


def _latest_changes(drafts: Iterable[Draft]) -> list[Change]:
    """What the latest revision changed, in each language; nothing while there is one revision only."""
    by_locale: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_locale.setdefault(draft.locale, []).append(draft)
    pairs = [written[-2:] for written in by_locale.values() if len(written) > 1]
    return [change for before, after in pairs for change in compare(before, after)]
