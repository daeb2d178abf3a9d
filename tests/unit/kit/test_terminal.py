"""What the commands that ask a service share."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import candor_stack
import pytest
from candor.generation.v1 import service_pb2, service_pb2_grpc
from candor_kit.terminal import Terminal, command_id, json_of
from candor_stack import StackError
from google.protobuf.message import Message
from grpc.aio import Channel

TERMINAL = Terminal("features", "generation")


async def ask(channel: Channel) -> Message:
    stub = service_pb2_grpc.GenerationServiceStub(channel)
    return await stub.ListFeatures(service_pb2.ListFeaturesRequest(), timeout=5)


def test_who_does_not_answer_is_said_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        TERMINAL.call("127.0.0.1:1", "", ask)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("candor features: UNAVAILABLE: ")


def test_without_an_address_the_local_stack_is_asked_where_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find() -> None:
        raise StackError("No local stack is running.")

    monkeypatch.setattr(candor_stack, "find", find)
    with pytest.raises(SystemExit):
        TERMINAL.call("", "", ask)
    assert "No local stack is running. Or say where the service is" in capsys.readouterr().err

    monkeypatch.setitem(sys.modules, "candor_stack", None)  # as in a deployment's image
    with pytest.raises(SystemExit):
        TERMINAL.call("", "", ask)
    assert "--address HOST:PORT or CANDOR_GENERATION_ADDRESS" in capsys.readouterr().err


def test_what_is_answered_is_handed_on() -> None:
    assert TERMINAL.call("127.0.0.1:1", "", lambda _channel: asyncio.sleep(0, "answer")) == "answer"


def test_a_file_is_written_and_what_cannot_be_is_said(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    TERMINAL.write(b"x", tmp_path / "file")
    with pytest.raises(SystemExit):
        TERMINAL.write(b"x", tmp_path)
    TERMINAL.write(b"y", None)
    TERMINAL.write(b"z", Path("-"))
    sys.stdout.flush()
    printed, said = capfdbinary.readouterr()

    assert (tmp_path / "file").read_bytes() == b"x"
    assert said.endswith(b": Is a directory\n")
    assert printed == b"yz"


def test_a_command_has_an_id_of_its_own_and_a_message_is_one_line() -> None:
    assert command_id() != command_id()
    assert json_of(service_pb2.ListFeaturesRequest(category="谣言")) == '{"category": "谣言"}'
