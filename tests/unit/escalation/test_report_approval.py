from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from candor_escalation.domain.approval import Approval, approve, authors, marked, standing
from candor_escalation.domain.decision import Proposal, answers, propose
from candor_escalation.domain.decision import approve as approve_proposal
from candor_escalation.domain.draft import fill, written
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.report import Draft, Submission, submit
from candor_escalation.domain.timeliness import IN_LEGAL_TIME, IN_TIME, LATE, OPEN, timeliness
from hypothesis import given
from hypothesis import strategies as st

from .builders import CLOCK, HOUR, MINUTE, NOON, clock


def draft(revision: int, by: str, at: datetime = NOON) -> Draft:
    return written(CLOCK, revision, "zh", "报告", fill([], {}, {}, "zh"), {}, at, by)


def sent(of: Draft, at: datetime = NOON) -> Submission:
    return submit(of, "s", "portal", "zhao", at, at)


def reason(call: object) -> str:
    with pytest.raises(Refused) as refused:
        call()  # type: ignore[operator]
    return refused.value.reason


DRAFTS = [draft(1, "li", NOON - 2 * HOUR), draft(2, "wang", NOON - HOUR)]


def test_somebody_who_wrote_no_revision_approves_the_latest() -> None:
    assert approve(DRAFTS, 2, [], "zhao", NOON) == Approval(CLOCK, 2, "zhao", NOON)
    assert reason(lambda: approve(DRAFTS, 2, [], "wang", NOON)) == "SAME_PERSON"
    assert reason(lambda: approve(DRAFTS, 2, [], "li", NOON)) == "SAME_PERSON"  # whose words are still in it
    assert reason(lambda: approve(DRAFTS, 1, [], "zhao", NOON)) == "SUPERSEDED"
    assert reason(lambda: approve(DRAFTS, 3, [], "zhao", NOON)) == "DRAFT_UNKNOWN"
    assert reason(lambda: approve([], 1, [], "zhao", NOON)) == "DRAFT_UNKNOWN"


def test_who_wrote_a_report_that_was_sent_may_approve_its_supplement() -> None:
    assert authors(DRAFTS, 2, [sent(DRAFTS[0])]) == {"wang"}
    assert approve(DRAFTS, 2, [sent(DRAFTS[0])], "li", NOON).approved_by == "li"


def test_a_change_voids_the_approval() -> None:
    given_ = approve(DRAFTS[:1], 1, [], "zhao", NOON - 90 * MINUTE)

    assert standing(given_, DRAFTS, NOON - 80 * MINUTE)  # sent before the change
    assert not standing(given_, DRAFTS, NOON)
    assert not standing(None, DRAFTS, NOON)
    assert not standing(given_, DRAFTS[:1], NOON - 92 * MINUTE)  # sent before the approval
    assert standing(given_, DRAFTS[:1], NOON - 90 * MINUTE)


def test_what_was_sent_without_approval_says_why_it_could_not_wait() -> None:
    submission = sent(DRAFTS[1])
    approval = approve(DRAFTS, 2, [], "zhao", NOON - MINUTE)

    assert marked(submission, approval, DRAFTS, "").approved_by == "zhao"
    assert marked(submission, approval, DRAFTS, "a reason too many").unapproved_reason == ""
    assert marked(submission, None, DRAFTS, " nobody awake ") == replace(submission, unapproved_reason="nobody awake")
    assert reason(lambda: marked(submission, None, DRAFTS, "  ")) == "NOT_APPROVED"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), min_size=1, max_size=8),
    st.sampled_from("abcd"),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_no_approval_of_an_author_or_of_another_revision_ever_stands(
    written_: list[tuple[str, int]], by: str, approved: int, sent_: int
) -> None:
    ordered = sorted(written_, key=lambda item: item[1])
    drafts = [draft(number, name, NOON + at * MINUTE) for number, (name, at) in enumerate(ordered, start=1)]
    known = [each for each in drafts if each.drafted_at <= NOON + approved * MINUTE]
    if not known or by in {each.drafted_by for each in known}:
        return
    approval = approve(known, len(known), [], by, NOON + approved * MINUTE)
    at = NOON + sent_ * MINUTE
    if standing(approval, drafts, at):
        assert approval.approved_at <= at
        assert [each.revision for each in drafts if each.drafted_at <= at][-1:] in ([], [approval.revision])
        assert approval.approved_by not in authors(drafts, approval.revision, [])


PROPOSAL = propose("p1", CLOCK, "no personal data", "li", NOON, asked="wang")


def test_two_persons_decide_not_to_report_each_in_their_own_name() -> None:
    decision = approve_proposal(PROPOSAL, PROPOSAL, "wang", NOON + HOUR)

    assert (decision.decided_by, decision.approved_by, decision.decided_at) == ("li", "wang", NOON + HOUR)
    assert reason(lambda: approve_proposal(PROPOSAL, PROPOSAL, "li", NOON)) == "SAME_PERSON"
    assert reason(lambda: propose("p", CLOCK, "no personal data", "li", NOON, asked="li")) == "SAME_PERSON"


def test_only_the_latest_proposal_is_approved() -> None:
    later = replace(PROPOSAL, proposal_id="p2", reason="another reason")

    assert reason(lambda: approve_proposal(PROPOSAL, later, "wang", NOON)) == "SUPERSEDED"
    assert reason(lambda: approve_proposal(PROPOSAL, None, "wang", NOON)) == "SUPERSEDED"


@pytest.mark.parametrize(
    ("latest", "by", "named", "answered"),
    [
        (PROPOSAL, "wang", "li", True),
        (PROPOSAL, "wang", "zhao", False),
        (PROPOSAL, "zhao", "li", False),
        (PROPOSAL, "li", "wang", False),
        (replace(PROPOSAL, asked=""), "wang", "li", False),
        (None, "wang", "li", False),
    ],
)
def test_who_was_asked_answers_by_naming_who_asked(
    latest: Proposal | None, by: str, named: str, *, answered: bool
) -> None:
    assert answers(latest, by, named) is answered


@pytest.mark.clause("GDPR 33(1)")
@pytest.mark.parametrize(
    ("sent_after", "now_after", "legal", "punctuality", "left"),
    [
        (None, 71, 73, OPEN, 3600),
        (None, 72.5, 73, OPEN, -1800),
        (None, 74, 73, LATE, -7200),
        (70, 100, 73, IN_TIME, 7200),
        (72, 100, 73, IN_TIME, 0),
        (72.5, 100, 73, IN_LEGAL_TIME, -1800),
        (73.5, 100, 73, LATE, -5400),
        (72.5, 100, None, LATE, -1800),
        (72.5, 100, 71, LATE, -1800),
    ],
)
def test_a_report_is_in_time_by_when_it_was_sent(
    sent_after: float | None, now_after: float, legal: float | None, punctuality: str, left: int
) -> None:
    running = clock(72, legal_latest=NOON + legal * HOUR if legal else None)
    submissions = (
        []
        if sent_after is None
        else [sent(DRAFTS[0], NOON + (sent_after + 5) * HOUR), sent(DRAFTS[0], NOON + sent_after * HOUR)]
    )
    found = timeliness(running, submissions, NOON + now_after * HOUR)

    assert (found.punctuality, found.seconds_left) == (punctuality, left)
    assert found.submitted_at == (None if sent_after is None else NOON + sent_after * HOUR)
