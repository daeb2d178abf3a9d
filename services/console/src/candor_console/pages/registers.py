"""The registers that the law wants kept: what runs out first, every version of an entry, and what a release needs."""

from collections.abc import Iterable, Mapping

from candor.escalation.v1 import register_pb2 as register
from starlette.responses import Response

from candor_console import rpcs, specs
from candor_console.pages.recording import acting
from candor_console.schema_forms import Rejected
from candor_console.visit import Visit

MOST = 1000
KINDS: Mapping[str, register.Register.ValueType] = {
    name.removeprefix("REGISTER_").lower(): number for name, number in register.Register.items() if number
}
# Screening found that a person decides; the rest is decided.
UNDECIDED = frozenset({"decision_needed", "prohibited"})
# Registers whose entries people write, or answer: the others have commands of their own.
BY_HAND = frozenset({"algorithm_filing", "security_assessment", "algorithm_review", "authority_order"})


async def index(visit: Visit) -> Response:
    """The entries of a register, what runs out first in front."""
    wish = visit.request.query_params.get("register", "")
    kind = wish if wish in KINDS else next(iter(KINDS))
    question = register.ListEntriesRequest(
        register=KINDS[kind], page_size=MOST, page_token=visit.request.query_params.get("page", "")
    )
    answer = await visit.call(rpcs.LIST_ENTRIES, question)
    return visit.render(
        "registers.html",
        kinds=KINDS,
        kind=kind,
        entries=by_end(answer.entries),
        next_page=answer.next_page_token,
        may=visit.may,
        rpcs=rpcs,
    )


def by_end(entries: Iterable[register.RegisterEntry]) -> list[register.RegisterEntry]:
    """Entries by when they cease to hold; those that hold until further notice follow as they came."""
    return sorted(
        entries,
        key=lambda entry: (not entry.HasField("valid_until"), entry.valid_until.ToNanoseconds()),
    )


async def detail(visit: Visit) -> Response:
    """One entry."""
    return await page(visit)


async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """An entry with every version of it, and what can be recorded next."""
    found = await visit.call(rpcs.GET_ENTRY, register.GetEntryRequest(entry_id=_id(visit)))
    latest = found.versions[0]
    kind = register.Register.Name(latest.register).removeprefix("REGISTER_").lower()
    return visit.render(
        "entry.html",
        done=visit.done,
        rejected=rejected,
        versions=found.versions,
        kind=kind,
        form=specs.DECIDE_TRANSFER,
        may_decide=latest.state in UNDECIDED and visit.may(rpcs.DECIDE_TRANSFER),
        may_record=kind in BY_HAND and visit.may(rpcs.RECORD_ENTRY),
    )


async def release(visit: Visit) -> Response:
    """What a model still needs before its release."""
    return await release_page(visit)


async def release_page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
    """The gates of a model and a product, and the form to release it once all are passed."""
    told = visit.fields or visit.request.query_params
    values = {name: told.get(name, "") for name in ("model", "product")}
    gates = None
    if all(values.values()):
        gates = await visit.call(rpcs.CHECK_RELEASE, register.CheckReleaseRequest(**values))
    return visit.render(
        "release.html",
        rejected=rejected,
        values=values,
        gates=gates,
        form=specs.RELEASE,
        may_release=gates is not None and gates.may_release and visit.may(rpcs.RELEASE_MODEL),
    )


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["entry_id"])


decide = acting(
    specs.DECIDE_TRANSFER,
    page,
    lambda visit, _: f"{visit.request.url.path.rpartition('/')[0]}?done=recorded",
    lambda visit: {"entry_id": _id(visit)},
)
put_out = acting(specs.RELEASE, release_page, lambda _, answer: f"/registers/{answer.entry_id}?done=recorded")
