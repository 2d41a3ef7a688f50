"""Caches: which one is found, and when one may be kept."""

from uuid import UUID

import pytest

from lineshaft.model.artifact import ArtifactKind
from lineshaft.model.cause import Cause
from lineshaft.model.errors import ArtifactNotFoundError
from worker_files_scene import FilesScene, Held, end_of, find, keep_cache, part_of, read, upload_of

MAIN = {"ref": "refs/heads/main"}
FEATURE = {"ref": "refs/heads/feature"}


async def test_what_was_kept_under_a_key_is_found_under_it(scene: FilesScene) -> None:
    cache = await keep_cache(scene.files, await scene.first(**MAIN), "deps-1", b"bytes")
    held = await scene.first(**MAIN)
    found = await find(scene.files, held, "deps-1")
    assert found.files is not None
    assert (found.files.id, found.files.name, found.exact, found.branch) == (cache, "deps-1", True, "main")
    assert await read(scene.files, held, cache) == b"bytes"


async def test_nothing_is_found_where_nothing_fits(scene: FilesScene) -> None:
    await keep_cache(scene.files, await scene.first(**MAIN), "deps-1")
    found = await find(scene.files, await scene.first(**MAIN), "deps", "dep_", "x")
    assert (found.files, found.writable, found.why_not) == (None, True, "")


async def test_the_beginnings_of_keys_are_tried_in_their_order_the_newest_first(scene: FilesScene) -> None:
    held = await scene.first(**MAIN)
    for key in ("b-1", "a-1", "a-2", "c-1"):
        await keep_cache(scene.files, held, key)
    found = await find(scene.files, held, "a-3", "x", "a-", "b-")
    assert found.files is not None
    assert (found.files.name, found.exact) == ("a-2", False)


async def test_the_characters_of_patterns_mean_themselves(scene: FilesScene) -> None:
    held = await scene.first(**MAIN)
    await keep_cache(scene.files, held, "A%_*-1")
    assert (await find(scene.files, held, "x", "%", "A__", "a%", "A%%")).files is None
    assert (await find(scene.files, held, "x", "A%_*")).files is not None


async def test_the_own_branch_goes_before_the_default_branch(scene: FilesScene) -> None:
    await keep_cache(scene.files, await scene.first(**MAIN), "deps", b"of main")
    held = await scene.first(**FEATURE)
    before = await find(scene.files, held, "deps", default_branch="main")
    await keep_cache(scene.files, held, "deps", b"of feature")
    after = await find(scene.files, await scene.first(**FEATURE), "deps", default_branch="main")
    assert (before.branch, before.exact, before.writable) == ("main", True, True)
    assert (after.branch, after.exact, after.writable) == ("feature", True, False)


async def test_the_key_itself_goes_before_the_beginning_of_another_branch(scene: FilesScene) -> None:
    await keep_cache(scene.files, await scene.first(**MAIN), "deps-1")
    held = await scene.first(**FEATURE)
    await keep_cache(scene.files, held, "deps-2")
    found = await find(scene.files, held, "deps-1", "deps-", default_branch="main")
    assert (found.branch, found.exact) == ("main", True)


async def test_other_branches_and_other_pipelines_see_nothing(scene: FilesScene) -> None:
    await keep_cache(scene.files, await scene.first(**FEATURE), "deps")
    for held in (await scene.first(**MAIN), await scene.first("other", **FEATURE)):
        assert (await find(scene.files, held, "deps", "d", default_branch="main")).files is None


async def test_a_cache_of_another_pipeline_is_not_read(scene: FilesScene) -> None:
    cache = await keep_cache(scene.files, await scene.first(**MAIN), "deps")
    with pytest.raises(ArtifactNotFoundError):
        await read(scene.files, await scene.first("other", **MAIN), cache)


async def test_the_branch_that_the_worker_has_found_counts_where_the_run_knows_none(
    scene: FilesScene,
) -> None:
    await keep_cache(scene.files, await scene.first(), "deps", branch="main")
    known = await find(scene.files, await scene.first(), "deps", branch="main")
    other = await find(scene.files, await scene.first(**FEATURE), "deps", branch="main")
    assert known.branch == "main"
    assert other.files is None


async def test_a_key_that_is_taken_is_not_written_again(scene: FilesScene) -> None:
    await keep_cache(scene.files, await scene.first(**MAIN), "deps", b"first")
    held = await scene.first(**MAIN)
    found = await find(scene.files, held, "deps")
    assert not found.writable
    assert "'deps'" in found.why_not
    answer = await scene.files.begin_upload(upload_of(held, "deps", kind=ArtifactKind.CACHE))
    assert answer.refused == found.why_not


async def test_the_first_of_two_that_keep_the_same_key_at_once_stays(scene: FilesScene) -> None:
    first, second = await scene.first(**MAIN), await scene.first(**MAIN)
    requests = [upload_of(held, "deps", kind=ArtifactKind.CACHE) for held in (first, second)]
    for request in requests:
        await scene.files.begin_upload(request)
    for held, request in zip((first, second), requests, strict=True):
        await _send(scene, held, request.upload)
    found = await find(scene.files, await scene.first(**MAIN), "deps")
    assert found.files is not None
    assert found.files.id == requests[0].upload


async def test_a_run_of_an_untrusted_change_reads_what_the_default_branch_has_and_keeps_nothing(
    scene: FilesScene,
) -> None:
    cache = await keep_cache(scene.files, await scene.first(**MAIN), "deps")
    await keep_cache(scene.files, await scene.first(**FEATURE), "deps")
    held = await scene.first(**FEATURE, untrusted=True)
    found = await find(scene.files, held, "deps", branch="feature", default_branch="main")
    assert (found.branch, found.writable) == ("main", False)
    assert "not trusted" in found.why_not
    assert await read(scene.files, held, cache) == b"deps"
    answer = await scene.files.begin_upload(upload_of(held, "new", kind=ArtifactKind.CACHE))
    assert answer.refused == found.why_not


async def test_what_a_pull_request_keeps_no_branch_finds(scene: FilesScene) -> None:
    request = {**MAIN, "cause": Cause.PULL_REQUEST}
    await keep_cache(scene.files, await scene.first(**request), "deps")
    of_branch = await find(scene.files, await scene.first(**MAIN), "deps", default_branch="main")
    of_request = await find(scene.files, await scene.first(**request), "deps", default_branch="main")
    assert of_branch.files is None
    assert of_request.exact


async def _send(scene: FilesScene, held: Held, upload: UUID) -> None:
    await scene.files.put_part(part_of(held, upload, 0, b"x"), b"x")
    await scene.files.end_upload(end_of(held, upload, b"x"))
