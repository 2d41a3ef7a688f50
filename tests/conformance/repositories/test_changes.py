"""What `changed` and `changed_by` promise, of every remote."""

import pytest

from conformance.repositories.sites import World
from lineshaft.model.errors import SourceRefusedError
from lineshaft.ports.repositories import MOST_CHANGED

NO_COMMIT = "0123456789" * 4


async def test_what_changed_since_an_ancestor_is_told_in_order(world: World) -> None:
    before = world.site.commit({"a": "1", "b": "1", "gone": "1", "same": "1"})
    world.site.commit({"b": "2"})
    after = world.site.commit({"dir/new": "1", "gone": None})
    changed = await world.repositories.changed(world.site.remote, before, after)
    assert changed == ("b", "dir/new", "gone")


async def test_what_was_renamed_is_told_by_both_names(world: World) -> None:
    text = "a line\n" * 50
    before = world.site.commit({"old": text})
    after = world.site.commit({"old": None, "new": f"{text}more\n"})
    assert await world.repositories.changed(world.site.remote, before, after) == ("new", "old")


async def test_what_changed_is_told_from_where_two_branches_have_parted(world: World) -> None:
    origin = world.site.commit({"a": "1", "b": "1"})
    before = world.site.commit({"a": "2"})
    after = world.site.commit({"b": "2"}, "side", parents=[origin])
    assert await world.repositories.changed(world.site.remote, before, after) == ("b",)


async def test_what_changed_is_told_over_long_histories(world: World) -> None:
    world.site.commit({"a": "1"})
    origin = world.site.grow("main", 20)
    before = world.site.grow("main", 40)
    world.site.commit({"b": "1"}, "side", parents=[origin])
    after = world.site.grow("side", 150)
    await world.repositories.files(world.site.remote, before)
    assert await world.repositories.changed(world.site.remote, before, after) == ("b", "count")


async def test_what_came_in_by_a_merge_of_the_target_is_not_among_what_changed(world: World) -> None:
    origin = world.site.commit({"a": "1", "b": "1"})
    world.site.commit({"b": "2"}, "side", parents=[origin])
    before = world.site.commit({"a": "2"})
    side = (await world.repositories.revision(world.site.remote, "side")).commit
    after = world.site.commit({"a": "2"}, "side", parents=[side, before])
    assert await world.repositories.changed(world.site.remote, before, after) == ("b",)


async def test_names_of_any_kind_are_told(world: World) -> None:
    before = world.site.commit({"x": "1"})
    names = ["a b", "line\nbreak", 'quo"te', "tab\t", "zöe", "back\\slash"]
    after = world.site.commit(dict.fromkeys(names, "1"))
    changed = await world.repositories.changed(world.site.remote, before, after)
    assert changed is not None
    assert sorted(changed) == sorted(names)


async def test_nothing_changed_between_a_commit_and_itself(world: World) -> None:
    commit = world.site.commit({"a": "1"})
    assert await world.repositories.changed(world.site.remote, commit, commit) == ()


async def test_what_changed_is_unknown_since_a_commit_that_is_gone(world: World) -> None:
    commit = world.site.commit({"a": "1"})
    assert await world.repositories.changed(world.site.remote, NO_COMMIT, commit) is None
    assert await world.repositories.changed(world.site.remote, "0" * 40, commit) is None


async def test_what_changed_is_unknown_between_what_has_nothing_in_common(world: World) -> None:
    one = world.site.commit({"a": "1"})
    other = world.site.commit({"a": "2"}, "orphan", parents=[])
    assert await world.repositories.changed(world.site.remote, one, other) is None


async def test_what_changed_to_a_commit_that_is_not_there_is_refused(world: World) -> None:
    commit = world.site.commit({"a": "1"})
    with pytest.raises(SourceRefusedError, match=NO_COMMIT):
        await world.repositories.changed(world.site.remote, commit, NO_COMMIT)


async def test_of_too_many_paths_none_is_told(world: World) -> None:
    before = world.site.commit({"x": "1"})
    most = world.site.commit({f"d{number % 100}/{number}": "1" for number in range(MOST_CHANGED)})
    more = world.site.commit({"y": "1"})
    changed = await world.repositories.changed(world.site.remote, before, most)
    assert changed is not None
    assert len(changed) == MOST_CHANGED
    assert await world.repositories.changed(world.site.remote, before, more) is None


async def test_single_commits_are_compared_with_their_first_parents(world: World) -> None:
    root = world.site.commit({"a": "1", "b": "1"})
    one = world.site.commit({"c": "1"})
    world.site.commit({"d": "1"})
    side = world.site.commit({"s": "1"}, "side", parents=[root])
    merge = world.site.commit({"s": "1"}, parents=[one, side])
    repositories, remote = world.repositories, world.site.remote
    assert await repositories.changed_by(remote, []) == ()
    assert await repositories.changed_by(remote, [one]) == ("c",)
    assert await repositories.changed_by(remote, [merge, one]) == ("s", "c")
    assert await repositories.changed_by(remote, [root]) == ("a", "b")


async def test_single_commits_that_are_not_there_are_refused(world: World) -> None:
    commit = world.site.commit({"a": "1"})
    with pytest.raises(SourceRefusedError, match=NO_COMMIT):
        await world.repositories.changed_by(world.site.remote, [commit, NO_COMMIT])
