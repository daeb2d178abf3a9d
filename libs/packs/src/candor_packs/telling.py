"""An explanation and a difference as lines to read."""

from collections.abc import Iterator

from candor_packs.comparison import Change, Difference
from candor_packs.deadline import Part
from candor_packs.duties import Absence, Duty
from candor_packs.explanation import Explanation, Question, name_of, says, shown
from candor_packs.trigger import Answer

_SIGNS = {Change.APPEARS: "+", Change.VANISHES: "-", Change.MOVES: "~", Change.DIFFERS: "*"}


def told(explanation: Explanation, *, everything: bool) -> Iterator[str]:
    """The duties, the questions, with ``everything`` what does not arise as well, and a last line that counts."""
    for duty in explanation.duties:
        yield from _duty(duty)
        yield ""
    if explanation.questions:
        yield "To be answered, the clocks run meanwhile:"
        yield from (f"  {_question(question)}" for question in explanation.questions)
        yield ""
    if everything and explanation.absences:
        yield "Does not arise:"
        yield from (f"  {_absence(absence)}" for absence in explanation.absences)
        yield ""
    certain = sum(duty.answer is Answer.TRUE for duty in explanation.duties)
    rest = len(explanation.duties) - certain
    yield f"{certain} duties arise, {rest} may arise, {len(explanation.questions)} questions"


def _duty(duty: Duty) -> Iterator[str]:
    yield f"{name_of(duty)} (version {duty.pack.version}, {duty.pack.status}): {duty.obligation.title.en}"
    yield f"  clause     {duty.obligation.citation}"
    if duty.obligation.recipient:
        yield f"  to         {duty.obligation.recipient.en}"
    if duty.answer is Answer.UNKNOWN:
        yield f"  may arise  not known: {', '.join(sorted(duty.missing))}"
    yield from _dates(duty)
    for part in duty.parts:
        yield from _part(part)


def _dates(duty: Duty) -> Iterator[str]:
    if duty.due is None:
        yield f"  waits for  {' or '.join(duty.obligation.anchors)}"
        return
    zone = duty.obligation.counting.zone
    provisional = " provisional" if duty.due.provisional else ""
    yield f"  work to    {shown(duty.due.strict, zone)} ({duty.due.strict:%Y-%m-%dT%H:%M:%SZ}){provisional}"
    if duty.due.latest is None:
        yield "  latest     the law gives no number; the date is our own objective"
    else:
        yield f"  latest     {shown(duty.due.latest, zone)} ({duty.due.latest:%Y-%m-%dT%H:%M:%SZ}){provisional}"


def _part(part: Part) -> Iterator[str]:
    lapsed = ", which lapsed: the duty's own instant came after it" if part.lapsed else ""
    role = f"cap{lapsed}" if part.cap else "period"
    counting = part.counting
    calendar = counting.calendar.name or "unknown" if counting.calendar else "Monday to Friday"
    yield f"  counted    {role} from {part.anchor}, rule {counting.rule}, calendar {calendar}, zone {counting.zone}"
    for number, step in enumerate(part.count.steps, start=1):
        source = f" [{step.source}]" if step.source else ""
        yield f"    {number}. {says(step, part, counting.zone)}{source}"


def _question(question: Question) -> str:
    words = f": {question.words.en}" if question.words else ""
    return f"{question.fact} ({question.source}){words}; asked by {', '.join(question.duties)}"


def _absence(absence: Absence) -> str:
    return f"{absence.pack.id}/{absence.obligation.id}: {absence.why}"


def told_difference(difference: Difference) -> Iterator[str]:
    """``~ eu.gdpr.33/authority moves``, then from what to what."""
    where = f" ({difference.situation})" if difference.situation else ""
    yield f"{_SIGNS[difference.change]} {difference.duty} {difference.change.value}{where}"
    yield from (f"    {detail}" for detail in difference.details)
