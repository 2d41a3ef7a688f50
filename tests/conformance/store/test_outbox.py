from collections.abc import Sequence
from datetime import datetime, timedelta

from lineshaft.ports.store import OutboxEntry
from scene import Scene


async def test_an_entry_is_due_from_its_time_on(scene: Scene) -> None:
    entry = await add(scene, scene.clock.now() + timedelta(seconds=1))

    assert await due(scene) == []
    scene.clock.advance(timedelta(seconds=1))
    assert await due(scene) == [entry]


async def test_entries_come_oldest_first(scene: Scene) -> None:
    now = scene.clock.now()
    third = await add(scene, now)
    first = await add(scene, now - timedelta(minutes=2))
    second = await add(scene, now - timedelta(minutes=1))
    fourth = await add(scene, now)

    assert await due(scene) == [first, second, third, fourth]
    assert await due(scene, 2) == [first, second]


async def test_of_each_kind_that_is_asked_for_the_oldest_come(scene: Scene) -> None:
    now = scene.clock.now()
    mails = [await add(scene, now - timedelta(minutes=9 - minute)) for minute in range(3)]
    calls = [await add(scene, now - timedelta(minutes=5), "call") for _ in range(3)]
    await add(scene, now - timedelta(minutes=10), "other")

    found = await scene.look(lambda transaction: transaction.outbox.due(now, 2, ["call", "mail", "none"]))

    assert found == [*mails[:2], *sorted(calls, key=lambda entry: entry.id)[:2]]


async def test_what_is_taken_is_nobody_elses_until_its_time(scene: Scene) -> None:
    entry = await add(scene, scene.clock.now())
    until = scene.clock.now() + timedelta(minutes=5)

    assert await take(scene, entry, until)
    assert not await take(scene, entry, until)
    assert await due(scene) == []
    scene.clock.advance(timedelta(minutes=5))
    assert await due(scene) == [entry]
    assert await take(scene, entry, scene.clock.now() + timedelta(minutes=5))


async def test_what_is_done_cannot_be_taken(scene: Scene) -> None:
    entry = await add(scene, scene.clock.now())
    await scene.store.write(lambda transaction: transaction.outbox.done([entry.id]))

    assert not await take(scene, entry, scene.clock.now())


async def test_what_is_done_is_removed(scene: Scene) -> None:
    first, second, third = [await add(scene, scene.clock.now()) for _ in range(3)]

    await scene.store.write(lambda transaction: transaction.outbox.done([third.id, first.id]))
    await scene.store.write(lambda transaction: transaction.outbox.done([]))
    await scene.store.write(lambda transaction: transaction.outbox.done([third.id]))

    assert await due(scene) == [second]


async def test_putting_off_counts_the_try_and_makes_it_due_later(scene: Scene) -> None:
    entry = await add(scene, scene.clock.now())
    later = scene.clock.now() + timedelta(seconds=5)

    await scene.store.write(lambda transaction: transaction.outbox.put_off(entry.id, later))

    assert await due(scene) == []
    scene.clock.advance(timedelta(seconds=5))
    assert await due(scene) == [OutboxEntry(entry.id, entry.kind, entry.payload, tries=1)]


async def test_a_payload_is_kept_as_it_is(scene: Scene) -> None:
    payload = {"text": "línea\n\u2028", "nested": [{"a": None}, True, 1.5, 2**60]}
    entry = OutboxEntry(scene.ids.new_id(), "mail", payload)
    await scene.store.write(lambda transaction: transaction.outbox.add(entry, scene.clock.now()))

    assert await due(scene) == [entry]


async def add(scene: Scene, due_at: datetime, kind: str = "mail") -> OutboxEntry:
    entry = OutboxEntry(scene.ids.new_id(), kind, {"to": "ann"})
    await scene.store.write(lambda transaction: transaction.outbox.add(entry, due_at))
    return entry


async def due(scene: Scene, limit: int = 9) -> Sequence[OutboxEntry]:
    return await scene.look(lambda transaction: transaction.outbox.due(scene.clock.now(), limit))


async def take(scene: Scene, entry: OutboxEntry, until: datetime) -> bool:
    now = scene.clock.now()
    return await scene.store.write(lambda transaction: transaction.outbox.take(entry.id, now, until))
