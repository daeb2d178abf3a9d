from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import copytree

import pytest
from candor_escalation import oncall
from candor_escalation.domain.clock import Clock, assess
from candor_escalation.domain.incident import Anchor, Incident, Json
from candor_escalation.domain.milestone import schedule
from candor_escalation.policy import Policy
from candor_escalation.policy import load as load_checked
from candor_packs.pack import PackError, load
from hypothesis import given, settings
from hypothesis import strategies as st

from .builders import HOUR, INCIDENT, MINUTE, NOON, clock

PACKS = Path(__file__).resolve().parents[3] / "packs"
POLICY = Policy(load(PACKS), {"jurisdictions": ("CN",), "operator_class": "other"})
LEAK = Incident(INCIDENT, "pi_leak", "A leak", "", "open", NOON, signals=1)


def test_the_duties_of_what_is_known_carry_their_clause_and_both_dates() -> None:
    facts: dict[str, Json] = {"persons": 2_000_000.0, "harm_avoided": True}
    duties = POLICY.duties(LEAK, facts, {"aware": Anchor("aware", NOON, "a call")})
    found = {f"{duty.pack_id}/{duty.obligation_id}": duty for duty in duties}

    assert {"cn.pipl.57/authority", "cn.incident-reporting/other", "cn.incident-reporting/summary"} <= set(found)
    assert not any(name.startswith("eu.") for name in found)
    report = found["cn.incident-reporting/other"]
    assert (report.strict_due, report.legal_number, report.missing) == (NOON + 4 * HOUR, True, ())
    assert report.citation == "国家网络安全事件报告管理办法 第四条第四款"
    assert found["cn.incident-reporting/summary"].anchor is None


def test_a_fact_that_no_trigger_can_read_is_unknown_and_starts_the_clock() -> None:
    facts: dict[str, Json] = {"persons": {"about": 5.0}}
    duties = POLICY.duties(LEAK, facts, {"aware": Anchor("aware", NOON, "")})

    assert ("grade",) in {duty.missing for duty in duties}


def test_a_fact_cannot_change_what_kind_of_incident_it_is() -> None:
    assert POLICY.duties(replace(LEAK, kind="party"), {"kind": "pi_leak"}, {"aware": Anchor("aware", NOON, "")}) == []


def test_a_form_speaks_the_language_of_the_law() -> None:
    form = POLICY.form(clock(pack_id="cn.incident-reporting", obligation_id="other"))

    assert form is not None
    assert form.recipient("zh") == "属地省级网信部门"
    assert form.facts({"persons": 10_000_000.0}, {}, "zh")["grade"] == "重大"
    assert form.facts({"persons": 10_000_000.0}, {}, "en")["grade"] == "major"
    assert form.labels("en")["persons"].startswith("Number of persons")


def test_a_clock_of_a_pack_that_is_gone_has_no_form() -> None:
    assert POLICY.form(clock(pack_id="xx.gone")) is None


def test_the_chain_is_read_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(
        "contacts:\n"
        "  - {name: anna, webhook: 'https://channel/1', ack_timeout_seconds: 300}\n"
        "  - {name: bo, webhook: 'https://channel/2', ack_timeout_seconds: 600}\n"
    )

    assert [contact.name for contact in oncall.load(file).roster.contacts] == ["anna", "bo"]


@pytest.mark.parametrize("text", ["contacts: []", "contacts: [{name: a}]", "[]", "contacts: [{name: a, phone: 1}]", ""])
def test_a_chain_that_would_page_nobody_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(text)

    with pytest.raises(PackError):
        oncall.load(file)


FOUR = {"persons": (10.0, 2_000_000.0)}
AWARE = {"aware": Anchor("aware", NOON, "")}


def test_where_sources_disagree_the_duty_arises_under_the_shortest_assumption_and_says_so() -> None:
    facts: dict[str, Json] = {"persons": 10.0, "harm_avoided": True}
    duties = {f"{duty.pack_id}/{duty.obligation_id}": duty for duty in POLICY.duties(LEAK, facts, AWARE, FOUR)}

    assert duties["cn.incident-reporting/other"].disputed == ("persons",)
    assert duties["cn.incident-reporting/other"].strict_due == NOON + 4 * HOUR
    assert duties["cn.pipl.57/authority"].disputed == ()  # it arises whichever source is right
    undisputed = {f"{duty.pack_id}/{duty.obligation_id}" for duty in POLICY.duties(LEAK, facts, AWARE)}
    assert "cn.incident-reporting/other" not in undisputed
    assert "cn.pipl.57/authority" in undisputed


def test_with_too_many_assumptions_what_is_disputed_counts_as_unknown() -> None:
    many: dict[str, tuple[Json, ...]] = {f"fact_{number}": (1.0, 2.0) for number in range(7)}
    duties = POLICY.duties(LEAK, {"persons": 10.0}, AWARE, {**FOUR, **many})
    report = next(duty for duty in duties if duty.obligation_id == "other")

    assert (report.missing, report.disputed) == (("grade",), ())
    assert report.strict_due == NOON + 4 * HOUR


