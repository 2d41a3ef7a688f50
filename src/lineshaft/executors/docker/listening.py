"""Whether a container listens on a port, by what the kernel tells of its network.

No program in the container is asked for a connection, and nobody connects to it: a worker may have no way to
the networks of its engine, and many an image has no program that could try. The kernel lists the sockets of
a network in `/proc/PID/net/tcp` and `tcp6`, for each process in it
(https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html). Where the engine is this machine's, the
worker reads that; elsewhere `cat` does, in the container.
"""

import contextlib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

TABLES: Final = ("tcp", "tcp6")
"""The names of the kernel's lists."""

_LISTENS: Final = "0A"
_LEAST_COLUMNS: Final = 4
_LOOPBACK_END: Final = "7F"
_LOOPBACK_6: Final = "00000000000000000000000001000000"
_MAPPED_BEGINNING: Final = "0000000000000000FFFF0000"


class Listening(StrEnum):
    """Who can connect to a port."""

    NOBODY = "nobody"
    ITSELF = "itself"
    OTHERS = "others"


def listening(tables: Iterable[str], port: int) -> Listening:
    """Find out from the kernel's lists who can connect to a port.

    Args:
        tables: the text of `/proc/net/tcp` and `tcp6`.
        port: the port.
    """
    found = Listening.NOBODY
    for address in _listeners(tables, port):
        if not _is_loopback(address):
            return Listening.OTHERS
        found = Listening.ITSELF
    return found


def tables_on_this_machine(pid: int, container_id: str) -> list[str] | None:
    """Read the lists of a container whose engine is on this machine.

    Args:
        pid: its first process, as the engine tells it.
        container_id: its id, by which the process is recognised.

    Returns:
        The lists; None where that process is none of this machine, or has ended.
    """
    process = Path("/proc") / str(pid)
    try:
        # Of an engine elsewhere, the same number may be any process here.
        if container_id not in (process / "cgroup").read_text():
            return None
    except OSError:
        return None
    tables = []
    for name in TABLES:
        # A kernel without IPv6 has no tcp6.
        with contextlib.suppress(OSError):
            tables.append((process / "net" / name).read_text())
    return tables or None


def _listeners(tables: Iterable[str], port: int) -> Iterator[str]:
    for table in tables:
        for line in table.splitlines():
            columns = line.split()
            if len(columns) < _LEAST_COLUMNS or columns[3] != _LISTENS:
                continue
            address, _, hexadecimal = columns[1].partition(":")
            if hexadecimal == f"{port:04X}":
                yield address


def _is_loopback(address: str) -> bool:
    # Each word of four bytes stands there with its last byte first.
    if len(address) < len(_LOOPBACK_6):
        return address.endswith(_LOOPBACK_END)
    mapped = address.startswith(_MAPPED_BEGINNING) and address.endswith(_LOOPBACK_END)
    return address == _LOOPBACK_6 or mapped
