from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from lineshaft.model.worker_key import WorkerKey
from scene import Scene


def key(scene: Scene, name: str, *, worker: str | None = None) -> WorkerKey:
    return WorkerKey(scene.ids.new_id(), name, f"hash of {name}", worker, scene.clock.now())


async def test_a_key_is_found_as_it_was_added(scene: Scene) -> None:
    plain = key(scene, "plain")
    bound = replace(key(scene, "bound", worker="w-1"), expires_at=scene.clock.now() + timedelta(days=1))

    assert await add(scene, plain)
    assert await add(scene, bound)

    assert await find(scene, plain.id) == plain
    assert await find_by_hash(scene, "hash of bound") == bound
    assert await find(scene, scene.ids.new_id()) is None
    assert await find_by_hash(scene, "hash of another") is None


async def test_a_second_key_of_a_name_is_not_added(scene: Scene) -> None:
    first = key(scene, "one")
    await add(scene, first)

    assert not await add(scene, replace(key(scene, "one"), hash="another"))

    assert await everyone(scene) == [first]


async def test_keys_are_listed_by_name(scene: Scene) -> None:
    keys = {name: key(scene, name) for name in ("b", "a", "B", "é")}
    for each in keys.values():
        await add(scene, each)

    assert await everyone(scene) == [keys["B"], keys["a"], keys["b"], keys["é"]]


async def test_a_key_tells_when_it_was_last_used(scene: Scene) -> None:
    used = key(scene, "used")
    await add(scene, used)
    now = scene.clock.now() + timedelta(hours=1)

    await scene.store.write(lambda transaction: transaction.worker_keys.used(used.id, now))

    assert await everyone(scene) == [replace(used, last_used_at=now)]


async def test_a_removed_key_is_gone_and_its_name_free(scene: Scene) -> None:
    first, second = key(scene, "one"), key(scene, "one")
    await add(scene, first)

    assert await remove(scene, first.id)
    assert not await remove(scene, first.id)

    assert await find_by_hash(scene, first.hash) is None
    assert await add(scene, second)


async def add(scene: Scene, each: WorkerKey) -> bool:
    return await scene.store.write(lambda transaction: transaction.worker_keys.add(each))


async def remove(scene: Scene, key_id: UUID) -> bool:
    return await scene.store.write(lambda transaction: transaction.worker_keys.remove(key_id))


async def find(scene: Scene, key_id: UUID) -> WorkerKey | None:
    return await scene.look(lambda transaction: transaction.worker_keys.get(key_id))


async def find_by_hash(scene: Scene, key_hash: str) -> WorkerKey | None:
    return await scene.look(lambda transaction: transaction.worker_keys.of_hash(key_hash))


async def everyone(scene: Scene) -> Sequence[WorkerKey]:
    return await scene.look(lambda transaction: transaction.worker_keys.all())


async def test_a_key_keeps_the_kinds_that_it_is_for(scene: Scene) -> None:
    bound = replace(key(scene, "bound"), kinds=frozenset({"compile", "test"}))
    await add(scene, bound)

    assert await find(scene, bound.id) == bound
    assert await everyone(scene) == [bound]
