"""Disposals: what was ordered, whether backends carried it out, what is proposed, and the report of a period."""

from collections.abc import AsyncIterator
from datetime import timedelta

from candor.escalation.v1 import disposal_pb2 as disposal
from starlette.responses import Response, StreamingResponse

from candor_console import rpcs, specs
from candor_console.incident_forms import WrongField, time
from candor_console.pages.recording import acting
from candor_console.problems import Problem
from candor_console.schema_forms import Rejected
from candor_console.visit import Visit

PAGE_SIZE = 100
YEAR = timedelta(days=365)
FILES = {
    "csv": (disposal.DISPOSAL_REPORT_FORMAT_CSV, "text/csv; charset=utf-8"),
    "html": (disposal.DISPOSAL_REPORT_FORMAT_HTML, "text/html; charset=utf-8"),
}
KINDS = {"dsa": disposal.DISPOSAL_REPORT_KIND_DSA, "cn_annual": disposal.DISPOSAL_REPORT_KIND_CN_ANNUAL}


async def index(visit: Visit) -> Response:
    """Disposals, the latest in front; `?attention=1`: those that wait for a person."""
    attention = visit.request.query_params.get("attention") == "1"
    question = disposal.ListDisposalsRequest(
        needs_attention=attention, page_size=PAGE_SIZE, page_token=visit.request.query_params.get("page", "")
    )
    answer = await visit.call(rpcs.LIST_DISPOSALS, question)
    return visit.render(
        "disposals.html",
        done=visit.done,
        disposals=answer.disposals,
        next_page=answer.next_page_token,
        attention=attention,
        may=visit.may,
        rpcs=rpcs,
    )


async def detail(visit: Visit) -> Response:
    """One disposal."""
    return await page(visit)


async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """One disposal with its asks, complaints, disputes and public receipt."""
    found = await visit.call(rpcs.GET_DISPOSAL, disposal.GetDisposalRequest(disposal_id=_id(visit)))
    return visit.render(
        "disposal.html",
        done=visit.done,
        rejected=rejected,
        found=found,
        form=specs.OUT_OF_COURT,
        may_statement=visit.may(rpcs.GET_STATEMENT_OF_REASONS),
        may_complaint=visit.may(rpcs.GET_COMPLAINT),
        may_dispute=visit.may(rpcs.RECORD_OUT_OF_COURT),
    )


async def statement(visit: Visit) -> Response:
    """What the user is told. The service records the view."""
    question = disposal.GetStatementOfReasonsRequest(statement_id=visit.request.path_params["statement_id"])
    found = await visit.call(rpcs.GET_STATEMENT_OF_REASONS, question)
    return visit.render("statement.html", found=found)


async def proposals(visit: Visit) -> Response:
    """What upheld reviews suggest."""
    return await proposals_page(visit)


async def proposals_page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """Proposals, the oldest in front."""
    answer = await visit.call(rpcs.LIST_DISPOSAL_PROPOSALS, disposal.ListDisposalProposalsRequest())
    return visit.render(
        "proposals.html",
        done=visit.done,
        rejected=rejected,
        proposals=answer.proposals,
        may=visit.may,
        rpcs=rpcs,
    )


async def report(visit: Visit) -> Response:
    """The form of a report, by default of the last twelve months; with `?format=`, the report as a file."""
    chosen = visit.request.query_params
    if chosen.get("format", "") in FILES:
        return await _file(visit)
    begin = visit.now - YEAR
    return visit.render("disposal_report.html", begin=f"{begin:%Y-%m-%dT00:00}", end=f"{visit.now:%Y-%m-%dT00:00}")


async def _file(visit: Visit) -> Response:
    chosen = visit.request.query_params
    try:
        begin, end = time(chosen, "from"), time(chosen, "to")
    except WrongField as error:
        return visit.problem(Problem(400, "problem.form", said=visit.text("form.field", field=error.field)))
    number, media = FILES[chosen["format"]]
    kind = chosen.get("kind", "")
    question = disposal.ExportDisposalReportRequest(
        to=end, kind=KINDS.get(kind, disposal.DISPOSAL_REPORT_KIND_UNSPECIFIED), format=number, **{"from": begin}
    )
    pieces = visit.console.calls.stream(rpcs.EXPORT_DISPOSAL_REPORT, question, visit.bearer)
    first = await anext(pieces, None)  # what is refused is said on a page; after it only the file can come
    name = f"disposals-{kind}-{begin.ToDatetime():%Y%m%d}-{end.ToDatetime():%Y%m%d}.{chosen['format']}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_contents(first, pieces), media_type=media, headers=headers)


async def _contents(
    first: disposal.ExportDisposalReportResponse | None, pieces: AsyncIterator[disposal.ExportDisposalReportResponse]
) -> AsyncIterator[bytes]:
    if first is not None:
        yield first.content
    async for piece in pieces:
        yield piece.content


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["disposal_id"])


dispute = acting(
    specs.OUT_OF_COURT,
    page,
    lambda visit, _: f"{visit.request.url.path.rpartition('/')[0]}?done=recorded",
    lambda visit: {"disposal_id": _id(visit)},
)
dismiss = acting(
    specs.DISMISS,
    proposals_page,
    lambda _visit, _answer: "/proposals?done=dismissed",
    lambda visit: {"proposal_id": visit.request.path_params["proposal_id"]},
)