def test_only_recorded_facts_make_a_clock_fall() -> None:
    facts: dict[str, Json] = {"persons": 10.0, "harm_avoided": True}
    running = [
        clock(pack_id="cn.pipl.57", obligation_id="individuals"),
        clock(pack_id="cn.pipl.57", obligation_id="authority"),
        clock(pack_id="cn.gone", obligation_id="report"),
        clock(pack_id="eu.gdpr.33", obligation_id="authority"),  # the profile says that it never applied
    ]
    clocks = [replace(one, clock_id=str(number)) for number, one in enumerate(running)]
    duties = POLICY.duties(LEAK, facts, AWARE)

    assert POLICY.fallen(LEAK, facts, AWARE, duties, clocks) == frozenset({"0"})


def test_a_correction_to_before_the_law_was_in_force_makes_its_clock_fall() -> None:
    before = {"aware": Anchor("aware", NOON.replace(year=2020), "")}
    running = clock(pack_id="cn.pipl.57", obligation_id="authority")
    duties = POLICY.duties(LEAK, {}, before)

    assert POLICY.fallen(LEAK, {}, before, duties, [running]) == frozenset({running.clock_id})


def test_an_incident_s_facts_say_what_the_profile_leaves_open() -> None:
    open_profile = Policy(POLICY.packs, {})

    assert "jurisdictions" in {name for duty in open_profile.duties(LEAK, {}, AWARE) for name in duty.missing}
    here = open_profile.duties(LEAK, {"jurisdictions": ["EU"]}, AWARE)
    assert {duty.pack_id.partition(".")[0] for duty in here} == {"eu"}
    told_otherwise = POLICY.duties(LEAK, {"jurisdictions": ["EU"]}, AWARE)
    assert {duty.pack_id.partition(".")[0] for duty in told_otherwise} == {"cn"}


def test_what_was_found_for_a_kind_is_found_anew_when_packs_change() -> None:
    policy = Policy((), POLICY.profile)
    before = policy.duties(LEAK, {}, AWARE)
    policy.replace(POLICY.packs)

    assert before == []
    assert policy.duties(LEAK, {}, AWARE) == POLICY.duties(LEAK, {}, AWARE) != []


def test_a_fact_is_asked_about_by_its_name_in_the_packs() -> None:
    assert POLICY.label("persons")[1].startswith("Number of persons")
    assert POLICY.label("nobody_asks_this") == ("nobody_asks_this", "nobody_asks_this")


def test_packs_whose_own_vectors_are_wrong_are_not_loaded(tmp_path: Path) -> None:
    copytree(PACKS, tmp_path / "packs")
    assert [pack.id for pack in load_checked(tmp_path / "packs")] == [pack.id for pack in POLICY.packs]
    file = tmp_path / "packs" / "cn" / "pipl-57.yaml"
    file.write_text(file.read_text("utf-8").replace("objective: {n: 4,", "objective: {n: 5,"), "utf-8")

    with pytest.raises(PackError, match=r"cn\.pipl\.57.*vector"):
        load_checked(tmp_path / "packs")


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "persons": st.sampled_from([1.0, 2e6]),
        "harm_avoided": st.booleans(),
        "risk_unlikely": st.booleans(),
        "personal_information": st.booleans(),
    },
)


@settings(deadline=None, max_examples=60)
@given(
    VALUES,
    st.sampled_from(["pi_leak", "security", "illegal_content"]),
    st.integers(-4 * 365 * 24 * 60, 2 * 365 * 24 * 60),
)
def test_a_deadline_never_precedes_its_anchor(facts: dict[str, Json], kind: str, minutes: int) -> None:
    anchors = {"aware": Anchor("aware", NOON + minutes * MINUTE, "")}
    for duty in POLICY.duties(replace(LEAK, kind=kind), facts, anchors):
        if duty.anchor is not None and duty.strict_due is not None:
            assert duty.anchor.at <= duty.strict_due
            assert duty.legal_latest is None or duty.strict_due <= duty.legal_latest


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, max_size=5))
def test_replaying_the_facts_gives_the_same_clocks(history: list[dict[str, Json]]) -> None:
    """Whatever came in between, what is recorded decides: one look at it all gives the same running duties."""

    def replayed() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        clocks: dict[str, Clock] = {}
        facts: dict[str, Json] = {}
        numbers = (f"clock-{number}" for number in count(1))
        for told in [{}, *history]:
            facts = {**facts, **told}
            duties = POLICY.duties(LEAK, facts, AWARE)
            fallen = POLICY.fallen(LEAK, facts, AWARE, duties, clocks.values())
            change = assess(duties, clocks.values(), numbers, INCIDENT, NOON, fallen)
            changed = (*change.started, *change.clarified, *change.fallen, *change.restarted)
            clocks |= {one.clock_id: one for one in (*changed, *(moved.after for moved in change.moved))}
        at_once = assess(POLICY.duties(LEAK, facts, AWARE), [], numbers, INCIDENT, NOON)
        running = [clock for clock in clocks.values() if clock.is_running]
        return plan(running), plan(at_once.started)

    once, direct = replayed()
    assert (once, direct) == replayed()
    assert once == direct


def plan(clocks: Iterable[Clock]) -> list[tuple[object, ...]]:
    """What is due when, without the names of the clocks."""
    return sorted(
        (clock.pack_id, clock.obligation_id, clock.missing, milestone.kind, milestone.due_at)
        for clock in clocks
        for milestone in schedule(clock, NOON)
    )
