from __future__ import annotations

import builtins
import logging
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from candor_escalation.domain.pace import Share
from candor_escalation.domain.refusal import Refused
from candor_escalation.domain.roster import LONGEST_OVERRIDE, Level, checked, refuse_ended
from candor_escalation.domain.rotation import Hours, Override, Rotation
from candor_escalation.oncall import load, look
from candor_escalation.oncall.warnings import warnings
from candor_escalation.oncall_command import app
from candor_packs.document import PackError
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from .builders import HOUR, NOON

PAGE = Path(__file__).resolve().parents[3] / "docs" / "oncall.md"
EXAMPLE = re.findall(r"<!-- example: oncall-file -->\n```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
SECRETS = {
    "FEISHU_URL": "https://open.feishu.cn/open-apis/bot/v2/hook/feishu-token",
    "FEISHU_SECRET": "feishu-secret",
    "PAGERDUTY_KEY": "pagerduty-key",
    "ALERTMANAGER_TOKEN": "alertmanager-token",
    "DINGTALK_URL": "https://oapi.dingtalk.com/robot/send?access_token=dingtalk-token",
    "DINGTALK_SECRET": "dingtalk-secret",
    "WECOM_URL": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=wecom-key",
    "PAGER_TOKEN": "pager-token",
}
TWO = "contacts:\n  - {name: anna, webhook: 'https://c/1'}\n  - {name: bo, webhook: 'https://c/2'}\n"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    password = tmp_path / "smtp-password"
    password.write_text("smtp-password\n")
    file = tmp_path / "oncall.yaml"
    file.write_text(EXAMPLE.replace("/run/secrets/smtp-password", str(password)), "utf-8")
    return file


def written(folder: Path, text: str) -> Path:
    file = folder / "oncall.yaml"
    file.write_text(text, "utf-8")
    return file


def test_the_example_of_the_page_is_what_it_says(example: Path) -> None:
    oncall = load(example, SECRETS)
    roster = oncall.roster

    assert [contact.channels for contact in roster.contacts] == [
        ("feishu", "email"), ("pagerduty", "alertmanager"), ("dingtalk", "wecom"), ("webhook", "email"),
    ]  # fmt: skip
    assert roster.levels == (Level(schedule="first-line"), Level("wang"), Level("director"))
    assert roster.contacts[3].ack_timeout == timedelta(minutes=10)
    assert roster.pace.answer == Share(0.0416, timedelta(minutes=2), timedelta(hours=4))
    assert roster.routine == {"complaint", "content_notice"}
    assert roster.schedule("first-line").rotations[0] == Rotation(
        ("chen", "wang"), ZoneInfo("Asia/Shanghai"), date(2026, 1, 5), time(9), 7, Hours(time(8), time(20))
    )
    assert "smtp-password" in oncall.channels["chen"][1].secrets
    assert look(example) == roster


def test_the_example_of_the_page_is_linted(example: Path) -> None:
    linted = CliRunner().invoke(app, ["lint", str(example)], env=SECRETS)

    assert (linted.exit_code, linted.stdout) == (0, "4 contacts, 1 schedules, 3 levels, 0 wrong\n")
    assert linted.stderr == ""  # and nothing in it may not be meant so


def test_a_linter_without_the_secrets_looks_at_the_rest(example: Path) -> None:
    empty = dict.fromkeys(SECRETS, "")

    assert CliRunner().invoke(app, ["lint", "--without-secrets", str(example)], env=empty).exit_code == 0
    refused = CliRunner().invoke(app, ["lint", str(example)], env=empty)
    assert refused.exit_code == 2
    assert "oncall.yaml:4: contacts[0].channels[0].url: the variable FEISHU_URL is not set" in refused.stderr


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-01-06T10:00+08:00", "chen"),
        ("2026-01-13T10:00+08:00", "wang"),
        ("2026-01-13T23:00+08:00", "mueller"),
    ],
)
def test_who_is_on_call_is_told_without_a_secret(example: Path, at: str, first: str) -> None:
    told = CliRunner().invoke(app, ["who", "--file", str(example), "--at", at], env={"CANDOR_DATABASE_URL": ""})

    assert told.stdout.splitlines()[1].startswith(f"1  {first}  (first-line)")
    assert "overrides not asked" in told.stdout


