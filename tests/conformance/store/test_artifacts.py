"""Uploads and artifacts: fenced by their lease, seen when they are whole, removed part by part."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kept_files import LONG, ONE, KeptFiles
from lineshaft.model.artifact import Artifact, ArtifactKind, Content
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import StaleLeaseError
from lineshaft.ports.store import StoredPart, UploadState
from scene import Held, Scene


@pytest.fixture
def files(scene: Scene) -> KeptFiles:
    return KeptFiles(scene)


async def found(scene: Scene, artifact_id: UUID) -> Artifact | None:
    return await scene.look(lambda transaction: transaction.artifacts.get(artifact_id))


async def of_run(scene: Scene, held: Held, after: UUID | None = None, limit: int = 10) -> list[str]:
    kinds = {ArtifactKind.ARTIFACT, ArtifactKind.RESULT}
    page = await scene.look(
        lambda t: t.artifacts.of_run(held.address.run_id, kinds, after=after, limit=limit)
    )
    return [artifact.name for artifact in page]


async def test_an_upload_is_an_artifact_once_it_is_ended(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    upload = await files.begin(held, expire=LONG)
    part = await files.put(upload)
    before = await found(scene, upload.id)
    await files.end(upload)
    now = scene.clock.now()
    assert before is None
    assert await found(scene, upload.id) == Artifact(
        id=upload.id,
        kind=ArtifactKind.ARTIFACT,
        address=held.address,
        pipeline_id=upload.pipeline_id,
        path="only",
        name="dist",
        type=None,
        content=Content(upload.format, "text/plain", 3, "a" * 64),
        created_at=now,
        expires_at=now + LONG,
    )
    assert await files.parts(upload.id) == [part]


async def test_the_lease_is_held_for_none_but_its_token(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    await scene.store.write(lambda transaction: transaction.artifacts.hold_lease(held.address, held.token))
    with pytest.raises(StaleLeaseError):
        await scene.store.write(lambda transaction: transaction.artifacts.hold_lease(held.address, "x"))
    await scene.report(held)
    with pytest.raises(StaleLeaseError):
        await scene.store.write(
            lambda transaction: transaction.artifacts.hold_lease(held.address, held.token)
        )


async def test_a_name_or_an_id_is_taken_once(scene: Scene, files: KeptFiles) -> None:
    upload = await files.begin(await files.held())
    now = scene.clock.now()
    for other in (
        replace(upload, name="other"),
        replace(upload, id=scene.ids.new_id()),
        replace(upload, address=(await files.held()).address),
    ):
        assert not await scene.store.write(lambda t, other=other: t.artifacts.add(other, now))  # type: ignore[misc] # Bound.
    other = replace(upload, id=scene.ids.new_id(), kind=ArtifactKind.RESULT)
    assert await scene.store.write(lambda transaction: transaction.artifacts.add(other, now))


async def test_the_part_that_was_announced_first_stands(scene: Scene, files: KeptFiles) -> None:
    upload = await files.begin(await files.held())
    first, second = (StoredPart(upload.id, 0, 0, text * 64) for text in "ab")
    for part in (first, second):
        assert await scene.store.write(lambda t, part=part: t.artifacts.announce(part)) == first  # type: ignore[misc] # Bound.


async def test_bytes_are_counted_once_however_often_a_part_comes(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    upload = await files.begin(held)
    for number in (0, 0, 1):
        await files.put(upload, number)
    await files.keep(held, "deps", kind=ArtifactKind.CACHE, scope="main")
    run_id = held.address.run_id
    assert await scene.look(lambda transaction: transaction.artifacts.bytes_of_run(run_id)) == 6
    assert await scene.look(lambda transaction: transaction.artifacts.count_of_attempt(held.address)) == 2


async def test_parts_are_listed_from_a_number_on(scene: Scene, files: KeptFiles) -> None:
    upload = await files.begin(await files.held())
    for number in (3, 1, 0, 2):
        await files.put(upload, number)
    listed = await scene.look(lambda transaction: transaction.artifacts.parts(upload.id, 1, 2))
    assert [part.number for part in listed] == [1, 2]


async def test_the_artifacts_of_a_run_are_listed_by_pages(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    ids = [(await files.keep(held, name)).id for name in ("a", "b", "c")]
    await files.begin(held, "unended")
    await files.cache(held, "deps")
    await files.keep(await files.held(), "another")
    assert await of_run(scene, held, limit=2) == ["a", "b"]
    assert await of_run(scene, held, after=ids[1]) == ["c"]


async def test_the_artifacts_of_attempts_are_listed_by_name(scene: Scene, files: KeptFiles) -> None:
    first, second = await files.held(), await files.held()
    for held, name in ((first, "b"), (first, "a"), (second, "c")):
        await files.keep(held, name)
    await files.keep(first, "junit", kind=ArtifactKind.RESULT)
    stranger = AttemptAddress(scene.ids.new_id(), 1, 1)
    listed = await scene.look(
        lambda t: t.artifacts.of_attempts([first.address, stranger], ArtifactKind.ARTIFACT)
    )
    assert [artifact.name for artifact in listed] == ["a", "b"]


async def test_what_has_expired_is_known_and_has_no_parts(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    upload = await files.keep(held, expire=LONG)
    (part,) = await files.parts(upload.id)
    stays = await files.keep(held, "stays", expire=2 * LONG)
    scene.clock.advance(LONG)
    now = scene.clock.now()
    assert await scene.store.write(lambda transaction: transaction.artifacts.expire(now, 10)) == 1
    await files.sweep()
    gone = await found(scene, upload.id)
    assert gone is not None
    assert gone.expires_at == now
    assert await files.parts(upload.id) == []
    assert await files.deleted() == {part.key}
    assert len(await files.parts(stays.id)) == 1
    assert await of_run(scene, held) == ["dist", "stays"]


async def test_uploads_are_abandoned_when_their_attempt_has_ended(scene: Scene, files: KeptFiles) -> None:
    held, other = await files.held(), await files.held()
    ended, kept, going = await files.begin(held), await files.keep(held, "kept"), await files.begin(other)
    await files.put(ended)
    await scene.report(held)
    assert await scene.store.write(lambda transaction: transaction.artifacts.abandon(10)) == 1
    await files.sweep()
    states = [
        await scene.look(lambda t, upload=upload: t.artifacts.upload(upload.id))  # type: ignore[misc] # Bound.
        for upload in (ended, kept, going)
    ]
    assert [state and state.state for state in states] == [None, UploadState.KEPT, UploadState.RECEIVING]


async def test_a_part_that_may_still_come_is_deleted_later(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    upload = await files.begin(held)
    there = await files.put(upload)
    coming = StoredPart(upload.id, 1, 0, "b" * 64)
    await scene.store.write(lambda transaction: transaction.artifacts.announce(coming))
    await scene.report(held)
    await scene.store.write(lambda transaction: transaction.artifacts.abandon(10))
    await files.sweep()
    assert await files.deleted() == {there.key}
    assert await files.deleted(later=timedelta(hours=1)) == {there.key, coming.key}
    late = replace(coming, size_bytes=3)
    assert not await scene.store.write(lambda transaction: transaction.artifacts.note_stored(late))


async def test_artifacts_go_with_their_run_and_caches_stay(scene: Scene, files: KeptFiles) -> None:
    pipeline = await scene.pipeline(ONE)
    held = await files.held(pipeline)
    artifact, cache = await files.keep(held), await files.cache(held, "deps")
    (part,) = await files.parts(artifact.id)
    await scene.report(held)
    await scene.report(await files.held(pipeline))
    run_id, now = held.address.run_id, scene.clock.now()
    assert await scene.store.write(lambda t: t.retention.remove_run(run_id, now, 1_000))
    assert await found(scene, artifact.id) is None
    await files.sweep()
    assert await files.deleted() == {part.key}
    assert len(await files.parts(cache.id)) == 1


async def test_many_parts_are_removed_a_few_at_a_time(scene: Scene, files: KeptFiles) -> None:
    held = await files.held()
    upload = await files.begin(held)
    parts = [await files.put(upload, number) for number in range(10)]
    await scene.report(held)
    await scene.store.write(lambda transaction: transaction.artifacts.abandon(10))
    assert await files.sweep(limit=4) == 3
    assert await files.deleted() == {part.key for part in parts}
    assert await scene.look(lambda transaction: transaction.artifacts.upload(upload.id)) is None
