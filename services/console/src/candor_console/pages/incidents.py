"""One incident: what is known, its clocks, who was paged, what was drafted and sent, and the acts that change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from candor.escalation.v1 import model_pb2 as model
from candor.escalation.v1 import report_pb2 as report
from candor.escalation.v1 import service_pb2 as escalation
from starlette.responses import RedirectResponse, Response

from candor_console import incident_forms, rpcs
from candor_console.questions import asked_of, news_told
from candor_console.rendering import when
from candor_console.visit import Visit

CHANNELS = ("portal", "phone", "email", "fax", "letter", "api")
DONE = frozenset(
    {
        "acknowledged",
        "acknowledged_before",
        "completed",
        "drafted",
        "approved",
        "submitted",
        "receipted",
        "decided",
        "proposed",
        "answered",
        "recorded",
    }
)
# Where a form may lead back to instead of its incident.
BACK = frozenset({"/on-call"})
# An acknowledgement older than this is not of this click: whoever was first keeps it.
JUST_NOW = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Duty:
    """A clock with what belongs to it: the drafts of the latest revision, and what was sent."""

    clock: model.Clock
    revision: int
    drafts: Sequence[model.Draft]
    submissions: Sequence[model.Submission]
    acknowledged: bool
    proposal: report.Proposal | None


@dataclass(frozen=True, slots=True)
class Refused:
    """What the page says in front when an act was refused."""

    text: str
    reason: str
    fields: Sequence[object]


async def detail(visit: Visit) -> Response:
    """The incident as it stands."""
    done = visit.request.query_params.get("done", "")
    return await page(visit, done=done if done in DONE else "")


async def page(visit: Visit, *, done: str = "", refused: Refused | None = None, status: int = 200) -> Response:
    """The incident, with what was done or refused in front."""
    question = escalation.GetIncidentRequest(incident_id=visit.request.path_params["incident_id"])
    found = await visit.call(rpcs.GET_INCIDENT, question)
    return visit.render(
        "incident.html",
        status=status,
        found=found,
        duties=duties_of(found),
        asked=asked_of(found),
        news=news_told(visit.request.query_params, found),
        here=f"/incidents/{found.incident.incident_id}",
        may_answer=visit.may(rpcs.RECORD_FACTS),
        channels=CHANNELS,
        done=done,
        refused=refused,
        live=True,
        may_acknowledge=visit.may(rpcs.ACKNOWLEDGE_PAGE),
        may_draft=visit.may(rpcs.DRAFT_REPORT),
        may_approve=visit.may(rpcs.APPROVE_REPORT),
        may_submit=visit.may(rpcs.RECORD_SUBMISSION),
        may_receipt=visit.may(rpcs.RECORD_RECEIPT),
        may_decide=visit.may(rpcs.DECIDE_NOT_TO_REPORT),
    )


def duties_of(found: escalation.GetIncidentResponse) -> list[Duty]:
    """The clocks, the one that falls due first in front, each with its latest drafts and its submissions."""
    clocks = sorted(
        found.clocks, key=lambda clock: (clock.state != model.CLOCK_STATE_RUNNING, clock.strict_due.seconds)
    )
    return [_duty(clock, found) for clock in clocks]


def _duty(clock: model.Clock, found: escalation.GetIncidentResponse) -> Duty:
    drafts = [draft for draft in found.drafts if draft.clock_id == clock.clock_id]
    revision = max((draft.revision for draft in drafts), default=0)
    latest = sorted((draft for draft in drafts if draft.revision == revision), key=lambda draft: draft.locale)
    submissions = [submission for submission in found.submissions if submission.clock_id == clock.clock_id]
    pages = [page for page in found.pages if page.clock_id == clock.clock_id]
    proposal = next((one for one in found.proposals if one.clock_id == clock.clock_id), None)
    return Duty(clock, revision, latest, submissions, any(page.HasField("acknowledged_at") for page in pages), proposal)


async def acknowledge(visit: Visit) -> Response:
    """Acknowledge a page; the page says when somebody else was first."""
    answer = await visit.call(rpcs.ACKNOWLEDGE_PAGE, incident_forms.acknowledge(visit.fields))
    at = when(answer.acknowledged_at) if answer.HasField("acknowledged_at") else visit.now
    return _back(visit, "acknowledged_before" if visit.now - at > JUST_NOW else "acknowledged")


async def facts(visit: Visit) -> Response:
    """Record what was missing, and draft the report anew from it."""
    await visit.call(rpcs.RECORD_FACTS, incident_forms.facts(visit.fields, visit.request.path_params["incident_id"]))
    await visit.call(rpcs.DRAFT_REPORT, incident_forms.draft_anew(visit.fields))
    return _back(visit, "completed")


async def draft(visit: Visit) -> Response:
    """Draft the report from what is known now."""
    await visit.call(rpcs.DRAFT_REPORT, incident_forms.draft(visit.fields))
    return _back(visit, "drafted")


async def approval(visit: Visit) -> Response:
    """Approve the latest revision, as somebody who did not write it."""
    await visit.call(rpcs.APPROVE_REPORT, incident_forms.approval(visit.fields))
    return _back(visit, "approved")


async def submission(visit: Visit) -> Response:
    """Record that a draft was sent."""
    await visit.call(rpcs.RECORD_SUBMISSION, incident_forms.submission(visit.fields))
    return _back(visit, "submitted")


async def receipt(visit: Visit) -> Response:
    """Record the authority's receipt, which stops the clock."""
    await visit.call(rpcs.RECORD_RECEIPT, incident_forms.receipt(visit.fields))
    return _back(visit, "receipted")


async def decision(visit: Visit) -> Response:
    """Propose not to report, or approve what the colleague who is named proposed: only then the clock stops."""
    answer = await visit.call(rpcs.DECIDE_NOT_TO_REPORT, incident_forms.decision(visit.fields))
    return _back(visit, "proposed" if answer.state == model.CLOCK_STATE_RUNNING else "decided")


def _back(visit: Visit, done: str) -> Response:
    """To where the form stood, by GET, so that loading the page again sends nothing again."""
    if visit.fields.get("back", "") in BACK:
        return RedirectResponse(f"{visit.fields['back']}?done={done}", status_code=303)
    incident_id = quote(visit.request.path_params["incident_id"], safe="")
    return RedirectResponse(f"/incidents/{incident_id}?done={done}", status_code=303)
