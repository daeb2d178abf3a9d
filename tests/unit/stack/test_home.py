"""Other commands find the running stack, or are told how to start one."""

import dataclasses
import os
import stat
from pathlib import Path

import psutil
import pytest
from candor_stack import StackDescription, StackError, find, home
from candor_stack.home import ServiceAddress


def described(folder: Path) -> StackDescription:
    return StackDescription(
        folder=str(folder),
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        kafka_bootstrap_servers="127.0.0.1:1",
        admin_database_url="postgresql://candor:secret@127.0.0.1:2/postgres",
        database_urls={"consent": "postgresql://candor:secret@127.0.0.1:2/candor_consent"},
        services={"consent": ServiceAddress("127.0.0.1:3", "127.0.0.1:4", "consent.log")},
        console_url="http://127.0.0.1:5",
    )


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    described(tmp_path).write()
    assert find(tmp_path) == described(tmp_path)


def test_the_description_holds_a_password_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    described(tmp_path).write()
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_without_a_stack_the_error_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="candor up"):
        find(tmp_path)


def test_a_killed_stack_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    dataclasses.replace(described(tmp_path), started=1.0).write()  # the process id lives on in another process
    with pytest.raises(StackError, match="was killed"):
        find(tmp_path)


def test_a_stopped_stack_is_forgotten(tmp_path: Path) -> None:
    description = described(tmp_path)
    description.write()
    description.forget()
    with pytest.raises(StackError):
        find(tmp_path)


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOR_HOME", str(tmp_path / "elsewhere"))
    assert home() == tmp_path / "elsewhere"
