"""The outbox's delivery: each kind in a lane of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from definitions import read_definition
from lineshaft.definition import read_generated
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import OutboxEntry, Store, Transaction
from lineshaft.services.outbox import Handler, Lane, OutboxDelivery
from lineshaft.store import open_store

MINUTE = timedelta(minutes=1)


class Post:
    """A handler that says what it was given, and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun: list[UUID] = []
        self.ended: list[UUID] = []
        self.at_work = 0
        self.most_at_work = 0
        self.open = asyncio.Event()
        self.changed = asyncio.Condition()

    async def handle(self, entry: OutboxEntry) -> None:
        self.begun.append(entry.id)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await self._tell()
        try:
            await self.open.wait()
            self.ended.append(entry.id)
        finally:
            self.at_work -= 1
            await self._tell()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


class Office:
    """A store with an outbox."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.ids = RandomIds()

    async def add(self, kind: str, count: int = 1) -> list[UUID]:
        now = self.clock.now()
        entries = [OutboxEntry(self.ids.new_id(), kind, {}) for _ in range(count)]

        def work(transaction: Transaction) -> None:
            for entry in entries:
                transaction.outbox.add(entry, now)

        await self.store.write(work)
        return [entry.id for entry in entries]

    async def left(self) -> list[OutboxEntry]:
        """List all that the outbox holds, whenever it is due."""
        far = self.clock.now() + timedelta(days=9)
        return list(await self.store.read(lambda transaction: transaction.outbox.due(far, 9_999)))

    def delivery(self, **lanes: Lane) -> OutboxDelivery:
        return OutboxDelivery(self.store, self.clock, lanes)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    store = await open_store(
        "sqlite://", ids=RandomIds(), read_definition=read_definition, read_generated=read_generated
    )
    try:
        yield Office(store)
    finally:
        await store.close()


@asynccontextmanager
async def running(delivery: OutboxDelivery) -> AsyncIterator[None]:
    task = asyncio.create_task(delivery.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_kind_does_not_hold_up_another(office: Office) -> None:
    slow, quick = Post(), Post()
    quick.open.set()
    await office.add("mail", 150)
    async with running(office.delivery(mail=Lane(slow.handle, at_once=2), log=Lane(quick.handle))):
        await slow.until(lambda: slow.at_work == 2)
        logs = await office.add("log", 150)
        await quick.until(lambda: len(quick.ended) == 150)

    assert quick.ended == sorted(logs)
    assert slow.ended == []


async def test_no_more_of_a_kind_are_handled_at_once_than_its_lane_allows(office: Office) -> None:
    post = Post()
    await office.add("mail", 12)
    async with running(office.delivery(mail=Lane(post.handle, at_once=3))):
        await post.until(lambda: post.at_work == 3)
        post.open.set()
        await post.until(lambda: len(post.ended) == 12)

    assert post.most_at_work == 3


async def test_an_entry_that_is_being_handled_is_not_begun_again(office: Office) -> None:
    post = Post()
    delivery = office.delivery(mail=Lane(post.handle, at_once=3))
    async with running(delivery):
        [first] = await office.add("mail")
        await post.until(lambda: post.at_work == 1)
        [second] = await office.add("mail")
        await post.until(lambda: post.at_work == 2)
        post.open.set()
        await delivery.deliver_due()

    assert post.begun == [first, second]
    assert await office.left() == []


async def test_more_than_a_batch_is_handled_with_one_wake_up(office: Office) -> None:
    post = Post()
    post.open.set()
    ids = await office.add("mail", 250)
    async with running(office.delivery(mail=Lane(post.handle, at_once=2))):
        await post.until(lambda: len(post.ended) == 250)

    assert Counter(post.begun) == Counter(ids)


async def test_settling_waits_for_what_is_on_its_way_already(office: Office) -> None:
    post = Post()
    delivery = office.delivery(mail=Lane(post.handle))
    async with running(delivery):
        await office.add("mail")
        await post.until(lambda: post.at_work == 1)
        settling = asyncio.create_task(delivery.deliver_due())
        post.open.set()
        await settling

        assert len(post.ended) == 1
        assert await office.left() == []


async def test_one_that_fails_is_put_off_and_the_others_are_done(office: Office) -> None:
    bad, *_ = await office.add("mail", 3)

    async def handle(entry: OutboxEntry) -> None:
        if entry.id == bad:
            raise RuntimeError("no")

    await office.delivery(mail=Lane(handle)).deliver_due()

    [left] = await office.left()
    assert (left.id, left.tries) == (bad, 1)


async def test_what_was_put_off_is_tried_again_when_it_is_due(office: Office) -> None:
    tries: list[int] = []

    async def handle(entry: OutboxEntry) -> None:
        tries.append(entry.tries)
        if entry.tries < 2:
            raise RuntimeError("not yet")

    delivery = office.delivery(mail=Lane(handle))
    await office.add("mail")
    for _ in range(4):
        await delivery.deliver_due()
        office.clock.advance(MINUTE)

    assert tries == [0, 1, 2]
    assert await office.left() == []


async def test_of_two_processes_one_handles_what_is_taken(office: Office) -> None:
    post = Post()
    lane = Lane(post.handle, taken_for=5 * MINUTE)
    async with running(office.delivery(mail=lane)), running(office.delivery(mail=lane)):
        [entry] = await office.add("mail")
        await post.until(lambda: post.at_work == 1)
        other = office.delivery(mail=lane)
        assert await other.deliver_due() == 0
        post.open.set()
        await post.until(lambda: len(post.ended) == 1)

    assert post.begun == [entry]


async def test_what_a_process_took_before_it_died_is_handled_by_another_later(office: Office) -> None:
    dead, alive = Post(), Post()
    alive.open.set()
    [entry] = await office.add("mail")
    async with running(office.delivery(mail=lane(dead.handle))):
        await dead.until(lambda: dead.at_work == 1)

    await office.delivery(mail=lane(alive.handle)).deliver_due()
    assert alive.begun == []
    office.clock.advance(5 * MINUTE)
    await office.delivery(mail=lane(alive.handle)).deliver_due()
    assert alive.ended == [entry]


async def test_what_was_on_its_way_at_the_end_is_handled_after_a_new_beginning(office: Office) -> None:
    post = Post()
    delivery = office.delivery(mail=Lane(post.handle))
    await office.add("mail", 2)
    async with running(delivery):
        await post.until(lambda: post.at_work == 1)
    post.open.set()

    await delivery.deliver_due()
    assert len(post.ended) == 2
    assert await office.left() == []


def lane(handler: Handler) -> Lane:
    return Lane(handler, taken_for=5 * MINUTE)
