from collections.abc import Sequence
from uuid import UUID

from definitions import definition
from lineshaft.model.grant import Grant
from lineshaft.model.role import Role
from lineshaft.ports.store import Transaction
from scene import Scene
from trees import sequence, task

SHOP = definition(sequence(task("build"), name="shop"))


async def test_grants_are_found_by_user_and_by_pipeline(scene: Scene) -> None:
    first, second = scene.ids.new_id(), scene.ids.new_id()
    ann_first, ann_second = Grant("ann", first, Role.VIEWER), Grant("ann", second, Role.RUNNER)
    bob_first = Grant("Bob", first, Role.MAINTAINER)
    await put(scene, ann_second, ann_first, bob_first)

    assert await of_user(scene, "ann") == [ann_first, ann_second]
    assert await of_user(scene, "bob") == []
    assert await of_pipeline(scene, first) == [bob_first, ann_first]
    assert await of_pipeline(scene, scene.ids.new_id()) == []


async def test_a_user_has_one_role_on_a_pipeline(scene: Scene) -> None:
    pipeline = scene.ids.new_id()

    await put(scene, Grant("ann", pipeline, Role.VIEWER), Grant("ann", pipeline, Role.APPROVER))

    assert await of_user(scene, "ann") == [Grant("ann", pipeline, Role.APPROVER)]


async def test_a_removed_grant_is_gone(scene: Scene) -> None:
    first, second = scene.ids.new_id(), scene.ids.new_id()
    await put(scene, Grant("ann", first, Role.VIEWER), Grant("ann", second, Role.VIEWER))

    assert await remove(scene, "ann", first)
    assert not await remove(scene, "ann", first)
    assert not await remove(scene, "bob", second)

    assert await of_user(scene, "ann") == [Grant("ann", second, Role.VIEWER)]


async def test_all_grants_of_a_user_are_removed_and_no_other(scene: Scene) -> None:
    first, second = scene.ids.new_id(), scene.ids.new_id()
    bobs = Grant("bob", first, Role.VIEWER)
    await put(scene, Grant("ann", first, Role.VIEWER), Grant("ann", second, Role.VIEWER), bobs)

    await scene.store.write(lambda transaction: transaction.grants.remove_user("ann"))

    assert await of_user(scene, "ann") == []
    assert await of_pipeline(scene, first) == [bobs]


async def test_grants_on_what_is_no_pipeline_any_more_are_removed(scene: Scene) -> None:
    there, deleted = await scene.pipeline(SHOP), await scene.pipeline(SHOP)
    gone = [scene.ids.new_id() for _ in range(3)]
    on_deleted = Grant("ann", deleted.id, Role.VIEWER)
    on_there = Grant("ann", there.id, Role.VIEWER)
    await put(scene, on_there, on_deleted, *(Grant("ann", each, Role.VIEWER) for each in gone))
    await scene.store.write(lambda transaction: transaction.pipelines.remove(deleted.id, scene.clock.now()))

    removed = [await remove_orphaned(scene, 2) for _ in range(3)]

    assert removed == [2, 1, 0]
    assert await of_user(scene, "ann") == [on_there, on_deleted]


async def put(scene: Scene, *grants: Grant) -> None:
    def put_all(transaction: Transaction) -> None:
        for grant in grants:
            transaction.grants.put(grant)

    await scene.store.write(put_all)


async def of_user(scene: Scene, user: str) -> Sequence[Grant]:
    return await scene.look(lambda transaction: transaction.grants.of_user(user))


async def of_pipeline(scene: Scene, pipeline_id: UUID) -> Sequence[Grant]:
    return await scene.look(lambda transaction: transaction.grants.of_pipeline(pipeline_id))


async def remove(scene: Scene, user: str, pipeline_id: UUID) -> bool:
    return await scene.store.write(lambda transaction: transaction.grants.remove(user, pipeline_id))


async def remove_orphaned(scene: Scene, limit: int) -> int:
    return await scene.store.write(lambda transaction: transaction.grants.remove_orphaned(limit))
