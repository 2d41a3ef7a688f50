"""Files that are handed on, and who may read them."""

import pytest

from lineshaft.model.artifact import ArtifactKind, ContentFormat
from lineshaft.model.errors import ArtifactNotFoundError
from lineshaft.wire.files import FilesRequest
from worker_files_scene import FilesScene, keep, keep_cache, read, sha256, upload_of


async def test_a_node_hears_of_the_artifacts_of_those_that_it_needs(scene: FilesScene) -> None:
    held = await scene.first()
    artifact = await keep(scene.files, held, b"one")
    await keep(scene.files, held, b"two", "junit", kind=ArtifactKind.RESULT)
    await keep_cache(scene.files, held, "deps")
    second = await scene.second(held)
    (told,) = (await scene.files.needed_files(FilesRequest(**second.members))).files
    assert (told.id, told.path, told.name) == (artifact, "build", "dist")
    assert (told.content.format, told.content.size_bytes) == (ContentFormat.ZIP, 3)
    assert (told.content.media_type, told.content.sha256) == ("application/zip", sha256(b"one"))


async def test_a_node_that_needs_nothing_hears_of_nothing(scene: FilesScene) -> None:
    held = await scene.first()
    await keep(scene.files, held, b"one")
    assert (await scene.files.needed_files(FilesRequest(**held.members))).files == ()


async def test_an_upload_that_has_not_ended_is_no_artifact(scene: FilesScene) -> None:
    held = await scene.first()
    request = upload_of(held)
    await scene.files.begin_upload(request)
    second = await scene.second(held)
    assert (await scene.files.needed_files(FilesRequest(**second.members))).files == ()
    with pytest.raises(ArtifactNotFoundError):
        await read(scene.files, second, request.upload)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, 3, b"abc"), (1, 2, b"b"), (2, 100, b"c"), (3, 100, b""), (100, 200, b""), (2, 1, b"")],
)
async def test_bytes_are_read_by_ranges(scene: FilesScene, start: int, stop: int, expected: bytes) -> None:
    held = await scene.first()
    artifact = await keep(scene.files, held, b"abc")
    assert await read(scene.files, await scene.second(held), artifact, start, stop) == expected


async def test_nobody_reads_what_is_none_of_their_business(scene: FilesScene) -> None:
    held = await scene.first()
    artifact = await keep(scene.files, held, b"abc")
    for who in (held, await scene.first("shop"), await scene.first("other")):
        with pytest.raises(ArtifactNotFoundError):
            await read(scene.files, who, artifact)
