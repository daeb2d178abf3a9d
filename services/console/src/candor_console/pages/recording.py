"""Acts by a form that is read from its schema: sent, or shown again with what is wrong at its fields."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from candor_kit.errors import Refusal
from starlette.responses import RedirectResponse, Response

from candor_console.incident_forms import WrongField
from candor_console.problems import as_problem
from candor_console.schema_forms import Rejected, Spec
from candor_console.visit import View, Visit


class Page(Protocol):
    """The page that a form stands on."""

    def __call__(self, visit: Visit, *, rejected: Rejected | None = None) -> Awaitable[Response]:
        """The page, with the form that was rejected."""
        ...


After = Callable[[Visit, Any], str]
"""Where to go once it is done, by what the service answered."""


def acting(
    form: Spec, page: Page, after: After, fixed: Callable[[Visit], Mapping[str, str]] = lambda _visit: {}
) -> View:
    """A view that sends a form; `fixed` gives the fields that the address knows."""

    async def act(visit: Visit) -> Response:
        try:
            answer = await visit.call(form.rpc, form.command(visit.fields, fixed(visit)))
        except WrongField as error:
            return await page(visit, rejected=_wrong(visit, form, error.field))
        except Refusal as error:
            return await page(visit, rejected=_refused(visit, form, error))
        return RedirectResponse(after(visit, answer), status_code=303)

    return act


def _wrong(visit: Visit, form: Spec, name: str) -> Rejected:
    text = visit.text("form.field", field=label(visit, form, name))
    return Rejected(form.name, visit.fields, {name: text}, text, "", 400)


def _refused(visit: Visit, form: Spec, error: Refusal) -> Rejected:
    problem = as_problem(error)
    errors = {violation.field.partition("[")[0]: violation.description for violation in problem.fields}
    return Rejected(
        form.name,
        visit.fields,
        errors,
        problem.what_to_do(visit.text),
        problem.reason,
        problem.status,
        problem.fields,
    )


def label(visit: Visit, form: Spec, name: str) -> str:
    """What a field of a form is called."""
    key = name.rpartition(".")[2]
    return visit.text(f"field.{form.name}.{key}", default=visit.text(f"field.{key}", default=key))
