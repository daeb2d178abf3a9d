"""The steps of a verification, and how they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import typer

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """One step: what was checked, whether it holds, and what was found."""

    name: str
    holds: bool
    detail: str


@dataclass
class Report:
    """The steps so far; after one that fails no further step is taken."""

    checks: list[Check] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], T], detail: Callable[[T], str]) -> T:
        """Take one step.

        Raises:
            StepFailedError: it does not hold; it is in the report.
        """
        try:
            result = work()
        except ValueError as error:
            self.checks.append(Check(name, False, str(error)))
            raise StepFailedError from error
        self.checks.append(Check(name, True, detail(result)))
        return result


class StepFailedError(Exception):
    """A step of the verification does not hold."""


def show(report: Report, *, as_json: bool) -> None:
    """Print the steps."""
    if as_json:
        verified = all(check.holds for check in report.checks)
        text = json.dumps({"verified": verified, "checks": [asdict(check) for check in report.checks]}, indent=2)
        typer.echo(text)
        return
    for check in report.checks:
        typer.echo(f"{'ok    ' if check.holds else 'FAILED'} {check.name}: {check.detail}")
