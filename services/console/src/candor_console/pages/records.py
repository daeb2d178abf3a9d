"""What a person puts on record by a form of its own page: disposals, entries of registers, orders, transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from candor_console import specs
from candor_console.pages.recording import After, Page, acting
from candor_console.schema_forms import Rejected, Spec
from candor_console.visit import View, Visit


@dataclass(frozen=True, slots=True)
class Record:
    """A form with a page of its own; `home` is the list it belongs to, as a path and the text of its title."""

    form: Spec
    after: After
    home: tuple[str, str]

    @property
    def path(self) -> str:
        """Where it is filled in."""
        return f"/record/{self.form.name}"


_DISPOSALS, _REGISTERS = ("/disposals", "disposals.title"), ("/registers", "registers.title")
RECORDS: Sequence[Record] = (
    Record(specs.DISPOSAL, lambda _, answer: _done("disposals", answer.disposal_id), _DISPOSALS),
    Record(specs.SANCTION, lambda _, answer: _done("disposals", answer.disposal_id), _DISPOSALS),
    Record(specs.UNFOUNDED, lambda _visit, _answer: "/disposals?done=recorded", _DISPOSALS),
    Record(specs.ENTRY, lambda _, answer: _done("registers", answer.entry_id), _REGISTERS),
    Record(specs.EVENT, lambda _, answer: _done("incidents", answer.incident_id), _REGISTERS),
    Record(specs.ORDER, lambda _, answer: _done("registers", answer.entry_id), _REGISTERS),
    Record(specs.TRANSFER, lambda _, answer: _done("registers", answer.entry_id), _REGISTERS),
)


def show(record: Record) -> View:
    """The form; the address may bring what stands in its fields."""
    page = _page(record)

    async def view(visit: Visit) -> Response:
        return await page(visit)

    return view


def send(record: Record) -> View:
    """Send it, and go to what it made."""
    return acting(record.form, _page(record), record.after)


def _page(record: Record) -> Page:
    async def page(visit: Visit, *, rejected: Rejected | None = None) -> Response:
        names = {field.name for field in record.form.fields}
        values = {name: value for name, value in visit.request.query_params.items() if name in names}
        return visit.render("record.html", record=record, values=values, rejected=rejected)

    return page


def _done(kind: str, identifier: str) -> str:
    return f"/{kind}/{quote(identifier, safe='')}?done=recorded"
