"""Many connections that GET one address as fast as they are answered."""

import re
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from measure.failure import BenchmarkError
from measure.server_process import HOST

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS: Final = re.compile(
    r"Socket errors: connect (?P<connect>\d+), read (?P<read>\d+), "
    r"write (?P<write>\d+), timeout (?P<timeout>\d+)"
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for.

    Attributes:
        port: on loopback.
        path: with its leading slash.
        headers: sent with every request.
        breaks_off: whether the server is known to close connections between two answers, which is forgiven.
    """

    port: int
    path: str
    headers: Mapping[str, str]
    breaks_off: bool = False


def tool() -> str:
    """Name what produces the load on this machine."""
    return "wrk" if shutil.which("wrk") else "the built-in loader"


def requests_per_second(target: Target, *, connections: int, seconds: int) -> float:
    """GET the target over so many connections for so long, and return the rate.

    Raises:
        BenchmarkError: an answer was not 200, or a connection broke.
    """
    if shutil.which("wrk"):
        return _wrk(target, connections, seconds)
    return _built_in(target, connections, seconds)


def _wrk(target: Target, connections: int, seconds: int) -> float:
    headers = [part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")]
    url = f"http://{HOST}:{target.port}{target.path}"
    report = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *headers, url],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
    ).stdout
    rate = _RATE.search(report)
    if rate is None or "Non-2xx" in report or _errors(report, reads_count=not target.breaks_off):
        raise BenchmarkError(f"not every GET of {target.path} succeeded:\n{report}")
    return float(rate[1])


def _errors(report: str, *, reads_count: bool) -> bool:
    """Tell whether wrk met errors of its sockets; after one it connects anew and goes on."""
    errors = _ERRORS.search(report)
    return errors is not None and any(
        int(count) for kind, count in errors.groupdict().items() if reads_count or kind != "read"
    )


def _built_in(target: Target, connections: int, seconds: int) -> float:
    lines = [f"GET {target.path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in target.headers.items()]
    request = "\r\n".join([*lines, "", ""]).encode()
    answered = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = socket.create_connection((HOST, target.port), timeout=30)
            asked = _Exchange(connection)
            selector.register(connection, selectors.EVENT_READ, asked)
            asked.ask(request)
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds:
            for key, _ in selector.select(timeout=30):
                exchange: _Exchange = key.data
                if exchange.is_answered():
                    answered += 1
                    exchange.ask(request)
        spent = time.perf_counter() - begin
        for key in selector.get_map().values():
            key.data.connection.close()
    return answered / spent


class _Exchange:
    """A request and what has come of its answer, over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._received = b""

    def ask(self, request: bytes) -> None:
        self._received = b""
        self.connection.sendall(request)

    def is_answered(self) -> bool:
        piece = self.connection.recv(1 << 16)
        self._received += piece
        head, end, body = self._received.partition(_HEAD_END)
        if not piece or (end and head.split(b" ", 2)[1] != b"200"):
            raise BenchmarkError(f"a GET was answered by {self._received[:200]!r}")
        length = _LENGTH.search(head)
        return bool(end) and length is not None and len(body) >= int(length[1])
