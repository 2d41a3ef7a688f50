"""What `merge` promises, of every remote."""

import asyncio

import pytest

from conformance.repositories.sites import World
from lineshaft.model.errors import MergeConflictError, SourceRefusedError
from lineshaft.model.merge import Merge

NO_COMMIT = "0123456789" * 4


async def contents(world: World, commit: str, *paths: str) -> list[bytes | None]:
    files = await world.repositories.files(world.site.remote, commit)
    return [await asyncio.to_thread(files.read, path) for path in paths]


async def test_a_merge_has_what_both_sides_have_changed(world: World) -> None:
    origin = world.site.commit({"a": "1\n", "b": "1\n", "c": "1\n"})
    base = world.site.commit({"a": "2\n"})
    head = world.site.commit({"b": "2\n", "c": None}, "side", parents=[origin])
    commit = await world.repositories.merge(world.site.remote, Merge(base, head))
    assert await contents(world, commit, "a", "b", "c") == [b"2\n", b"2\n", None]
    revision = await world.repositories.revision(world.site.remote, commit)
    assert revision.author == "Lineshaft <merge@lineshaft.invalid>"
    assert revision.message == f"Merge {head} into {base}"
    assert await world.repositories.changed_by(world.site.remote, [commit]) == ("b", "c")


async def test_a_merge_is_the_same_commit_wherever_it_is_made(world: World) -> None:
    world.site.commit({"a": "1\n"})
    origin = world.site.grow("main", 20)
    base = world.site.commit({"a": "2\n"})
    world.site.commit({"b": "1\n"}, "side", parents=[origin])
    head = world.site.grow("side", 30)
    merge = Merge(base, head)
    first = await world.repositories.merge(world.site.remote, merge)
    again = await asyncio.gather(*(world.repositories.merge(world.site.remote, merge) for _ in range(3)))
    # The other reader knows more of the history when it merges.
    other = world.anew()
    await other.changed(world.site.remote, origin, head)
    assert [*again, await other.merge(world.site.remote, merge)] == [first] * 4


async def test_of_what_cannot_be_merged_the_files_are_named(world: World) -> None:
    origin = world.site.commit({"a": "1\n", "b": "1\n", "dir/c": "1\n"})
    base = world.site.commit({"a": "2\n", "dir/c": "2\n"})
    head = world.site.commit({"a": "3\n", "b": "3\n", "dir/c": None}, "side", parents=[origin])
    with pytest.raises(MergeConflictError) as caught:
        await world.repositories.merge(world.site.remote, Merge(base, head))
    assert caught.value.paths == ("a", "dir/c")


async def test_a_merge_is_made_also_where_one_side_is_behind_the_other(world: World) -> None:
    base = world.site.commit({"a": "1"})
    head = world.site.commit({"a": "2"})
    commit = await world.repositories.merge(world.site.remote, Merge(base, head))
    assert commit not in {base, head}
    assert await contents(world, commit, "a") == [b"2"]


async def test_what_has_nothing_in_common_cannot_be_merged(world: World) -> None:
    base = world.site.commit({"a": "1"})
    head = world.site.commit({"b": "1"}, "orphan", parents=[])
    with pytest.raises(MergeConflictError):
        await world.repositories.merge(world.site.remote, Merge(base, head))


async def test_what_comes_from_a_fork_is_merged(world: World) -> None:
    files = {"a": "1\n", "b": "1\n"}
    origin = world.site.commit(files)
    assert world.fork.commit(files) == origin
    base = world.site.commit({"a": "2\n"})
    world.fork.commit({"b": "2\n"})
    head = world.fork.grow("main", 20)
    merge = Merge(base, head, head_ref="refs/pull/1/head", head_repository=world.fork.remote.address)
    commit = await world.repositories.merge(world.site.remote, merge)
    assert await contents(world, commit, "a", "b", "count") == [b"2\n", b"2\n", b"19"]
    assert await world.anew().merge(world.site.remote, merge) == commit


async def test_what_comes_by_a_name_of_its_own_is_merged(world: World) -> None:
    origin = world.site.commit({"a": "1\n", "b": "1\n"})
    base = world.site.commit({"a": "2\n"})
    head = world.site.commit({"b": "2\n"}, "side", parents=[origin])
    world.site.name("refs/pull/1/head", head)
    commit = await world.repositories.merge(world.site.remote, Merge(base, head, head_ref="refs/pull/1/head"))
    assert await contents(world, commit, "a", "b") == [b"2\n", b"2\n"]


async def test_a_merge_of_what_is_not_there_is_refused(world: World) -> None:
    commit = world.site.commit({"a": "1"})
    for merge in (
        Merge(commit, NO_COMMIT),
        Merge(NO_COMMIT, commit),
        Merge(commit, NO_COMMIT, "refs/pull/1/head"),
    ):
        with pytest.raises(SourceRefusedError):
            await world.repositories.merge(world.site.remote, merge)
