from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from candor_escalation.domain import anchor as rules
from candor_escalation.domain.anchor import CORRECTION, DISPUTE, REPORT, Entry, Sent
from candor_escalation.domain.incident import Anchor
from candor_escalation.domain.refusal import Refused
from hypothesis import given
from hypothesis import strategies as st

from .builders import HOUR, NOON


def entry(at: datetime, act: str = REPORT, name: str = "aware") -> Entry:
    return Entry(name, at, "a call", act, "" if act == REPORT else "a reason", NOON, "li", "on-call")


def stands(*entries: Entry) -> tuple[timedelta, bool]:
    anchor = rules.effective(entries)["aware"]
    return anchor.at - NOON, anchor.disputed


def report(entries: list[Entry], *at: datetime) -> list[Entry]:
    return rules.reported(entries, [Anchor("aware", one, "") for one in at], NOON, "li", "on-call")


def test_a_report_moves_an_anchor_only_to_an_earlier_instant() -> None:
    known = [entry(NOON - HOUR)]

    assert report(known, NOON, NOON - HOUR) == []
    assert [new.at for new in report(known, NOON, NOON - 2 * HOUR)] == [NOON - 2 * HOUR]
    assert [new.at for new in report([], NOON, NOON - HOUR)] == [NOON - HOUR]


def test_a_correction_sets_an_anchor_right_earlier_or_later() -> None:
    told = Anchor("aware", NOON - HOUR, "")
    later = rules.corrected([entry(NOON - 5 * HOUR)], told, NOON, "li", "on-call", "the call was at eleven")

    assert (later.at, later.act, later.evidence) == (NOON - HOUR, CORRECTION, "a call")
    assert stands(entry(NOON - 5 * HOUR), later) == (-HOUR, False)


def test_what_was_set_right_does_not_come_back_but_an_earlier_instant_is_a_dispute() -> None:
    settled = [entry(NOON - 5 * HOUR), entry(NOON - HOUR, CORRECTION)]

    assert report(settled, NOON - 5 * HOUR) == []
    assert [new.at for new in report(settled, NOON - 3 * HOUR)] == [NOON - 3 * HOUR]
    assert stands(*settled, entry(NOON - 3 * HOUR)) == (-3 * HOUR, True)


def test_a_disputed_anchor_counts_from_the_earliest_instant_until_it_is_confirmed() -> None:
    later = [entry(NOON - 2 * HOUR), entry(NOON - HOUR, DISPUTE)]
    earlier = [entry(NOON - 2 * HOUR), entry(NOON - 3 * HOUR, DISPUTE)]

    assert stands(*later) == (-2 * HOUR, True)
    assert stands(*earlier) == (-3 * HOUR, True)
    assert stands(*later, entry(NOON - HOUR, CORRECTION)) == (-HOUR, False)
    assert stands(*earlier, entry(NOON - 2 * HOUR, CORRECTION)) == (-2 * HOUR, False)


def test_nothing_in_the_future_and_nothing_unknown_is_taken() -> None:
    future, known = NOON + HOUR, [entry(NOON)]
    tried: list[Callable[[], object]] = [
        lambda: report([], future),
        lambda: rules.corrected(known, Anchor("aware", future, ""), NOON, "li", "s", "because"),
        lambda: rules.disputed(known, "aware", future, NOON, "li", "because"),
        lambda: rules.corrected(known, Anchor("found", NOON, ""), NOON, "li", "s", "because"),
        lambda: rules.disputed(known, "found", None, NOON, "li", "because"),
    ]
    reasons = []
    for attempt in tried:
        with pytest.raises(Refused) as refused:
            attempt()
        reasons.append(refused.value.reason)

    assert reasons == ["TIME_IN_FUTURE"] * 3 + ["ANCHOR_UNKNOWN"] * 2


def test_a_receipt_is_an_anchor_and_outweighs_the_submission_before_it() -> None:
    first = Sent("eu.nis2.23", "notification", NOON, None, "")
    again = Sent("eu.nis2.23", "notification", NOON + HOUR, None, "")
    name = "receipt:eu.nis2.23/notification"

    submitted = rules.of_receipts([again, first])[name]
    assert (submitted.at, submitted.provisional) == (NOON, True)
    received = rules.of_receipts([first, Sent("eu.nis2.23", "notification", NOON, NOON + 2 * HOUR, "R-1"), again])[name]
    assert (received.at, received.provisional, received.evidence) == (NOON + 2 * HOUR, False, "receipt R-1")
    update = Sent("eu.nis2.23", "notification", NOON, NOON + 9 * HOUR, "R-2")
    assert rules.of_receipts([update, Sent("eu.nis2.23", "notification", NOON, NOON + HOUR, "R-1")])[name].at == (
        NOON + 9 * HOUR
    )


ENTRIES = st.lists(
    st.builds(
        lambda hour, act, name: entry(NOON - hour * HOUR, act, name),
        st.integers(0, 9),
        st.sampled_from([REPORT, REPORT, CORRECTION, DISPUTE]),
        st.sampled_from(["aware", "found"]),
    ),
    max_size=12,
)


@given(ENTRIES)
def test_what_stands_is_what_somebody_said_since_the_last_correction(entries: list[Entry]) -> None:
    for name, anchor in rules.effective(entries).items():
        said = [entry for entry in entries if entry.name == name]
        corrections = [number for number, entry in enumerate(said) if entry.act == CORRECTION]
        since = said[corrections[-1] :] if corrections else said
        assert anchor.at in {entry.at for entry in since}
        if not corrections:
            assert anchor.at == min(entry.at for entry in said)
        assert anchor.at <= since[0].at


@given(ENTRIES, st.lists(st.integers(0, 9), max_size=4))
def test_reporting_appends_and_the_same_report_again_changes_nothing(entries: list[Entry], hours: list[int]) -> None:
    told = [NOON - hour * HOUR for hour in hours]
    after = [*entries, *report(entries, *told)]

    assert after[: len(entries)] == entries
    assert report(after, *told) == []
