"""Acts that are refused: the page the form stood on comes again, with the reason in front and what is so by now."""

from candor_kit.errors import Refusal
from starlette.responses import Response

from candor_console import incident_forms
from candor_console.pages import incidents, oncall
from candor_console.pages.incidents import Refused
from candor_console.problems import as_problem
from candor_console.visit import View, Visit


def guarded(view: View) -> View:
    """An act that says what to do when it is refused.

    The fresh forms carry a new command id: the refused one belongs to the body that was refused.
    """

    async def attempt(visit: Visit) -> Response:
        try:
            return await view(visit)
        except incident_forms.WrongField as error:
            name = visit.text(f"field.{error.field}", default=error.field)
            return await _again(visit, Refused(visit.text("form.field", field=name), "", ()), 400)
        except Refusal as error:
            problem = as_problem(error)
            refused = Refused(problem.what_to_do(visit.text), problem.reason, problem.fields)
            return await _again(visit, refused, problem.status)

    return attempt


async def _again(visit: Visit, refused: Refused, status: int) -> Response:
    if visit.fields.get("back", "") == oncall.PATH:
        return await oncall.page(visit, refused=refused, status=status)
    return await incidents.page(visit, refused=refused, status=status)
