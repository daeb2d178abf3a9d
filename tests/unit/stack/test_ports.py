"""Ports are free, distinct, and the same at the next start."""

import socket
from pathlib import Path

from candor_stack.ports import LOOPBACK, Ports

NAMES = ("one", "two", "three")


def test_names_get_distinct_ports_that_can_be_bound(tmp_path: Path) -> None:
    chosen = Ports(tmp_path / "ports.json").choose(NAMES)
    assert len(set(chosen.values())) == len(NAMES)
    for port in chosen.values():
        with socket.create_server((LOOPBACK, port)):
            pass


def test_the_next_start_gets_the_same_ports(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    assert Ports(file).choose(NAMES) == Ports(file).choose(NAMES)


def test_a_port_somebody_else_holds_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    before = Ports(file).choose(NAMES)
    with socket.create_server((LOOPBACK, before["two"])):
        after = Ports(file).choose(NAMES)
    assert after["two"] != before["two"]
    assert (after["one"], after["three"]) == (before["one"], before["three"])


def test_a_spoilt_file_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("{half")
    assert set(Ports(file).choose(NAMES)) == set(NAMES)
