"""The outbox's delivery: what was committed is done at least once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.ports.clock import Clock
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.ports.wakeups import OUTBOX

Handler = Callable[[OutboxEntry], Awaitable[None]]
"""Does what an entry asks for. Idempotent, since it may be called again for the same entry."""

_LOG: Final = logging.getLogger("lineshaft.outbox")
_BATCH: Final = 100
_LOOK_AGAIN: Final = timedelta(seconds=30)
_FIRST_DELAY: Final = timedelta(seconds=1)
_LONGEST_DELAY: Final = timedelta(minutes=10)


def delay_after(tries: int) -> timedelta:
    """Say how long to wait before the next try, after a number of tries in vain before the last one."""
    return min(_FIRST_DELAY * (1 << min(tries, 16)), _LONGEST_DELAY)


@dataclass(frozen=True, slots=True)
class Lane:
    """How the entries of one kind are delivered, whatever becomes of those of other kinds.

    Attributes:
        handler: does what an entry asks for.
        at_once: how many of them are handled at the same time in one process.
        taken_for: for how long an entry belongs to the process that begins to handle it, so that no other one
            does so meanwhile; it has to be longer than the handler may take. None where repeats do no harm.
    """

    handler: Handler
    at_once: int = 1
    taken_for: timedelta | None = None


@dataclass(slots=True)
class _Traffic:
    """What is on its way in a lane.

    Attributes:
        lane: how it goes there.
        waiting: entries that no task has begun with.
        known: the ids of those that wait, are being handled, or are yet to be written down as handled.
        tasks: those that handle entries, one after the other.
        more: whether the outbox may hold further entries of the kind that are due.
    """

    lane: Lane
    waiting: deque[OutboxEntry] = field(default_factory=deque)
    known: set[UUID] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    more: bool = False


class OutboxDelivery:
    """Takes due entries to their handlers, each kind in a lane of its own, and puts off those that fail.

    Within a lane the oldest entries go first. In one process no entry is handled twice at the same time.
    """

    def __init__(self, store: Store, clock: Clock, lanes: Mapping[str, Lane]) -> None:
        """Make one.

        Args:
            store: holds the outbox.
            clock: tells what is due.
            lanes: those of all kinds that are delivered, by the kind.
        """
        self._store = store
        self._clock = clock
        self._traffic = {kind: _Traffic(lane) for kind, lane in lanes.items()}
        self._handled: dict[UUID, datetime | None] = {}
        self._writing: asyncio.Task[None] | None = None
        # What is read from the outbox must not be older than what was written to it meanwhile.
        self._reading_or_writing = asyncio.Lock()

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation only."""
        with self._store.wakeups.listen(OUTBOX) as listener:
            try:
                while True:
                    await self._look_and_go_on(list(self._traffic))
                    await listener.wait(_LOOK_AGAIN)
            finally:
                await self._stop()

    async def deliver_due(self) -> int:
        """Deliver what is due, wait for all that is on its way, and return how many entries that were."""
        await self._look(list(self._traffic))
        count = sum(len(each.known) for each in self._traffic.values())
        while tasks := self._tasks():
            await asyncio.wait(tasks)
        await self._write_down()
        return count

    async def _look_and_go_on(self, kinds: Sequence[str]) -> None:
        try:
            await self._write_down()
            await self._look(kinds)
        except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
            _LOG.warning("The outbox cannot be read: %s", repr(error))

    async def _look(self, kinds: Sequence[str]) -> None:
        """Take in the entries of some kinds that are due, and see to it that they are handled."""
        async with self._reading_or_writing:
            now = self._clock.now()
            entries = await self._store.read(lambda transaction: transaction.outbox.due(now, _BATCH, kinds))
            for kind in kinds:
                self._take_in(kind, [entry for entry in entries if entry.kind == kind])

    def _take_in(self, kind: str, entries: Sequence[OutboxEntry]) -> None:
        traffic = self._traffic[kind]
        new = [entry for entry in entries if entry.id not in traffic.known]
        # Those that are known already are due as well, and there are never more of them than are read.
        traffic.more = len(entries) == _BATCH
        traffic.waiting.extend(new)
        traffic.known.update(entry.id for entry in new)
        for _ in range(min(traffic.lane.at_once - len(traffic.tasks), len(traffic.waiting))):
            traffic.tasks.add(asyncio.create_task(self._work(kind, traffic)))

    async def _work(self, kind: str, traffic: _Traffic) -> None:
        try:
            await self._work_off(kind, traffic)
        finally:
            # Not by a callback, which comes later: what is taken in at that moment would find no task.
            if (task := asyncio.current_task()) is not None:
                traffic.tasks.discard(task)

    async def _work_off(self, kind: str, traffic: _Traffic) -> None:
        while traffic.waiting:
            entry = traffic.waiting.popleft()
            await self._deliver(entry, traffic)
            if self._handled and self._writing is None:
                self._writing = asyncio.create_task(self._write_all_down())
            if traffic.more and not traffic.waiting:
                traffic.more = False
                await self._look_and_go_on([kind])

    async def _deliver(self, entry: OutboxEntry, traffic: _Traffic) -> None:
        try:
            if not await self._take(entry, traffic.lane):
                traffic.known.discard(entry.id)
                return
            await traffic.lane.handler(entry)
        except Exception as error:  # noqa: BLE001 - one bad entry must not hold up the others.
            _LOG.warning("Outbox entry %s (%s) failed and is put off: %s", entry.id, entry.kind, repr(error))
            self._handled[entry.id] = self._clock.now() + delay_after(entry.tries)
        else:
            self._handled[entry.id] = None

    async def _take(self, entry: OutboxEntry, lane: Lane) -> bool:
        if lane.taken_for is None:
            return True
        now = self._clock.now()
        until = now + lane.taken_for
        return await self._store.write(lambda transaction: transaction.outbox.take(entry.id, now, until))

    async def _write_all_down(self) -> None:
        try:
            while self._handled:
                await self._write_down()
        except Exception as error:  # noqa: BLE001 - it is tried again before the outbox is next looked at.
            _LOG.warning("It cannot be written down what of the outbox is done: %s", repr(error))
        finally:
            self._writing = None

    async def _write_down(self) -> None:
        """Write down what has been handled since the last time, all of it at once."""
        async with self._reading_or_writing:
            handled = dict(self._handled)
            if not handled:
                return

            def work(transaction: Transaction) -> None:
                transaction.outbox.done([entry_id for entry_id, due_at in handled.items() if due_at is None])
                for entry_id, due_at in handled.items():
                    if due_at is not None:
                        transaction.outbox.put_off(entry_id, due_at)

            await self._store.write(work)
            for entry_id in handled:
                del self._handled[entry_id]
            for traffic in self._traffic.values():
                traffic.known.difference_update(handled)

    def _tasks(self) -> list[asyncio.Task[None]]:
        handling = [task for each in self._traffic.values() for task in each.tasks]
        return handling if self._writing is None else [*handling, self._writing]

    async def _stop(self) -> None:
        tasks = self._tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for traffic in self._traffic.values():
            traffic.waiting.clear()
            traffic.known = {entry_id for entry_id in traffic.known if entry_id in self._handled}
