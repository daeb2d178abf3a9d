"""Labelling content and screening texts: what goes over the wire, and what never half arrives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import grpc
import pytest
from candor.generation.v1 import label_pb2
from candor_client import AsyncCandor, Candor, CandorError, Decision, Explicit, Refused, Retry, Screened, new_id

from .standin import StandIn

QUICK = Retry(attempt_seconds=1.0, first_pause=0.01, longest_pause=0.05)


def test_bytes_come_back_labelled(service: StandIn) -> None:
    identifier = new_id()
    with Candor(address=service.address) as candor:
        labelled = candor.label(
            "蓝".encode(),
            generation_id=identifier,
            media_type="text/plain",
            locale="zh-CN",
            explicit=Explicit("AI 生成", at_start=True),
            supersede=True,
        )
    assert labelled.content == b"label:" + "蓝".encode()
    assert labelled.label.json == identifier
    assert (labelled.size, labelled.unlabelled_sha256) == (9, hashlib.sha256("蓝".encode()).digest())
    (header,) = service.labelled
    assert (header.generation_id, header.media_type, header.locale) == (identifier, "text/plain", "zh-CN")
    assert (header.explicit.text, header.explicit.place) == ("AI 生成", label_pb2.PLACE_START)
    assert (header.supersede, header.credentials) == (True, False)


def test_a_file_is_streamed_and_may_take_its_own_place(service: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(content := bytes(range(256)) * 12_000)
    with Candor(address=service.address) as candor:
        labelled = candor.label(file, file, generation_id=new_id(), locale="en")
    assert labelled.content is None
    assert file.read_bytes() == b"label:" + content
    assert service.labelled[0].media_type == "image/png"
    assert not service.labelled[0].HasField("explicit")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("kind", "error"), [("text/unknown", Refused), ("text/broken", CandorError), (None, ValueError)]
)
def test_what_goes_wrong_leaves_no_half_file(
    service: StandIn, tmp_path: Path, kind: str | None, error: type[Exception]
) -> None:
    target = tmp_path / "out"
    target.write_text("as it was", encoding="utf-8")
    with Candor(address=service.address) as candor, pytest.raises(error):
        candor.label(b"content", target, generation_id=new_id(), locale="en", media_type=kind)
    assert target.read_text(encoding="utf-8") == "as it was"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_is_not_there_is_the_caller_s_error(service: StandIn, tmp_path: Path) -> None:
    with Candor(address=service.address) as candor, pytest.raises(FileNotFoundError):
        candor.label(tmp_path / "none.png", generation_id=new_id(), locale="en")


def test_screening_answers_and_is_tried_again(service: StandIn) -> None:
    service.script = [grpc.StatusCode.UNAVAILABLE]
    with Candor(address=service.address, retry=QUICK) as candor:
        assert candor.screen("a question", "an answer") == Screened(Decision.ALLOW, (), 7)
        assert candor.screen(output="a bad answer").decision is Decision.BLOCK


async def test_tasks_label_and_screen(service: StandIn) -> None:
    async with AsyncCandor(address=service.address) as candor:
        assert (await candor.screen("bad")).decision is Decision.BLOCK
        labelled = await candor.label(b"text", generation_id=new_id(), locale="en", media_type="text/plain")
    assert labelled.content == b"label:text"


def test_a_topic_answers_nothing() -> None:
    with Candor(kafka="127.0.0.1:9") as candor, pytest.raises(ValueError, match="address="):
        candor.screen("prompt")
