"""Caches: one a key and scope, shared content, and which of them go first."""

import pytest

from kept_files import LONG, ONE, KeptFiles
from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.store import Upload
from scene import Scene

LONG_NAME = "\N{OLD ITALIC LETTER A}"


@pytest.fixture
def files(scene: Scene) -> KeptFiles:
    return KeptFiles(scene)


@pytest.fixture
async def pipeline(scene: Scene) -> Pipeline:
    return await scene.pipeline(ONE)


async def found(scene: Scene, pipeline: Pipeline, key: str, scope: str = "main") -> object:
    artifact = await scene.look(lambda transaction: transaction.caches.find(pipeline.id, scope, key))
    return None if artifact is None else artifact.id


async def test_a_cache_is_found_in_its_pipeline_and_scope_alone(
    scene: Scene, files: KeptFiles, pipeline: Pipeline
) -> None:
    cache = await files.cache(await files.held(pipeline), "deps")
    assert await found(scene, pipeline, "deps") == cache.id
    assert await found(scene, pipeline, "deps", "feature") is None
    assert await found(scene, await scene.pipeline(ONE), "deps") is None
    place = await scene.look(lambda transaction: transaction.caches.has(cache.id))
    assert place == (pipeline.id, "main")


async def test_the_longest_names_fit(scene: Scene, files: KeptFiles, pipeline: Pipeline) -> None:
    key, scope = LONG_NAME * 512, LONG_NAME * 1_000
    cache = await files.cache(await files.held(pipeline), key, scope)
    assert await found(scene, pipeline, key, scope) == cache.id


async def test_the_newest_of_those_that_begin_so_is_found(
    scene: Scene, files: KeptFiles, pipeline: Pipeline
) -> None:
    held = await files.held(pipeline)
    for key in (f"{LONG_NAME}-1", f"{LONG_NAME}-2", "x"):
        await files.cache(held, key)
    for beginning, expected in (
        (LONG_NAME, f"{LONG_NAME}-2"),
        ("x", "x"),
        (chr(0x10FFFF), None),
        (chr(0xD7FF), None),
        ("_", None),
        (f"{LONG_NAME}-12", None),
    ):
        newest = await scene.look(lambda t, text=beginning: t.caches.newest(pipeline.id, "main", text))  # type: ignore[misc] # Bound.
        assert (newest and newest.name) == expected


async def test_the_first_under_a_key_stays_and_the_bytes_of_the_second_go(
    scene: Scene, files: KeptFiles, pipeline: Pipeline
) -> None:
    first = await files.cache(await files.held(pipeline), "deps")
    second = await files.begin(await files.held(pipeline), "deps", kind=ArtifactKind.CACHE, scope="main")
    part = await files.put(second, text="b")
    assert not await files.end(second, "b")
    await files.sweep()
    assert await found(scene, pipeline, "deps") == first.id
    assert await files.deleted() == {part.key}


async def test_the_same_bytes_are_stored_once_in_a_pipeline(files: KeptFiles, pipeline: Pipeline) -> None:
    first = await files.cache(await files.held(pipeline), "one")
    second = await files.cache(await files.held(pipeline), "two", "feature")
    elsewhere = await files.cache(await files.held(), "one")
    (shared,) = await files.parts(first.id)
    assert await files.parts(second.id) == [shared]
    assert len(await files.deleted()) == 1
    assert await files.parts(elsewhere.id) != [shared]


async def test_shared_bytes_stay_until_the_last_cache_has_gone(
    scene: Scene, files: KeptFiles, pipeline: Pipeline
) -> None:
    first = await files.cache(await files.held(pipeline), "one")
    given_up = await files.cache(await files.held(pipeline), "two")
    (shared,) = await files.parts(first.id)
    before = await files.deleted()
    assert await surplus(scene, pipeline, most=1) == 1
    await files.sweep()
    assert await files.parts(given_up.id) == [shared]
    assert await files.deleted() == before
    assert await surplus(scene, pipeline, most=0) == 1
    await files.sweep()
    assert await files.deleted() == before | {shared.key}


async def test_those_that_nobody_used_lately_go_first(
    scene: Scene, files: KeptFiles, pipeline: Pipeline
) -> None:
    caches: list[Upload] = []
    for key in "abc":
        caches.append(await files.cache(await files.held(pipeline), key, text=key))
        scene.clock.advance(LONG)
    now = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.caches.use(caches[0].id, now))
    assert await surplus(scene, pipeline, most_bytes=6) == 1
    assert [await found(scene, pipeline, key) for key in "abc"] == [caches[0].id, None, caches[2].id]


async def test_those_that_were_not_used_since_go(scene: Scene, files: KeptFiles, pipeline: Pipeline) -> None:
    old = await files.cache(await files.held(pipeline), "old")
    scene.clock.advance(LONG)
    new = await files.cache(await files.held(pipeline), "new")
    now = scene.clock.now()
    assert await scene.store.write(lambda transaction: transaction.caches.remove_unused(now, 10)) == 1
    assert await found(scene, pipeline, "old") is None
    assert await found(scene, pipeline, "new") == new.id
    assert await scene.look(lambda transaction: transaction.artifacts.get(old.id)) is None


async def test_those_of_deleted_pipelines_go(scene: Scene, files: KeptFiles, pipeline: Pipeline) -> None:
    await files.cache(await files.held(pipeline), "deps")
    stays = await scene.pipeline(ONE)
    cache = await files.cache(await files.held(stays), "deps")
    now = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.pipelines.remove(pipeline.id, now))
    assert await scene.store.write(lambda t: t.caches.remove_of_deleted_pipelines(10)) == 1
    assert await found(scene, pipeline, "deps") is None
    assert await found(scene, stays, "deps") == cache.id


async def surplus(scene: Scene, pipeline: Pipeline, most: int = 100, most_bytes: int = 2**40) -> int:
    return await scene.store.write(
        lambda t: t.caches.remove_surplus(pipeline.id, most=most, most_bytes=most_bytes)
    )
