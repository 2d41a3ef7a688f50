"""The publisher: brings what was committed to other systems, in order, by one process at a time."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, assert_never
from uuid import UUID

from lineshaft.model.errors import UnavailableError
from lineshaft.ports.clock import Clock
from lineshaft.ports.events import CloudEvent, EventSink
from lineshaft.ports.store import PUBLISH, PUBLISHER, OutboxEntry, Store, Transaction
from lineshaft.ports.wakeups import OUTBOX
from lineshaft.services.outbox import delay_after
from lineshaft.services.publishing.documents import resource_version, run_events
from lineshaft.services.publishing.wanting import ResourceVersion, RunEvents, read_entry

Pause = Callable[[timedelta], Awaitable[None]]

LEAD_TIME: Final = timedelta(seconds=10)
"""For how long a process has the lead that it has taken; it takes it again long before."""

_LEAD_ID: Final = UUID("6c696e65-7368-4166-8174-6c6561640000")
"""The id of the entry that the processes of all servers on a database compete for."""

_LOG: Final = logging.getLogger("lineshaft.events")
_ENTRIES: Final = 100
_PAGE: Final = 100
_LOOK_AGAIN: Final = timedelta(seconds=30)
_LOOK_FOR_LEAD: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(seconds=10)
_FIRST_PAUSE: Final = timedelta(milliseconds=200)
_REMEMBERED_RUNS: Final = 10_000


async def _sleep(pause: timedelta) -> None:
    await asyncio.sleep(pause.total_seconds())


class Publisher:
    """Publishes what entries of the kind `publish` are about, and removes these once it is durable there.

    No lane of the outbox does so, since one puts off what fails and goes on with what comes behind it: the
    events of a run would be out of order. The publisher waits instead, until the sink takes them. Of several
    processes one has the lead, for a short time that it prolongs. Two that both believe so do no harm: each
    publishes in order, and the sink knows a repeat by its id.
    """

    def __init__(self, store: Store, clock: Clock, sink: EventSink, *, pause: Pause = _sleep) -> None:
        """Make one.

        Args:
            store: where the events are.
            clock: tells the time.
            sink: where they go.
            pause: waits for a while after the sink was away.
        """
        self._store = store
        self._clock = clock
        self._sink = sink
        self._pause = pause
        self._leads_until: datetime | None = None
        self._told: OrderedDict[UUID, int] = OrderedDict()

    async def run(self) -> None:
        """Publish for ever; ends by cancellation only."""
        pause = _FIRST_PAUSE
        with self._store.wakeups.listen(OUTBOX) as listener:
            try:
                while True:
                    try:
                        again = await self.publish_due()
                        wait = _LOOK_AGAIN if self._leads_until is not None else _LOOK_FOR_LEAD
                        pause = _FIRST_PAUSE
                    except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                        self._complain(error, first=pause is _FIRST_PAUSE)
                        await self._pause(pause)
                        pause = min(pause * 2, _LONGEST_PAUSE)
                        continue
                    if not again:
                        await listener.wait(wait)
            finally:
                await self._give_up_lead()

    async def publish_due(self) -> int:
        """Publish some of what is due, if this process has the lead, and tell how many entries that were.

        Raises:
            UnavailableError: the sink, or the database, is away.
        """
        now = self._clock.now()
        entries = await self._store.read(lambda transaction: transaction.outbox.due(now, _ENTRIES, [PUBLISH]))
        if not entries or not await self._lead():
            return 0
        done: list[UUID] = []
        outcomes = await asyncio.gather(
            *(self._publish_in_order(each, done) for each in _by_source(entries)), return_exceptions=True
        )
        if done:
            await self._store.write(lambda transaction: transaction.outbox.done(done))
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return len(done)

    async def _publish_in_order(
        self, entries: Sequence[tuple[RunEvents | ResourceVersion, OutboxEntry]], done: list[UUID]
    ) -> None:
        for wanted, entry in entries:
            try:
                await self._publish(wanted)
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - one bad entry must not hold up all others for ever.
                _LOG.warning("What entry %s is about cannot be published now: %s", entry.id, repr(error))
                due_at = self._clock.now() + delay_after(entry.tries)
                await self._store.write(partial(_put_off, entry.id, due_at))
                return
            done.append(entry.id)

    async def _publish(self, wanted: RunEvents | ResourceVersion) -> None:
        match wanted:
            case RunEvents():
                if wanted.work:
                    await self._sink.announce(wanted.work)
                await self._publish_run(wanted)
            case ResourceVersion(resource_id=resource_id, version=version):
                found = await self._store.read(
                    lambda transaction: resource_version(transaction, resource_id, version)
                )
                if found is None:
                    _LOG.info("Version %d of resource %s is not kept any more.", version, resource_id)
                else:
                    await self._sink.publish([found])
            case _:
                assert_never(wanted)

    async def _publish_run(self, wanted: RunEvents) -> None:
        told = self._told.get(wanted.run_id)
        # Another process may have committed what comes before with a later time.
        number = wanted.first if told is None else told + 1
        while number <= wanted.last:
            events = await self._store.read(partial(_page, wanted, number))
            if not events:
                _LOG.info(
                    "Events %d to %d of run %s are not kept any more.", number, wanted.last, wanted.run_id
                )
                return
            await self._lead()
            await self._sink.publish(events)
            number += len(events)
            self._remember(wanted.run_id, number - 1)

    def _remember(self, run_id: UUID, number: int) -> None:
        self._told[run_id] = number
        self._told.move_to_end(run_id)
        if len(self._told) > _REMEMBERED_RUNS:
            self._told.popitem(last=False)

    async def _lead(self) -> bool:
        """Take the lead, or prolong it; False where another process has it."""
        now = self._clock.now()
        until = now + LEAD_TIME
        if self._leads_until is not None and now < self._leads_until - LEAD_TIME / 2:
            return True
        held = self._leads_until is not None and now < self._leads_until
        leads = await self._store.write(partial(_take_lead, now, until, held=held))
        self._leads_until = until if leads else None
        return leads

    async def _give_up_lead(self) -> None:
        if self._leads_until is None:
            return
        now, self._leads_until = self._clock.now(), None
        try:
            await self._store.write(partial(_put_off, _LEAD_ID, now))
        except Exception as error:  # noqa: BLE001 - another process has it a little later.
            _LOG.debug("The lead could not be given up: %s", repr(error))

    def _complain(self, error: Exception, *, first: bool) -> None:
        _LOG.log(
            logging.WARNING if first else logging.DEBUG,
            "Events cannot be published, and wait in the outbox: %s",
            error if isinstance(error, UnavailableError) else repr(error),
        )


def _by_source(
    entries: Sequence[OutboxEntry],
) -> list[list[tuple[RunEvents | ResourceVersion, OutboxEntry]]]:
    """Gather the entries of each run and resource, in order."""
    gathered: dict[UUID, list[tuple[RunEvents | ResourceVersion, OutboxEntry]]] = {}
    for entry in entries:
        wanted = read_entry(entry)
        gathered.setdefault(wanted.source_id, []).append((wanted, entry))
    for each in gathered.values():
        each.sort(key=lambda pair: pair[0].place)
    return list(gathered.values())


def _page(wanted: RunEvents, number: int, transaction: Transaction) -> Sequence[CloudEvent]:
    return run_events(transaction, wanted.run_id, number, wanted.last, _PAGE)


def _put_off(entry_id: UUID, due_at: datetime, transaction: Transaction) -> None:
    transaction.outbox.put_off(entry_id, due_at)


def _take_lead(now: datetime, until: datetime, transaction: Transaction, *, held: bool) -> bool:
    outbox = transaction.outbox
    if held:
        outbox.put_off(_LEAD_ID, until)
        return True
    if outbox.take(_LEAD_ID, now, until):
        return True
    if outbox.due(until + LEAD_TIME * 1000, 1, [PUBLISHER]):
        return False
    outbox.add(OutboxEntry(_LEAD_ID, PUBLISHER, {}), until)
    return True
