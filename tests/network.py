"""A network between workers and their server that tests can cut, hang, hold up and heal.

It is a TCP proxy in a thread of its own. It knows enough of HTTP/1.1 to tell one request from the next on a
connection, which is all that a client sends before it has its answer.
"""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

PATIENCE_SECONDS = 100.0
"""How long a test waits for anything at all; it is a net under what hangs, and nothing waits for it."""

_PIECE_BYTES = 1 << 16
_REQUEST = re.compile(rb"(?:GET|POST|PUT|DELETE) (\S+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that went through, or that was swallowed.

    Attributes:
        path: of the request, without its query.
        status: of the answer.
    """

    path: str
    status: int


@dataclass(eq=False, slots=True)
class Rule:
    """What happens to a message; see `Network`.

    Attributes:
        path: how the request's path ends.
        needle: what is in the answer's body.
        struck: set once it has happened.
        released: ends what it holds up.
    """

    path: str
    needle: bytes = b""
    struck: threading.Event = field(default_factory=threading.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def wait(self) -> None:
        """Wait until it has happened."""
        assert self.struck.wait(PATIENCE_SECONDS), f"nothing happened on {self.path}"


@dataclass(eq=False, slots=True)
class _Connection:
    """One connection of a client's, and the one to the server that belongs to it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    path: str = ""

    def abort(self) -> None:
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


class Network:
    """The way to a server: `lead_to` says to which one, `address` is where it begins."""

    def __init__(self) -> None:
        self.address = ""
        self._answers: list[Answered] = []
        self._answered = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._upstream: tuple[str, int] | None = None
        self._cut = False
        self._open = asyncio.Event()
        self._connections: set[_Connection] = set()
        self._held: list[Rule] = []
        self._swallowed: list[Rule] = []

    def open(self) -> None:
        """Begin to serve, in a thread of its own."""
        self._thread.start()
        self.address = self._call(self._listen())

    def close(self) -> None:
        """Break all connections, and serve no more."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def lead_to(self, address: str) -> None:
        """Lead new connections to the server at an address."""
        parts = urlsplit(address)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)

    def cut(self) -> None:
        """Break all connections, and refuse new ones, until `heal`."""
        self._call(self._break(cut=True))

    def hang(self) -> None:
        """Let no byte pass in either direction, and tell nobody, until `heal`."""
        self._call(self._close_gate())

    def heal(self) -> None:
        """Let everything pass again; connections that were broken or had an answer swallowed stay broken."""
        self._call(self._mend())

    def swallow(self, path: str, needle: bytes = b"") -> Rule:
        """Keep the next answer to a request whose path ends so, with this in its body, from its client.

        The server has done what was asked then. The connection hangs until `heal` or `cut` breaks it.
        """
        rule = Rule(path, needle)
        self._swallowed.append(rule)
        return rule

    def hold(self, path: str) -> Rule:
        """Keep requests whose path ends so from the server until `release`."""
        rule = Rule(path)
        self._held.append(rule)
        return rule

    def release(self, rule: Rule) -> None:
        """Let what a rule holds up go on, and hold up no more."""
        self._held.remove(rule)
        self._loop.call_soon_threadsafe(rule.released.set)

    def wait_for(self, path: str, status: int) -> None:
        """Wait until a request whose path ends so was answered with a status since the last `forget`."""

        def answered() -> bool:
            return any(each.path.endswith(path) and each.status == status for each in self._answers)

        with self._answered:
            assert self._answered.wait_for(answered, PATIENCE_SECONDS), self._answers

    def forget(self) -> None:
        """Forget the answers that were given so far."""
        with self._answered:
            self._answers.clear()

    def _record(self, answered: Answered) -> None:
        with self._answered:
            self._answers.append(answered)
            self._answered.notify_all()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _listen(self) -> str:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return "http://{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _break(self, *, cut: bool) -> None:
        self._cut = cut
        for connection in tuple(self._connections):
            connection.abort()

    async def _close_gate(self) -> None:
        self._open.clear()

    async def _mend(self) -> None:
        self._cut = False
        self._open.set()
        for rule in self._swallowed:
            rule.released.set()
        self._swallowed.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        self._connections.add(connection)
        try:
            await self._open.wait()
            if self._cut or self._upstream is None:
                return
            answers, connection.server = await asyncio.open_connection(*self._upstream)
            ways = [
                asyncio.create_task(self._carry_requests(connection, reader, connection.server)),
                asyncio.create_task(self._carry_answers(connection, answers, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # Whoever speaks to a server that is away finds its connection broken.
        finally:
            connection.abort()
            self._connections.discard(connection)

    async def _carry_requests(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while piece := await reader.read(_PIECE_BYTES):
            if begun := _REQUEST.match(piece):
                connection.path = begun[1].partition(b"?")[0].decode()
                for rule in tuple(self._held):
                    if connection.path.endswith(rule.path):
                        rule.struck.set()
                        await rule.released.wait()
            await self._open.wait()
            writer.write(piece)
            await writer.drain()

    async def _carry_answers(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while piece := await reader.read(_PIECE_BYTES):
            whole = piece
            if piece.startswith(b"HTTP/1.1 "):
                path = connection.path
                if any(path.endswith(rule.path) for rule in self._swallowed):
                    whole = await _rest_of(piece, reader)
                self._record(Answered(path, int(piece[9:12])))
                rule = self._swallowing(path, whole)
                if rule is not None:
                    rule.struck.set()
                    await rule.released.wait()
                    return
            await self._open.wait()
            writer.write(whole)
            await writer.drain()

    def _swallowing(self, path: str, answer: bytes) -> Rule | None:
        for rule in self._swallowed:
            if path.endswith(rule.path) and rule.needle in answer and not rule.struck.is_set():
                return rule
        return None


async def _rest_of(piece: bytes, reader: asyncio.StreamReader) -> bytes:
    """Read an answer of known length to its end."""
    while True:
        head, end, body = piece.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            return piece
        more = await reader.read(_PIECE_BYTES)
        if not more:
            return piece
        piece += more


@contextmanager
def network() -> Iterator[Network]:
    """Have a network that leads nowhere yet."""
    opened = Network()
    opened.open()
    try:
        yield opened
    finally:
        opened.close()
