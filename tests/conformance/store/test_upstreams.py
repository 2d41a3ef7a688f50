"""Upstreams: who follows whom."""

from dataclasses import replace
from uuid import UUID

from definitions import definition
from lineshaft.model.definition import Definition
from scene import Scene
from trees import sequence, task


def named(name: str) -> Definition:
    return definition(sequence(task("a"), name=name))


async def put(scene: Scene, pipeline_id: UUID, *names: str) -> None:
    await scene.store.write(lambda transaction: transaction.upstreams.put(pipeline_id, names))


async def of_name(scene: Scene, name: str) -> list[UUID]:
    return list(await scene.look(lambda transaction: transaction.upstreams.of_name(name)))


async def of_pipeline(scene: Scene, pipeline_id: UUID) -> list[UUID]:
    return list(await scene.look(lambda transaction: transaction.upstreams.of_pipeline(pipeline_id)))


async def test_nobody_follows_at_first(scene: Scene) -> None:
    assert await of_name(scene, "build") == []
    assert await of_pipeline(scene, scene.ids.new_id()) == []


async def test_those_who_follow_a_name_are_found_by_id(scene: Scene) -> None:
    ids = [scene.ids.new_id() for _ in range(3)]
    for each in reversed(ids):
        await put(scene, each, "build", "test")
    await put(scene, scene.ids.new_id(), "test")

    assert await of_name(scene, "build") == ids


async def test_what_a_pipeline_follows_takes_the_place_of_what_it_followed(scene: Scene) -> None:
    follower, other = scene.ids.new_id(), scene.ids.new_id()
    await put(scene, follower, "build", "test")
    await put(scene, other, "build")

    await put(scene, follower, "test")
    assert (await of_name(scene, "build"), await of_name(scene, "test")) == ([other], [follower])

    await put(scene, follower)
    assert await of_name(scene, "test") == []


async def test_those_who_follow_a_pipeline_are_found_by_the_name_that_it_has_now(scene: Scene) -> None:
    pipeline = await scene.pipeline(named("build"))
    first, second = scene.ids.new_id(), scene.ids.new_id()
    await put(scene, first, "build")
    await put(scene, second, "make")
    assert await of_pipeline(scene, pipeline.id) == [first]

    renamed = replace(pipeline, definition=named("make"))
    await scene.store.write(lambda transaction: transaction.pipelines.replace(renamed))

    assert await of_pipeline(scene, pipeline.id) == [second]


async def test_nobody_follows_a_pipeline_that_was_deleted(scene: Scene) -> None:
    pipeline = await scene.pipeline(named("build"))
    await put(scene, scene.ids.new_id(), "build")

    await scene.store.write(lambda transaction: transaction.pipelines.remove(pipeline.id, scene.clock.now()))

    assert await of_pipeline(scene, pipeline.id) == []
