"""The shape of a pack file and of a calendar file: what may stand in it, before it means anything."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from candor_packs.counting import Rule, Unit
from candor_packs.document import Document


def _text_only(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be written as a date, such as 2026-01-31")  # noqa: TRY004 - pydantic takes only ValueError
    return value


def _with_zone(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone, such as +08:00")
    return value


Day = Annotated[date, BeforeValidator(_text_only)]
Instant = Annotated[datetime, BeforeValidator(_text_only)]
Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
AnchorName = Annotated[StrictStr, Field(pattern=r"^(receipt:)?[a-z][a-z0-9_]{0,63}$")]
Line = Annotated[StrictStr, Field(min_length=1, max_length=1000)]
Template = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Right = Literal["access", "deletion", "consent_withdrawal", "training_refusal"]


Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(_Strict):
    """A text in Chinese and English."""

    zh: Line
    en: Line


class InForce(_Strict):
    """From the first to the last day in force, both in the pack's zone; ``to: null`` until further notice."""

    since: Day = Field(alias="from")
    until: Day | None = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("ends before it begins")
        return self


class Evidence(_Strict):
    """How sure the reading is: P primary text read, Q quoted from it, S secondary source, U from memory."""

    mark: Literal["P", "Q", "S", "U"]
    checked: Day
    note: Line | None = None


class CalendarByFact(_Strict):
    """The calendar that follows from a fact: ``{by: member_state, of: {DE: de, FR: fr}}``."""

    by: Name
    of: dict[Annotated[StrictStr, Field(min_length=1, max_length=64)], Name] = Field(min_length=1)


def _clock(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('must be written as a time of day, such as "17:30"')  # noqa: TRY004 - pydantic takes only ValueError
    return value


TimeOfDay = Annotated[time, BeforeValidator(_clock)]


class CountingEntry(_Strict):
    """The rule, the zone, and the calendar: its name under calendars/, or by which fact it is chosen.

    ``day_ends``: the time at which the recipient's day ends, where that is before midnight.
    """

    rule: Rule
    zone: Line
    calendar: Name | CalendarByFact | None = None
    day_ends: TimeOfDay | None = None


class CountingOverride(_Strict):
    """What one duty counts otherwise than its pack; a field that does not stand here is the pack's."""

    rule: Rule | None = None
    zone: Line | None = None
    calendar: Name | CalendarByFact | None = None
    day_ends: TimeOfDay | None = None


class FactEntry(_Strict):
    """A fact the pack asks for. ``profile``: of the company; ``incident``: of what happened."""

    type: Literal["bool", "number", "text", "texts"]
    zh: Line
    en: Line
    source: Literal["incident", "profile"] = Field(alias="from", default="incident")


class Step(_Strict):
    """From this number on ("以上" includes it), this grade."""

    at_least: StrictInt = Field(ge=0)
    value: Name
    zh: Line


class Grading(_Strict):
    """A grade that follows from a number, unless a person recorded the grade."""

    fact: Name
    into: Name
    below: Name
    steps: list[Step] = Field(min_length=1)

    @field_validator("steps")
    @classmethod
    def _rising(cls, steps: list[Step]) -> list[Step]:
        bounds = [step.at_least for step in steps]
        if bounds != sorted(set(bounds)):
            raise ValueError("the steps must rise")
        return steps


class PeriodEntry(_Strict):
    """n hours, calendar_days, working_days, weeks or months."""

    n: StrictInt = Field(ge=1, le=10_000)
    unit: Unit


class Objective(PeriodEntry):
    """Our own number where the law says "at once". It never counts as the law's."""

    source: Literal["internal"]


class Cap(PeriodEntry):
    """No later than n after another anchor.

    ``lapses``: it no longer binds once the duty's own anchor comes after it (DORA: classified after the 24th hour).
    """

    anchor: AnchorName
    anchor_also: list[AnchorName] = []
    lapses: StrictBool

    @model_validator(mode="after")
    def _certain(self) -> Self:
        if self.lapses and self.unit is Unit.WORKING_DAYS:
            raise ValueError("a cap that lapses is not in working days: whether it did would hang on the calendar")
        return self


class ObligationEntry(_Strict):
    """One duty: to whom, from when, within what.

    An anchor is the name of an instant, or ``receipt:<obligation>``: when that report of the same pack was received.
    ``repeats``: after each receipt it falls due again, the same period after that receipt, until ``until`` is known.
    """

    id: Name
    title: Both
    citation: Line
    recipient: Both | None = None
    anchor: AnchorName
    anchor_also: list[AnchorName] = []
    when: Line | None = None
    due: PeriodEntry | None
    objective: Objective | None = None
    cap: Cap | None = None
    counting: CountingOverride | None = None
    repeats: StrictBool = False
    until: AnchorName | None = None
    rights: list[Right] = []
    template: Template | None = None
    note: Line | None = None

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.due is None) == (self.objective is None):
            raise ValueError("needs either due or, where the law gives no number (due: null), an objective")
        if self.until is not None and not self.repeats:
            raise ValueError("until belongs to a duty that repeats")
        return self


