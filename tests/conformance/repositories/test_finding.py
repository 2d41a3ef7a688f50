"""What `refs`, `revision` and `files` promise, of every remote."""

import asyncio
from datetime import UTC, datetime

import pytest

from conformance.repositories.sites import AT, World
from git_imports import Link
from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.model.errors import SourceError, SourceRefusedError
from lineshaft.ports.repositories import CommitFiles, Login, Remote

NO_COMMIT = "0123456789" * 4


async def read(files: CommitFiles, path: str) -> bytes | None:
    return await asyncio.to_thread(files.read, path)


async def test_an_empty_repository_has_no_refs(world: World) -> None:
    assert await world.repositories.refs(world.site.remote) == {}


async def test_refs_lead_to_commits_also_by_tags_that_say_something(world: World) -> None:
    main = world.site.commit({"a": "1"})
    side = world.site.commit({"a": "2"}, "release/1")
    world.site.name("refs/tags/plain", main)
    world.site.annotate("v1", side)
    world.site.name("refs/pull/1/head", main)

    assert await world.repositories.refs(world.site.remote) == {
        "refs/heads/main": main,
        "refs/heads/release/1": side,
        "refs/tags/plain": main,
        "refs/tags/v1": side,
    }


async def test_the_default_branch_is_known_where_there_is_one(world: World) -> None:
    assert await world.repositories.default_branch(world.site.remote) == ""
    world.site.commit({"a": "1"})
    world.site.commit({"a": "2"}, "release/1")

    assert await world.repositories.default_branch(world.site.remote) == "refs/heads/main"


async def test_a_revision_tells_what_its_commit_says(world: World) -> None:
    commit = world.site.commit({"a": "1"}, message="Subject\n\nBödy\nof it")
    revision = await world.repositories.revision(world.site.remote)
    assert (revision.commit, revision.ref, revision.branch) == (commit, "refs/heads/main", "main")
    assert revision.author == "Ada <ada@example.org>"
    assert revision.message == "Subject\n\nBödy\nof it"
    assert revision.committed_at == datetime.fromtimestamp(AT, UTC)


async def test_a_revision_is_found_by_each_kind_of_name(world: World) -> None:
    old = world.site.commit({"a": "1"})
    world.site.annotate("v1", old)
    side = world.site.commit({"a": "2"}, "release/1")
    world.site.commit({"a": "3"})
    found = {}
    for name in ("v1", "refs/tags/v1", "release/1", "refs/heads/release/1", old, old[:10]):
        revision = await world.repositories.revision(world.site.remote, name)
        found[name] = (revision.commit, revision.ref)
    assert found == {
        "v1": (old, "refs/tags/v1"),
        "refs/tags/v1": (old, "refs/tags/v1"),
        "release/1": (side, "refs/heads/release/1"),
        "refs/heads/release/1": (side, "refs/heads/release/1"),
        old: (old, ""),
        old[:10]: (old, ""),
    }


async def test_a_branch_goes_before_a_tag_of_its_name(world: World) -> None:
    tagged = world.site.commit({"a": "1"})
    world.site.name("refs/tags/v1", tagged)
    branch = world.site.commit({"a": "2"}, "v1")
    assert (await world.repositories.revision(world.site.remote, "v1")).commit == branch


async def test_a_revision_is_what_a_branch_leads_to_now(world: World) -> None:
    first = world.site.commit({"a": "1"})
    assert (await world.repositories.revision(world.site.remote, "main")).commit == first
    second = world.site.commit({"a": "2"})
    assert (await world.repositories.revision(world.site.remote, "main")).commit == second
    world.site.name("refs/heads/main", first)
    assert (await world.repositories.revision(world.site.remote, "main")).commit == first


@pytest.mark.parametrize("ref", ["missing", "abcdef1", NO_COMMIT, "refs/tags/main"])
async def test_a_revision_that_is_not_there_is_refused(world: World, ref: str) -> None:
    world.site.commit({"a": "1"})
    with pytest.raises(SourceRefusedError, match="has no"):
        await world.repositories.revision(world.site.remote, ref)


async def test_an_empty_repository_has_no_revision(world: World) -> None:
    with pytest.raises(SourceRefusedError):
        await world.repositories.revision(world.site.remote)


async def test_files_are_read_as_they_are(world: World) -> None:
    commit = world.site.commit(
        {"lineshaft.yml": "name: shop\n", "ci/deep/binary": b"\x00\xff\r\n", "[a]*": "literal", "e": ""}
    )
    files = await world.repositories.files(world.site.remote, commit)
    assert await read(files, "lineshaft.yml") == b"name: shop\n"
    assert await read(files, "ci/deep/binary") == b"\x00\xff\r\n"
    assert await read(files, "./ci//deep/binary") == b"\x00\xff\r\n"
    assert await read(files, "[a]*") == b"literal"
    assert await read(files, "e") == b""


async def test_what_is_no_file_of_the_commit_is_not_read(world: World) -> None:
    commit = world.site.commit(
        {"ci/a": "1", "link": Link("ci/a"), "out": Link("/etc/passwd"), "d": Link("ci")}
    )
    world.site.commit({"later": "2"})
    files = await world.repositories.files(world.site.remote, commit)
    paths = (
        "later",
        "ci",
        "ci/",
        "link",
        "out",
        "d/a",
        "",
        "/etc/passwd",
        "../x",
        "ci/../ci/a",
        "*",
        ":/ci/a",
    )
    assert {path: await read(files, path) for path in paths} == dict.fromkeys(paths)


async def test_of_a_long_file_one_byte_more_than_a_definition_may_have_is_read(world: World) -> None:
    commit = world.site.commit({"long": b"x" * (SIZE_LIMIT_BYTES + 1000)})
    files = await world.repositories.files(world.site.remote, commit)
    assert await read(files, "long") == b"x" * (SIZE_LIMIT_BYTES + 1)


async def test_files_of_a_commit_that_is_not_there_are_refused(world: World) -> None:
    world.site.commit({"a": "1"})
    with pytest.raises(SourceRefusedError, match=NO_COMMIT):
        await world.repositories.files(world.site.remote, NO_COMMIT)


async def test_many_may_read_at_once(world: World) -> None:
    commits = [world.site.commit({"a": str(number)}) for number in range(4)]
    found = await asyncio.gather(
        *(world.repositories.files(world.site.remote, commit) for commit in commits for _ in range(2))
    )
    contents = await asyncio.gather(*(read(files, "a") for files in found))
    assert contents == [b"0", b"0", b"1", b"1", b"2", b"2", b"3", b"3"]


async def test_nobody_reads_by_a_wrong_login_what_was_fetched_by_a_right_one(world: World) -> None:
    if not world.wants_login:
        return
    commit = world.site.commit({"a": "1"})
    await world.repositories.files(world.site.remote, commit)
    address = world.site.remote.address
    for remote in (Remote(address, Login("ada", "wr0ng")), Remote(address)):
        for call in (
            world.repositories.refs(remote),
            world.repositories.revision(remote, commit),
            world.repositories.files(remote, commit),
            world.repositories.changed(remote, commit, commit),
        ):
            with pytest.raises(SourceError) as caught:
                await call
            assert "wr0ng" not in f"{caught.value.message} {caught.value.advice}"
            assert isinstance(caught.value, SourceRefusedError)
