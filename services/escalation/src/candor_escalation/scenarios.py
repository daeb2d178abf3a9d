"""Scenarios of drills: YAML files, those in the package and those of one's own. JSON is YAML, too."""

import math
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from candor_packs import document
from candor_packs.schema import Name, check
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictInt, StrictStr

from candor_escalation.domain.drill import Instant, Scenario
from candor_escalation.domain.incident import Json

_FOLDER = "drills"
_LONGEST_AGO = 525_600
"""Minutes: a year."""


def _numbers(value: JsonValue) -> Json:
    """A fact as the service knows it: every number is one with a point."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError("must be a number that can be written down")
        return float(value)
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return {name: _numbers(item) for name, item in value.items()}


class _Instant(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    minutes_ago: Annotated[StrictInt, Field(ge=0, le=_LONGEST_AGO)] = 0
    evidence: Annotated[StrictStr, Field(max_length=900)] = ""


class _Scenario(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    kind: Name
    title: Annotated[StrictStr, Field(min_length=1, max_length=300)]
    facts: Annotated[dict[Name, Annotated[JsonValue, AfterValidator(_numbers)]], Field(max_length=100)] = {}
    anchors: Annotated[list[_Instant], Field(min_length=1, max_length=20)]


def read(file: Path) -> Scenario:
    """The scenario of a file.

    Raises:
        PackError: The file, line and field that is wrong.
    """
    told = check(document.read(file), _Scenario)
    return Scenario(
        name=told.name,
        kind=told.kind,
        title=told.title,
        facts={name: _numbers(value) for name, value in told.facts.items()},
        instants=tuple(Instant(one.name, timedelta(minutes=one.minutes_ago), one.evidence) for one in told.anchors),
    )


def shipped() -> dict[str, Scenario]:
    """The scenarios that come with the service, by name."""
    folder = Path(str(files("candor_escalation") / _FOLDER))
    found = [read(file) for file in sorted(folder.glob("*.yaml"))]
    return {scenario.name: scenario for scenario in found}
