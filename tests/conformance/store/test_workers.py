from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
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
