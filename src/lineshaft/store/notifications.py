"""Wake-ups between processes, by PostgreSQL's NOTIFY and LISTEN."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Any, Final

import asyncpg

from lineshaft.store.backoff import Backoff
from lineshaft.store.driver import DatabaseLostError
from lineshaft.store.wakeups import LocalWakeUps

CHANNEL: Final = "lineshaft"
"""The channel of all notifications; their payload is the sender and the topics, a line each."""

MOST_BYTES: Final = 7999
"""How long a payload may be (postgresql.org/docs/current/sql-notify.html)."""

_CHECK_EVERY_S: Final = 60.0
_CHECK_TIMEOUT_S: Final = 10.0

_FAILURES: Final = (OSError, DatabaseLostError, asyncpg.PostgresError, asyncpg.InterfaceError)


def payloads(sender: str, topics: Iterable[str]) -> Iterator[str]:
    """Join topics to as few payloads as they fit into."""
    lines, size = [sender], len(sender)
    for topic in sorted(topics):
        added = 1 + len(topic.encode())
        if size + added > MOST_BYTES and len(lines) > 1:
            yield "\n".join(lines)
            lines, size = [sender], len(sender)
        lines.append(topic)
        size += added
    yield "\n".join(lines)


class Notifications:
    """Hears what other processes announce, on a connection of its own that is made anew when it breaks."""

    def __init__(
        self, connect: Callable[[], Awaitable[Any]], wakeups: LocalWakeUps, backoff: Backoff
    ) -> None:
        """Prepare to listen.

        Args:
            connect: makes an asyncpg connection.
            wakeups: is told what is heard.
            backoff: how to wait between tries to connect.
        """
        self.sender: Final = secrets.token_hex(8)
        self._connect = connect
        self._wakeups = wakeups
        self._backoff = backoff
        self._listener: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Begin to listen; returns when that has begun.

        Raises:
            DatabaseLostError: the database cannot be reached.
        """
        connection, broken = await self._open()
        self._listener = asyncio.create_task(self._serve(connection, broken), name="lineshaft-listen")

    async def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def _open(self) -> tuple[Any, asyncio.Event]:
        connection = await self._connect()
        broken = asyncio.Event()
        connection.add_termination_listener(lambda _: broken.set())
        await connection.add_listener(CHANNEL, self._heard)
        return connection, broken

    async def _serve(self, connection: Any, broken: asyncio.Event) -> None:
        while True:
            try:
                await _until_broken(connection, broken)
            finally:
                connection.terminate()
            connection, broken = await self._open_again()
            self._wakeups.wake_all()  # Nobody knows what was announced meanwhile.

    async def _open_again(self) -> tuple[Any, asyncio.Event]:
        longest = self._backoff.longest.total_seconds()
        for wait in chain(self._backoff.waits(), repeat(longest)):
            try:
                return await self._open()
            except _FAILURES:
                await self._backoff.sleep(wait)
        raise AssertionError("the waits are endless")

    def _heard(self, _connection: Any, _process_id: int, _channel: str, payload: str) -> None:
        sender, *topics = payload.split("\n")
        if sender != self.sender:
            self._wakeups.wake(frozenset(topics))


async def _until_broken(connection: Any, broken: asyncio.Event) -> None:
    """Wait until a connection is broken, asking now and then, since a silent network would not tell."""
    while True:
        try:
            async with asyncio.timeout(_CHECK_EVERY_S):
                await broken.wait()
        except TimeoutError:
            try:
                await connection.execute("SELECT 1", timeout=_CHECK_TIMEOUT_S)
            except _FAILURES:
                return
        else:
            return
