"""Telling forges: statuses leave until the forge has taken them, each forge at its own pace."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.model.commit_status import CommitStatus, WantedStatus
from lineshaft.model.connection import Connection
from lineshaft.model.errors import (
    ConnectionNotFoundError,
    ForgeBusyError,
    ForgeRefusedError,
    LineshaftError,
)
from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Forges, StatusReporter
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import STATUSES
from lineshaft.services.outbox import delay_after
from lineshaft.services.sources.connections import ConnectionService

MOST_AT_ONCE: Final = 4
"""How many calls of one connection are under way at once."""

TAKEN_FOR: Final = timedelta(seconds=60)
"""How long nobody else tells a status that a process has taken; one that dies is waited for that long."""

MOST_TRIES: Final = 152
"""After so many, which take about a day, a forge that does not answer is told nothing more of it."""

_LOG: Final = logging.getLogger("lineshaft.statuses")
_CALL_TAKES: Final = timedelta(seconds=45)
_LOOK_AGAIN: Final = timedelta(seconds=30)
_MAKING_ROOM: Final = timedelta(seconds=1)
_LONGEST_ERROR: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Hold:
    """A status that this process has taken."""

    status: WantedStatus
    until: datetime


class StatusTelling:
    """Tells forges what they are to show. Any number of processes may do so at once."""

    def __init__(
        self, store: Store, clock: Clock, connections: ConnectionService, forges: Forges, public_url: str
    ) -> None:
        """Make it.

        Args:
            store: where the statuses are.
            clock: tells the time.
            connections: knows where forges are, and the tokens that sign in there.
            forges: call them.
            public_url: where people reach this server; empty where that is not known.
        """
        self._store = store
        self._clock = clock
        self._connections = connections
        self._forges = forges
        self._public_url = public_url.rstrip("/")
        self._under_way: dict[asyncio.Task[None], _Hold] = {}
        self._paused: dict[str, datetime] = {}

    async def run(self) -> None:
        """Tell for ever; ends by cancellation only, and lets go of what it has not told."""
        with self._store.wakeups.listen(STATUSES) as listener:
            try:
                while True:
                    wait = _LOOK_AGAIN
                    try:
                        wait = await self.begin_due()
                    except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                        _LOG.warning("Statuses cannot be told now: %s", repr(error))
                    await listener.wait(min(wait, _LOOK_AGAIN))
            finally:
                await self._stop()

    async def begin_due(self) -> timedelta:
        """Begin to tell what is due, as far as there is room for it, and say how long nothing will be."""
        while True:
            now = self._clock.now()
            busy = self._busy(now)
            due_at = await self._store.read(_next_due(busy))
            if due_at is None or due_at > now:
                ends = [each for each in (due_at, *self._paused.values()) if each is not None]
                return min((each - now for each in ends), default=_LOOK_AGAIN)
            if not await self._begin(now, busy):
                return _MAKING_ROOM

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def of_run(self, run_id: UUID) -> Sequence[WantedStatus]:
        """List what forges are to show of a run, by node; empty where none wants to know."""
        return await self._store.read(lambda transaction: transaction.statuses.of_run(run_id))

    def _busy(self, now: datetime) -> frozenset[str]:
        """Name the connections that are called no more for now."""
        self._paused = {name: until for name, until in self._paused.items() if until > now}
        full = {name for name, count in self._counts().items() if count >= MOST_AT_ONCE}
        return frozenset(full | self._paused.keys())

    def _counts(self) -> Counter[str]:
        return Counter(hold.status.target.connection for hold in self._under_way.values())

    async def _begin(self, now: datetime, busy: frozenset[str]) -> int:
        until = now + TAKEN_FOR
        # All of them may be of the connection that has the least room.
        room = MOST_AT_ONCE - max((n for n in self._counts().values() if n < MOST_AT_ONCE), default=0)
        taken = await self._store.write(
            lambda transaction: transaction.statuses.take(now, until, limit=room, passing_over=busy)
        )
        for status in taken:
            task = asyncio.create_task(self._tell(_Hold(status, until)))
            self._under_way[task] = _Hold(status, until)
            task.add_done_callback(self._ended)
        return len(taken)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.warning("What came of a status cannot be noted, so that it is told again: %s", repr(error))
        self._store.wakeups.wake(frozenset({STATUSES}))

    async def _stop(self) -> None:
        holds = dict(self._under_way)
        for task in holds:
            task.cancel()
        await asyncio.gather(*holds, return_exceptions=True)
        left = [hold for task, hold in holds.items() if task.cancelled()]

        def work(transaction: Transaction) -> None:
            for hold in left:
                transaction.statuses.put_back(hold.status, hold.until)

        if left:
            # Who is waiting for it otherwise tells it a minute later.
            with suppress(Exception):
                await self._store.write(work)

    async def _tell(self, hold: _Hold) -> None:
        try:
            async with asyncio.timeout(_CALL_TAKES.total_seconds()):
                await self._call(hold.status)
        except ForgeBusyError as error:
            await self._pause(hold, error)
        except Exception as error:  # noqa: BLE001 - one status must not hold up the others.
            await self._note_failure(hold, error)
        else:
            await self._store.write(lambda transaction: transaction.statuses.told(hold.status, hold.until))

    async def _call(self, status: WantedStatus) -> None:
        connection = await self._connection(status)
        reporter = self._reporter(connection)
        token = await self._connections.token_of(connection)
        if token is None:
            raise _given_up(f"The connection '{connection.name}' has no token to set statuses with.")
        target = status.target
        shown = self._shown(status)
        await reporter.report(connection, token, target.repository, target.commit, shown)

    async def _connection(self, status: WantedStatus) -> Connection:
        try:
            connection = await self._connections.get(status.target.connection)
        except ConnectionNotFoundError as error:
            raise _given_up(error.message) from error
        if not connection.statuses:
            raise _given_up(f"The connection '{connection.name}' is told no statuses.")
        return connection

    def _reporter(self, connection: Connection) -> StatusReporter:
        reporter = self._forges.reporter(connection.kind)
        if reporter is None:
            raise _given_up(f"A host of the kind '{connection.kind}' takes no statuses.")
        return reporter

    def _shown(self, status: WantedStatus) -> CommitStatus:
        noun = "runs" if status.has_run else "deliveries"
        url = f"{self._public_url}/v1/{noun}/{status.run_id}" if self._public_url else ""
        return replace(status.status, url=url)

    async def _pause(self, hold: _Hold, error: ForgeBusyError) -> None:
        """Leave a whole connection alone for as long as its forge says."""
        name = hold.status.target.connection
        until = max(self._clock.now() + error.retry_after, self._paused.get(name, hold.until - TAKEN_FOR))
        self._paused[name] = until
        _LOG.info("%s", error.message)

        def work(transaction: Transaction) -> None:
            transaction.statuses.put_back(hold.status, hold.until)
            # Other processes learn of it as well.
            transaction.statuses.put_off(name, until)

        await self._store.write(work)

    async def _note_failure(self, hold: _Hold, error: Exception) -> None:
        status = hold.status
        is_final = isinstance(error, ForgeRefusedError) or status.tries + 1 >= MOST_TRIES
        due_at = None if is_final else self._clock.now() + delay_after(status.tries)
        text = _text_of(error)
        await self._store.write(_failing(hold, text, due_at))
        _LOG.log(
            logging.WARNING if is_final else logging.INFO,
            "The status '%s' of %s %s: %s",
            status.status.context,
            status.run_id,
            "is given up" if is_final else "is put off",
            text,
        )


def _failing(hold: _Hold, text: str, due_at: datetime | None) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.statuses.failed(hold.status, hold.until, error=text, due_at=due_at)


def _next_due(busy: frozenset[str]) -> Callable[[Transaction], datetime | None]:
    return lambda transaction: transaction.statuses.next_due(passing_over=busy)


def _given_up(message: str) -> ForgeRefusedError:
    return ForgeRefusedError(message, advice="`lineshaft connection list` shows those there are.")


def _text_of(error: Exception) -> str:
    match error:
        case LineshaftError():
            text = " ".join(part for part in (error.message, error.advice) if part)
        case TimeoutError():
            text = f"The forge has not answered for {_CALL_TAKES.total_seconds():g} seconds."
        case _:
            # Nobody knows what stands in its words.
            text = f"A fault of this server's: {type(error).__name__}."
    return text[:_LONGEST_ERROR]
