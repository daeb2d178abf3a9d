from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from candor_escalation.dsa import _back_off, _receipt, _receipts, _retry_after, _unexpected
from candor_escalation.handlers.public_statements import Later, Received
from candor_escalation.main import compose
from candor_escalation.settings import Settings
from candor_escalation.store.public_statements import Public
from candor_kit.errors import ConfigError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

PACKS = Path(__file__).resolve().parents[3] / "packs"


def queued(number: int, attempts: int = 1) -> Public:
    identifier = f"0193500{number}-0000-7000-8000-000000000001"
    return Public(identifier, {"puid": identifier}, "queued", attempts, "", "", None, "")


def test_a_batch_gives_each_its_own_receipt_whatever_their_order() -> None:
    one, two, three = queued(1), queued(2), queued(3)
    created = [{"puid": item.body["puid"], "uuid": f"u-{item.disposal_id}", "permalink": "p"} for item in (two, one)]
    results = _receipts(created, [one, two, three])

    assert results[one.disposal_id] == Received(f"u-{one.disposal_id}", "p")
    assert results[two.disposal_id] == Received(f"u-{two.disposal_id}", "p")
    assert isinstance(results[three.disposal_id], Later)


@pytest.mark.parametrize("said", [None, "", [], {}, {"uuid": ""}, {"uuid": None, "permalink": "p"}, 5])
def test_what_is_no_receipt_is_none(said: object) -> None:
    assert _receipt(said) is None
    assert all(isinstance(result, Later) for result in _receipts(said, [queued(1)]).values())


def test_how_long_to_wait_is_read_from_the_answer() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)

    assert _retry_after("7") == 7
    assert _retry_after("999999") == 3600
    assert 20 < (_retry_after(soon) or 0) <= 30
    for nothing in ("", "soon", "-1"):
        assert _retry_after(nothing) is None


@given(st.text(max_size=40))
def test_any_header_is_taken_and_no_wait_is_longer_than_an_hour(header: str) -> None:
    seconds = _retry_after(header)
    assert seconds is None or 0 <= seconds <= 3600


@given(st.integers(min_value=1, max_value=10_000))
def test_the_pauses_grow_up_to_an_hour(attempts: int) -> None:
    assert 2 <= _back_off(attempts) <= _back_off(attempts + 1) <= 3600


def test_429_or_a_wrong_token_makes_everything_wait_and_a_fault_only_its_statement() -> None:
    slow = _unexpected(httpx.Response(429, headers={"Retry-After": "3"}), queued(1))
    wrong = _unexpected(httpx.Response(401, json={"message": "Unauthenticated."}), queued(1))
    fault = _unexpected(httpx.Response(500, text="<html>"), queued(1, attempts=3))

    assert slow == Later("429", 3, away=True)
    assert (wrong.away, "Unauthenticated" in wrong.error) == (True, True)
    assert (fault.seconds, fault.away) == (8, False)


async def test_a_database_without_a_token_is_a_wrong_configuration(tmp_path: Path) -> None:
    kek = tmp_path / "kek"
    kek.write_text(base64.b64encode(bytes(32)).decode())
    settings = Settings(
        database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        kafka_bootstrap_servers="127.0.0.1:1",
        jwks_file=kek,
        kek_file=kek,
        packs_dir=PACKS,
        local_mode=True,
        dsa_url="https://transparency.dsa.ec.europa.eu",
    )
    with pytest.raises(ConfigError, match="CANDOR_DSA_TOKEN_FILE"):
        await compose(settings)
    await compose(settings.model_copy(update={"dsa_token": SecretStr("X|y")}))