@pytest.mark.parametrize("at", ["2026-01-06T10:00", "tomorrow"])
def test_an_instant_without_a_zone_is_refused(example: Path, at: str) -> None:
    assert CliRunner().invoke(app, ["who", "--file", str(example), "--at", at]).exit_code == 2


def test_a_test_page_to_nobody_is_refused(example: Path) -> None:
    refused = CliRunner().invoke(app, ["test", "nobody", "--file", str(example)], env=SECRETS)

    assert (refused.exit_code, "no such contact" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO + "chain: [{contact: chen}]", "chain[0].contact: chen is no contact"),
        (TWO + "chain: [{schedule: line}]", "chain[0].schedule: line is no schedule"),
        (TWO + "chain: [{}]", "chain[0]: needs either a contact or a schedule"),
        (TWO + "chain: []", "chain: "),
        (TWO.replace("bo", "anna"), "contacts[1].name: anna stands here twice"),
        (TWO.replace("webhook", "phone", 1), "contacts[0].phone: no such field"),
        ("contacts: [{name: a}]", "contacts[0]: needs either channels or, in short, a webhook"),
        ("contacts: [{name: a, channels: []}]", "contacts[0].channels: "),
        ("contacts: [{name: a, channels: [{kind: pigeon}]}]", "contacts[0].channels[0]: "),
        ("contacts: [{name: a, channels: [{kind: wecom, url: nowhere}]}]", "contacts[0].channels[0].wecom.url: "),
        (TWO + "pace: {answer: {share: 0.5, at_least_seconds: 9, at_most_seconds: 3}}", "pace.answer: at_most_seconds"),
        (TWO + "pace: {answer: {share: 1.5, at_least_seconds: 1, at_most_seconds: 3}}", "pace.answer.share: "),
        (TWO + "routine: [Complaints]", "routine"),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PackError, match=re.escape(said)):
        load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("rotation", "said"),
    [
        ("{people: [gone], zone: Asia/Shanghai, from: 2026-01-05}", "people[0]: gone is no contact"),
        ("{people: [], zone: Asia/Shanghai, from: 2026-01-05}", "people: "),
        ("{people: [bo], zone: Mars/Olympus, from: 2026-01-05}", "zone: must be a zone"),
        ("{people: [bo], zone: ../../etc/passwd, from: 2026-01-05}", "zone: must be a zone"),
        ("{people: [bo], zone: 8, from: 2026-01-05}", "zone: must be a zone"),
        ("{people: [bo], zone: Asia/Shanghai, from: 1969-12-31}", "from: lies before 1970"),
        ("{people: [bo], zone: Asia/Shanghai, from: 2026-02-30}", "from: "),
        ("{people: [bo], zone: Asia/Shanghai, from: 2026-01-05, at: 9}", "at: must be a wall time"),
        ("{people: [bo], zone: Asia/Shanghai, from: 2026-01-05, at: '25:00'}", "at: "),
        ("{people: [bo], zone: Asia/Shanghai, from: 2026-01-05, every_days: 0}", "every_days: "),
    ],
)
def test_a_rotation_that_names_nobody_or_no_time_is_refused(tmp_path: Path, rotation: str, said: str) -> None:
    text = f"{TWO}schedules:\n  - name: line\n    rotations:\n      - {rotation}\n"

    with pytest.raises(PackError, match=re.escape(said)):
        load(written(tmp_path, text))


def test_no_error_and_no_picture_of_a_file_shows_a_secret(tmp_path: Path, example: Path) -> None:
    oncall = load(example, SECRETS)
    wrong = written(tmp_path, "contacts: [{name: a, channels: [{kind: wecom, url: '${WECOM_URL} x'}]}]")
    with pytest.raises(PackError) as refused:
        load(wrong, SECRETS)
    shown = f"{oncall!r} {oncall.channels!r} {refused.value!r} {refused.value} {refused.value.__cause__}"

    assert not [secret for secret in (*SECRETS.values(), "smtp-password", "wecom-key") if secret in shown]


@pytest.mark.parametrize("reference", ["${file:/nowhere/at/all}", "${file:EMPTY}", "${UNSET_VARIABLE}"])
def test_a_secret_that_is_missing_is_named(tmp_path: Path, reference: str) -> None:
    (tmp_path / "EMPTY").write_text(" \n")
    text = f"contacts: [{{name: a, channels: [{{kind: pagerduty, routing_key: '{reference}'}}]}}]"

    with pytest.raises(PackError, match=r"contacts\[0\].channels\[0\].routing_key: the (file|variable) "):
        load(written(tmp_path, text.replace("EMPTY", str(tmp_path / "EMPTY"))), {})


