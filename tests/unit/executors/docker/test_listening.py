"""Who can connect to a port, by the kernel's own lists."""

import os
import socket
from pathlib import Path

import pytest

from lineshaft.executors.docker.listening import Listening, listening, tables_on_this_machine

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
PORT = 5432


def table(address: str, state: str = "0A", port: int = PORT) -> str:
    return f"{HEAD}   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000\n"


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("00000000", Listening.OTHERS),
        ("020011AC", Listening.OTHERS),
        ("0100007F", Listening.ITSELF),
        ("0B00007F", Listening.ITSELF),
        ("0" * 32, Listening.OTHERS),
        ("00000000000000000000000001000000", Listening.ITSELF),
        ("0000000000000000FFFF00000100007F", Listening.ITSELF),
        ("0000000000000000FFFF0000020011AC", Listening.OTHERS),
        ("000080FE00000000FF005450867B3EFE", Listening.OTHERS),
    ],
)
def test_an_address_tells_who_can_connect(address: str, who: Listening) -> None:
    assert listening([table(address)], PORT) is who


def test_a_connection_is_nothing_that_listens() -> None:
    assert listening([table("00000000", state="01")], PORT) is Listening.NOBODY


def test_another_port_does_not_count() -> None:
    assert listening([table("00000000", port=80)], PORT) is Listening.NOBODY


def test_one_address_that_others_reach_is_enough() -> None:
    assert listening([table("0100007F"), table("00000000000000000000000000000000")], PORT) is Listening.OTHERS


def test_what_makes_no_sense_is_passed_over() -> None:
    assert listening(["", "0A 0A 0A", "x y z 0A"], PORT) is Listening.NOBODY


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="the kernel's lists are Linux's")
def test_the_lists_of_a_process_are_read_where_it_belongs_to_the_container() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        tables = tables_on_this_machine(os.getpid(), "")
        assert tables is not None
        assert listening(tables, server.getsockname()[1]) is Listening.ITSELF


def test_the_process_of_another_container_is_not_looked_at() -> None:
    assert tables_on_this_machine(os.getpid(), "no such container") is None


def test_a_process_that_is_gone_has_no_lists() -> None:
    assert tables_on_this_machine(0, "") is None
