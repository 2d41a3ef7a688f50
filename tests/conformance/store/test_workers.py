from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.wakeups import worker_topic
from scene import Scene


def worker(scene: Scene, name: str) -> Worker:
    now = scene.clock.now()
    offer = Offer(frozenset({WorkKind.RUN, WorkKind.BUILD}), Capacity(4))
    return Worker(scene.ids.new_id(), name, offer, now, now)


async def test_a_registered_worker_is_found_as_it_was(scene: Scene) -> None:
    ann = worker(scene, "ann")

    assert await register(scene, ann) is None

    assert await find(scene, ann.id) == ann
    assert await find(scene, scene.ids.new_id()) is None


async def test_a_new_session_takes_the_place_of_the_one_of_its_name(scene: Scene) -> None:
    first, second, third = worker(scene, "ann"), worker(scene, "ann"), worker(scene, "ann")
    await register(scene, worker(scene, "bob"))
    await register(scene, first)

    assert await register(scene, second) == first.id
    assert await register(scene, third) == second.id

    assert await find(scene, first.id) is None
    assert await find(scene, third.id) == third


async def test_all_that_a_worker_says_of_itself_is_kept(scene: Scene) -> None:
    offer = Offer(frozenset(WorkKind), Capacity(8, cpus=7.5, memory_bytes=2**40), ("gpu", "linux"))
    full = replace(
        worker(scene, "ann"),
        offer=offer,
        key_id=scene.ids.new_id(),
        load=0.25,
        version="0.1.0",
        draining=True,
    )
    await register(scene, full)

    assert await find(scene, full.id) == full
    assert await scene.look(lambda transaction: transaction.workers.named("ann")) == full
    assert await scene.look(lambda transaction: transaction.workers.named("bob")) is None
    plain = worker(scene, "ann")
    await register(scene, plain)
    assert await everyone(scene) == [plain]


async def test_a_worker_that_is_to_drain_is_told(scene: Scene) -> None:
    ann = worker(scene, "ann")
    await register(scene, ann)

    with scene.store.wakeups.listen(worker_topic(ann.id)) as listener:
        await scene.store.write(lambda transaction: transaction.workers.drain(ann.id))
        assert await listener.wait(timedelta(minutes=1))

    assert await find(scene, ann.id) == replace(ann, draining=True)


async def test_a_removed_worker_is_gone(scene: Scene) -> None:
    ann, bob = worker(scene, "ann"), worker(scene, "bob")
    await register(scene, ann)
    await register(scene, bob)

    await scene.store.write(lambda transaction: transaction.workers.remove(ann.id))

    assert await find(scene, ann.id) is None
    assert await everyone(scene) == [bob]


async def test_a_worker_tells_how_busy_its_host_is(scene: Scene) -> None:
    ann = worker(scene, "ann")
    await register(scene, ann)
    now = scene.clock.now()

    await scene.store.write(lambda transaction: transaction.workers.seen(ann.id, now, 0.75))

    assert await find(scene, ann.id) == replace(ann, load=0.75)


async def test_workers_are_listed_by_name(scene: Scene) -> None:
    workers = {name: worker(scene, name) for name in ("b", "a", "B", "é")}
    for each in workers.values():
        await register(scene, each)

    assert list(await everyone(scene)) == [workers["B"], workers["a"], workers["b"], workers["é"]]


async def test_a_worker_was_last_seen_when_it_was_last_heard_of(scene: Scene) -> None:
    ann = worker(scene, "ann")
    await register(scene, ann)
    scene.clock.advance(timedelta(minutes=5))
    now = scene.clock.now()

    await scene.store.write(lambda transaction: transaction.workers.seen(ann.id, now))
    await scene.store.write(lambda transaction: transaction.workers.seen(scene.ids.new_id(), now))

    assert await everyone(scene) == [replace(ann, seen_at=now)]


async def register(scene: Scene, each: Worker) -> UUID | None:
    return await scene.store.write(lambda transaction: transaction.workers.register(each))


async def find(scene: Scene, worker_id: UUID) -> Worker | None:
    return await scene.look(lambda transaction: transaction.workers.get(worker_id))


async def everyone(scene: Scene) -> Sequence[Worker]:
    return await scene.look(lambda transaction: transaction.workers.all())
