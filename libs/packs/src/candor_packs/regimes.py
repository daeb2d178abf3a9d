"""Whose way of counting applies, as data: each rule with the clauses that say so.

An empty clause means that the rule does not know the thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Rule(StrEnum):
    """Whose way of counting applies."""

    NONE = "none"
    """Nothing is added: the strict due date is the legal one."""
    CN = "cn"
    """Civil Code of the PRC 200-204."""
    EU = "eu-1182-71"
    """Regulation (EEC, Euratom) 1182/71 art 3."""
    DORA = "eu-dora"
    """As 1182/71, and any limit, in hours too, on a day that is not worked moves to noon of the next working day.

    Where article 5(5) takes that away, a duty counts by 1182/71.
    """
    US = "us-business"
    """Days end with the recipient's day; working days are those of the federal government."""
    JP = "jp"
    """As the Personal Information Protection Commission counts: the day of knowing is day 1."""
    SG = "sg"
    """Days after the day of the event; nothing rolls."""
    KR = "kr"
    """Civil Act 155-161."""


class Roll(StrEnum):
    """Over which days the end of a period is moved on."""

    NOT = "not"
    HOLIDAYS = "holidays"
    NOT_WORKED = "not_worked"


@dataclass(frozen=True)
class Regime:
    """What a rule adds to the event plus the period, each with the clause that says so.

    Attributes:
        whole_days: A period in days or more ends with the end of its last day.
        hours: Hours run from the instant.
        months: A month ends on the corresponding day, or the last of a shorter month.
        first_not_counted: The day of the event is not counted.
        first_counted: The day of the event is day 1 of a period in calendar days or weeks.
        hour_not_counted: The hour of the event is not counted.
        roll: Over which days the end of a period in days or more moves.
        rolls: The clause of ``roll``.
        to_noon: A moved end is noon of the day it moves to.
        hours_roll: An end in hours moves likewise.
        two_working_days: A period of two days or more has two working days at least.
    """

    whole_days: str = ""
    hours: str = ""
    months: str = ""
    first_not_counted: str = ""
    first_counted: str = ""
    hour_not_counted: str = ""
    roll: Roll = Roll.NOT
    rolls: str = ""
    to_noon: str = ""
    hours_roll: str = ""
    two_working_days: str = ""


_EU = Regime(
    whole_days="Regulation 1182/71 art 3(2)(b)",
    hours="Regulation 1182/71 art 3(2)(a), 3(4)",
    months="Regulation 1182/71 art 3(2)(c)",
    first_not_counted="Regulation 1182/71 art 3(1)",
    hour_not_counted="Regulation 1182/71 art 3(1)",
    roll=Roll.NOT_WORKED,
    rolls="Regulation 1182/71 art 3(4)",
    two_working_days="Regulation 1182/71 art 3(5)",
)
_NOON = "Delegated Regulation (EU) 2025/301 art 5(4)"

REGIMES: Mapping[Rule, Regime] = {
    Rule.NONE: Regime(),
    Rule.CN: Regime(
        whole_days="民法典 第二百零三条",
        hours="民法典 第二百零一条",
        months="民法典 第二百零二条",
        first_not_counted="民法典 第二百零一条",
        roll=Roll.HOLIDAYS,
        rolls="民法典 第二百零三条",
    ),
    Rule.EU: _EU,
    Rule.DORA: replace(_EU, to_noon=_NOON, hours_roll=_NOON),
    Rule.US: Regime(whole_days="the day of the recipient", first_not_counted="the day of the event is not counted"),
    Rule.JP: Regime(
        whole_days="民法 第141条",
        months="民法 第143条",
        first_not_counted="民法 第140条",
        first_counted="個人情報保護法ガイドライン（通則編）3-5-3-4",
        roll=Roll.NOT_WORKED,
        rolls="個人情報保護法ガイドライン（通則編）3-5-3-4",
    ),
    Rule.SG: Regime(whole_days="PDPA s 26D(1)", first_not_counted="PDPA s 26D(1): after the day"),
    Rule.KR: Regime(
        whole_days="민법 제159조",
        hours="민법 제156조",
        months="민법 제160조",
        first_not_counted="민법 제157조",
        roll=Roll.NOT_WORKED,
        rolls="민법 제161조",
    ),
}