class Expectation(_Strict):
    """What a vector must come to for one obligation."""

    obligation: Name
    answer: Literal["true", "unknown"]
    missing: list[Name] = []
    strict: Instant | None = None
    latest: Instant | None = None
    provisional: StrictBool = False

    _zoned = field_validator("strict", "latest")(lambda value: value if value is None else _with_zone(value))


Fact = StrictBool | StrictInt | StrictFloat | StrictStr | list[StrictStr]
"""What a fact may be written as."""


class Vector(_Strict):
    """Facts and anchors, and the duties that must arise. Obligations not named must not arise."""

    name: Line
    facts: dict[Name, Fact] = {}
    profile: dict[Name, Fact] = {}
    anchors: dict[AnchorName, Instant] = {}
    expect: list[Expectation]

    @field_validator("anchors")
    @classmethod
    def _zoned(cls, anchors: dict[str, datetime]) -> dict[str, datetime]:
        return {name: _with_zone(at) for name, at in anchors.items()}


QualifiedName = Annotated[StrictStr, Field(pattern=r"^(receipt:[a-z][a-z0-9.-]*/)?[a-z][a-z0-9_]{0,63}$")]


class Case(_Strict):
    """What is known of an incident: for `candor policy explain` and `diff`. Receipts are named with their pack."""

    facts: dict[Name, Fact] = {}
    profile: dict[Name, Fact] = {}
    anchors: dict[QualifiedName, Instant] = {}

    @field_validator("anchors")
    @classmethod
    def _zoned(cls, anchors: dict[str, datetime]) -> dict[str, datetime]:
        return {name: _with_zone(at) for name, at in anchors.items()}


class PackEntry(_Strict):
    """One law, as this library reads it."""

    id: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$", max_length=64)]
    version: Annotated[StrictStr, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    kind: Literal["incident", "request"]
    jurisdiction: Annotated[StrictStr, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")]
    title: Both
    citation: Line
    source: Line
    in_force: InForce
    status: Literal["draft", "reviewed"]
    reviewed_by: Line | None = None
    evidence: Evidence
    counting: CountingEntry
    regime: Literal["PIPL", "GDPR", "CCPA"] | None = None
    facts: dict[Name, FactEntry] = {}
    grading: Grading | None = None
    applies_when: Line | None = None
    trigger: Line | None = None
    obligations: list[ObligationEntry] = Field(min_length=1)
    vectors: list[Vector] = Field(min_length=1)


class HolidayEntry(_Strict):
    """A holiday with its days off, from the first to the last."""

    name: Both
    since: Day = Field(alias="from")
    until: Day = Field(alias="to")


class CalendarEntry(_Strict):
    """One published year of one country's calendar."""

    calendar: Name
    valid_from: Day
    valid_through: Day
    source: Line
    evidence: Evidence
    holidays: list[HolidayEntry]
    make_up: list[Day]


def check(document: Document, model: type[Model]) -> Model:
    """The document as a model.

    Raises:
        PackError: The first thing that is wrong with it.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A field that is unknown is most likely the misspelt one that is missing as well: it is the one to show.
        first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
        raise document.error(_path(first["loc"]), _reason(first)) from error


def _path(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    # pydantic adds the branch of a union ("constrained-str") and "[key]" to a place; no file has such fields.
    return tuple(step for step in loc if isinstance(step, int) or step.replace("_", "").isalnum())


def _reason(error: Any) -> str:  # noqa: ANN401 - pydantic-core's ErrorDetails
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        return "no such field" if key.isidentifier() else f"no such field: {key} (a text with , : or # is quoted)"
    if error["type"] == "missing":
        return "is missing"
    return str(error["msg"]).removeprefix("Value error, ")
