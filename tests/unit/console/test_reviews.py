"""The review queue and the feature library as pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from candor.generation.v1 import model_pb2 as model
from candor.generation.v1 import review_pb2 as review
from candor.generation.v1 import service_pb2 as generation
from candor_console.texts import ALL
from candor_kit.errors import Refusal
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

ID = "01a20387-f5b9-703f-937d-3280cbb75ead"
AT = Timestamp(seconds=int(datetime(2026, 11, 22, 13, tzinfo=UTC).timestamp()))
SHOWN_ENUMS: list[EnumDescriptor] = [
    model.Decision.DESCRIPTOR,
    model.ReviewState.DESCRIPTOR,
    model.ReviewOutcome.DESCRIPTOR,
    model.ReviewReason.DESCRIPTOR,
    model.FeatureKind.DESCRIPTOR,
    model.FeatureState.DESCRIPTOR,
    model.FeatureMode.DESCRIPTOR,
]


def item(**changed: Any) -> review.Review:
    fields: dict[str, Any] = {
        "generation_id": ID,
        "machine_decision": model.DECISION_BLOCK,
        "state": model.REVIEW_STATE_OPEN,
        "opened_at": AT,
        "changed_at": AT,
    }
    return review.Review(**{**fields, **changed})


def answer(found: review.Review, *, erased: bool = False) -> review.GetReviewResponse:
    text = review.ReviewedText(
        subject="user-7",
        prompt="<b>问</b>",
        output="答",
        verdict=model.Verdict(hits=[model.Hit(feature_id="f-1", category="violence", in_prompt=True)]),
        statement="a quotation",
        notes=["ask a lawyer"],
    )
    return review.GetReviewResponse(review=found, text=None if erased else text)


@pytest.mark.parametrize("enum", SHOWN_ENUMS, ids=lambda enum: enum.full_name)
def test_every_value_of_a_shown_enum_has_a_text(enum: EnumDescriptor) -> None:
    assert {value.name for value in enum.values} <= set(ALL)


def test_the_queue_leads_to_the_texts_only_those_who_may_read_them(desk: Any) -> None:
    desk.calls.answers["ListReviews"] = review.ListReviewsResponse(reviews=[item(appealed=True)], next_page_token="n")
    desk.sit_down("operator")
    page = desk.get("/reviews").text
    assert f'href="/reviews/{ID}"' in page
    assert "appealed" in page
    assert "blocked" in page
    assert "page=n" in page
    assert desk.calls.asked[-1][1] == review.ListReviewsRequest(page_size=100)
    desk.sit_down("auditor")
    assert f'href="/reviews/{ID}"' not in desk.get("/reviews").text
    assert desk.get(f"/reviews/{ID}").status_code == 403


def test_what_is_decided_is_listed_apart(desk: Any) -> None:
    desk.sit_down("auditor")
    decided = item(state=model.REVIEW_STATE_DECIDED, outcome=model.REVIEW_OUTCOME_RELEASED)
    desk.calls.answers["ListReviews"] = review.ListReviewsResponse(reviews=[decided])
    assert "released" in desk.get("/reviews?decided=1").text
    assert desk.calls.asked[-1][1].states == [model.REVIEW_STATE_DECIDED]


def test_a_review_shows_the_texts_as_texts_and_what_was_decided(desk: Any) -> None:
    desk.sit_down("on_call")
    step = review.ReviewStep(
        by="alice", outcome=model.REVIEW_OUTCOME_RELEASED, reason=model.REVIEW_REASON_FALSE_HIT, at=AT
    )
    desk.calls.answers["GetReview"] = answer(item(state=model.REVIEW_STATE_RELEASE_PROPOSED, steps=[step]))
    page = desk.get(f"/reviews/{ID}").text
    assert "&lt;b&gt;问&lt;/b&gt;" in page
    for shown in ("a quotation", "ask a lawyer", "alice", "f-1", "a false hit", "Your view is on record as officer"):
        assert shown in page
    assert 'name="outcome"' in page


@pytest.mark.parametrize(
    ("found", "erased"),
    [
        (item(assignee="bob"), False),
        (item(state=model.REVIEW_STATE_DECIDED), False),
        (item(), True),
    ],
)
def test_no_form_to_decide_where_the_service_would_refuse_it(desk: Any, found: review.Review, erased: bool) -> None:
    desk.sit_down("operator")
    desk.calls.answers["GetReview"] = answer(found, erased=erased)
    page = desk.get(f"/reviews/{ID}").text
    assert 'name="outcome"' not in page
    assert ("nothing to read" in page) is erased


def test_a_decision_is_sent_as_the_form_says_and_leads_back(desk: Any) -> None:
    desk.sit_down("operator")
    desk.calls.answers["GetReview"] = answer(item())
    desk.calls.answers["DecideReview"] = review.DecideReviewResponse()
    fields = {"csrf": desk.token_on(f"/reviews/{ID}"), "command_id": ID, "outcome": "released", "why": "lawful_context"}
    response = desk.post(f"/reviews/{ID}/decision", {**fields, "note": " news "})
    assert (response.status_code, response.headers["location"]) == (303, f"/reviews/{ID}?done=review_decided")
    name, command, _ = desk.calls.asked[-1]
    assert name == "DecideReview"
    assert command == review.DecideReviewRequest(
        command_id=ID,
        generation_id=ID,
        outcome=model.REVIEW_OUTCOME_RELEASED,
        reason=model.REVIEW_REASON_LAWFUL_CONTEXT,
        note="news",
    )
    assert "The decision is on record" in desk.get(f"/reviews/{ID}?done=review_decided").text


def test_a_refused_decision_shows_the_review_again_with_the_reason(desk: Any) -> None:
    desk.sit_down("operator")
    desk.calls.answers["GetReview"] = answer(item())
    desk.calls.answers["DecideReview"] = Refusal(
        "SAME_PERSON",
        "who decided before does not decide again",
        domain="candor.generation.v1",
        status=grpc.StatusCode.PERMISSION_DENIED,
    )
    fields = {"csrf": desk.token_on(f"/reviews/{ID}"), "command_id": ID, "outcome": "upheld", "why": "confirmed"}
    response = desk.post(f"/reviews/{ID}/decision", fields)
    assert response.status_code == 403
    assert "SAME_PERSON" in response.text
    assert 'name="outcome"' in response.text


@pytest.mark.parametrize(("to", "assignee"), [("me", "officer"), ("all", "")])
def test_a_review_is_taken_and_given_back(desk: Any, to: str, assignee: str) -> None:
    desk.sit_down("operator")
    desk.calls.answers["GetReview"] = answer(item())
    desk.calls.answers["AssignReview"] = review.AssignReviewResponse()
    fields = {"csrf": desk.token_on(f"/reviews/{ID}"), "command_id": ID, "to": to}
    assert desk.post(f"/reviews/{ID}/assignment", fields).status_code == 303
    assert desk.calls.asked[-1][1].assignee == assignee


def test_features_are_listed_with_who_answers_for_them_and_how_common_they_are(desk: Any) -> None:
    desk.sit_down("auditor")
    feature = model.Feature(
        feature_id="f-1",
        kind=model.FEATURE_KIND_TERM,
        value="<i>谣言</i>",
        category="false-information",
        decision=model.DECISION_BLOCK,
        citation="Deep Synthesis 6",
        state=model.FEATURE_STATE_ADMITTED,
        mode=model.FEATURE_MODE_SHADOW,
        proposed_by="alice",
        reviewed_by="bob",
        admitted_by="carol",
        benign_run=model.BenignRun(hits=1, texts=190),
        changed_at=AT,
    )
    listed = generation.ListFeaturesResponse(features=[feature], library_version=7, library_digest=b"\xab" * 32)
    desk.calls.answers["ListFeatures"] = listed
    page = desk.get("/features?state=admitted").text
    for shown in ("&lt;i&gt;谣言&lt;/i&gt;", "1 of 190", "alice, bob, carol", "in shadow", "abababab", "version 7"):
        assert shown in page
    assert desk.calls.asked[-1][1].states == [model.FEATURE_STATE_ADMITTED]
    desk.get("/features?state=bogus")
    assert not desk.calls.asked[-1][1].states
