"""Complaints about disposals: what waits, what the user says, and another person's decision."""

from candor.escalation.v1 import disposal_pb2 as disposal
from starlette.responses import Response

from candor_console import rpcs, specs
from candor_console.pages.recording import acting
from candor_console.schema_forms import Rejected
from candor_console.visit import Visit


async def index(visit: Visit) -> Response:
    """Complaints, those due first in front."""
    everything = visit.request.query_params.get("all") == "1"
    answer = await visit.call(rpcs.LIST_COMPLAINTS, disposal.ListComplaintsRequest(open_only=not everything))
    return visit.render(
        "complaints.html",
        complaints=answer.complaints,
        all=everything,
        may_open=visit.may(rpcs.GET_COMPLAINT),
    )


async def detail(visit: Visit) -> Response:
    """One complaint with the user's words. The service records the view (views_person)."""
    return await page(visit)


async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """The complaint, and the form to decide it while it is open."""
    found = await visit.call(rpcs.GET_COMPLAINT, disposal.GetComplaintRequest(complaint_id=_id(visit)))
    return visit.render(
        "complaint.html",
        done=visit.done,
        rejected=rejected,
        found=found,
        form=specs.COMPLAINT,
        may_decide=not found.complaint.outcome and visit.may(rpcs.DECIDE_COMPLAINT),
    )


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["complaint_id"])


decide = acting(
    specs.COMPLAINT,
    page,
    lambda visit, _: f"{visit.request.url.path.rpartition('/')[0]}?done=recorded",
    lambda visit: {"complaint_id": _id(visit)},
)
