from __future__ import annotations

from dataclasses import replace

import pytest
from candor_consent.domain.notice import Publication, PurposeRef, informed_by, newest, publish
from candor_consent.domain.refusal import Refused

from .builders import CHAT, HOUR, NOON, TRAINING, notice_of, versions_of


def publication(*refs: PurposeRef) -> Publication:
    return Publication(
        notice_id="privacy",
        locale="zh",
        url="https://example.com/privacy",
        text_sha256=bytes(32),
        purposes=refs,
        effective_from=NOON,
    )


@pytest.mark.clause("PIPL 17")
def test_pipl_17_notice_versions_count_per_notice() -> None:
    versions = versions_of(CHAT)
    first = publish([], publication(PurposeRef("chat", 1)), {"chat": versions})
    second = publish([first], publication(PurposeRef("chat", 1)), {"chat": versions})

    assert (first.version, second.version) == (1, 2)


@pytest.mark.clause("PIPL 17")
@pytest.mark.parametrize("ref", [PurposeRef("nowhere", 1), PurposeRef("chat", 3)], ids=["purpose", "version"])
def test_pipl_17_notice_cannot_explain_what_was_never_defined(ref: PurposeRef) -> None:
    with pytest.raises(Refused) as refusal:
        publish([], publication(PurposeRef("chat", 1), ref), {"chat": versions_of(CHAT)})

    assert (refusal.value.reason, refusal.value.field) == ("PURPOSE_UNKNOWN", "purposes[1]")


@pytest.mark.clause("PIPL 17")
def test_pipl_17_notice_of_a_version_that_is_past_would_carry_no_consent() -> None:
    versions = versions_of(CHAT, replace(CHAT, method="otherwise"))

    with pytest.raises(Refused) as refusal:
        publish([], publication(PurposeRef("chat", 1)), {"chat": versions})

    assert refusal.value.reason == "VERSION_CONFLICT"


def test_the_newest_notice_is_the_latest_in_force_not_the_latest_written() -> None:
    chat = versions_of(CHAT)[0]
    now = notice_of(chat, version=1, effective_from=NOON)
    coming = notice_of(chat, version=2, effective_from=NOON + HOUR)

    assert newest([now, coming], NOON) == now
    assert newest([now, coming], NOON + HOUR) == coming
    assert newest([now, coming], NOON - HOUR) is None


@pytest.mark.clause("PIPL 14", "PIPL 17")
def test_pipl_14_consent_rests_on_the_notice_that_was_shown_then() -> None:
    chat = versions_of(CHAT)[0]
    notices = [notice_of(chat), notice_of(chat, version=2, effective_from=NOON)]

    assert informed_by(notices, 1, chat, NOON - HOUR).version == 1
    assert informed_by(notices, 2, chat, NOON).version == 2


@pytest.mark.clause("PIPL 14", "PIPL 17")
@pytest.mark.parametrize(
    ("version", "reason"),
    [(1, "NOTICE_SUPERSEDED"), (3, "NOTICE_UNKNOWN"), (4, "NOTICE_UNKNOWN")],
    ids=["superseded", "not in force yet", "never published"],
)
def test_pipl_14_consent_under_another_notice_is_not_informed(version: int, reason: str) -> None:
    chat = versions_of(CHAT)[0]
    notices = [
        notice_of(chat),
        notice_of(chat, version=2, effective_from=NOON - HOUR),
        notice_of(chat, version=3, effective_from=NOON + HOUR),
    ]

    with pytest.raises(Refused) as refusal:
        informed_by(notices, version, chat, NOON)

    assert refusal.value.reason == reason


@pytest.mark.clause("PIPL 14", "PIPL 17")
def test_pipl_14_notice_must_explain_the_purpose_in_the_version_in_force() -> None:
    before, after = versions_of(CHAT, replace(CHAT, method="otherwise"))
    other = versions_of(TRAINING)[0]

    for explained in (before, other):
        with pytest.raises(Refused) as refusal:
            informed_by([notice_of(explained)], 1, after, NOON)
        assert refusal.value.reason == "NOTICE_LACKS_PURPOSE"