def test_a_password_without_tls_is_refused(tmp_path: Path) -> None:
    mail = "{kind: email, host: h, from: a@b, to: c@d, tls: none, username: u, password: p}"

    with pytest.raises(PackError, match="not sent without TLS"):
        load(written(tmp_path, f"contacts: [{{name: a, channels: [{mail}]}}]"))


def test_where_apprise_is_not_installed_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return genuine(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PackError, match=r"contacts\[0\].channels\[0\]: .*pip install 'candor-escalation\[apprise\]'"):
        load(written(tmp_path, "contacts: [{name: a, channels: [{kind: apprise, url: 'json://h/p'}]}]"))


def test_apprise_writes_no_address_into_a_log(tmp_path: Path) -> None:
    load(written(tmp_path, "contacts: [{name: a, channels: [{kind: apprise, url: 'json://h/p'}]}]"))

    assert logging.getLogger("apprise").level == logging.CRITICAL


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    with TemporaryDirectory() as folder, suppress(PackError):
        roster = look(written(Path(folder), f"{TWO}chain:{text}".encode(errors="replace").decode()))
        assert roster.levels


def test_what_may_not_be_meant_so_is_said(tmp_path: Path) -> None:
    text = TWO + (
        "schedules:\n"
        "  - name: line\n"
        "    rotations:\n"
        "      - {people: [anna], zone: Europe/Berlin, from: 2026-01-05, hours: {from: '09:00', to: '17:00'}}\n"
        "  - name: unused\n"
        "    rotations:\n"
        "      - {people: [anna], zone: Europe/Berlin, from: 2026-01-05}\n"
        "chain: [{schedule: line}]\n"
    )
    said = "\n".join(warnings(look(written(tmp_path, text)), datetime(2026, 3, 23, 12, tzinfo=UTC)))

    assert "schedule unused: no level" in said
    assert "contact bo: is never paged" in said
    assert "contact anna: has one channel" in said
    assert "the chain has one level" in said
    # 225 of 672 hours: the clocks go forward on 29 March, so the last day has an hour more of its shift.
    assert "schedule line: nobody is on shift for 447 of the next 672 hours" in said


def override(**changes: object) -> Override:
    values = {
        "override_id": "o", "schedule": "first-line", "contact": "wang", "starts_at": NOON,
        "ends_at": NOON + HOUR, "made_at": NOON, "made_by": "lead", "reason": "holiday",
    }  # fmt: skip
    return Override(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schedule": "no-line"}, "SCHEDULE_UNKNOWN"),
        ({"contact": "nobody"}, "CONTACT_UNKNOWN"),
        ({"ends_at": NOON}, "PERIOD_INVALID"),
        ({"starts_at": NOON - 3 * HOUR, "ends_at": NOON - HOUR}, "PERIOD_INVALID"),
        ({"ends_at": NOON + LONGEST_OVERRIDE + HOUR}, "PERIOD_INVALID"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(example: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(look(example), override(**changes), NOON)

    assert refused.value.reason == reason


def test_an_override_that_makes_sense_is_taken_and_ended_once(example: Path) -> None:
    made = checked(look(example), override(starts_at=NOON - HOUR), NOON)
    refuse_ended(made, NOON)

    for over in (override(ended_at=NOON), override(ends_at=NOON)):
        with pytest.raises(Refused, match="over already"):
            refuse_ended(over, NOON)


def test_nobody_on_shift_is_told_level_by_level(tmp_path: Path) -> None:
    text = TWO + (
        "schedules: [{name: day, rotations: [{people: [anna], zone: UTC, from: 2026-01-05,"
        " hours: {from: '09:00', to: '10:00'}}]}]\nchain: [{schedule: day}, {contact: bo}]\n"
    )
    roster = look(written(tmp_path, text))

    assert [level.contact for level in roster.on_call((), NOON)] == ["", "bo"]
    assert [level.contact for level in roster.on_call((), NOON - 2.5 * HOUR)] == ["anna", "bo"]
