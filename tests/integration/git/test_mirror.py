import asyncio
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from git_server import Origin, git, git_daemon, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirror import FoundBranches
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

NO_COMMIT = "0123456789" * 4


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    folder = tmp_path / "allowed"
    folder.mkdir()
    return Origin(folder)


def mirrors_in(folder: Path, *roots: Path, limit: timedelta = timedelta(seconds=60)) -> Mirrors:
    program = GitProgram(ProcessExecutor(), folder, "test/git")
    return Mirrors(program, folder / "mirrors", roots, fetch_limit=limit)


@pytest.fixture
def mirrors(tmp_path: Path, origin: Origin) -> Mirrors:
    assert origin
    return mirrors_in(tmp_path, tmp_path / "allowed")


async def check_out(mirrors: Mirrors, address: str, folder: Path) -> str:
    mirror = mirrors.of(address)
    commit = await mirror.resolve("trip")
    folder.mkdir()
    await mirror.checkout(commit, folder, folder.with_suffix(".keeper"))
    return commit


async def test_a_local_repository_is_checked_out_at_its_default_branch(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    wanted = origin.commit("hello")
    assert await check_out(mirrors, str(origin.bare), tmp_path / "work") == wanted
    assert (tmp_path / "work" / "file").read_text() == "hello"
    assert git("rev-parse", "HEAD", folder=tmp_path / "work") == wanted
    assert git("status", "--porcelain", folder=tmp_path / "work") == ""
    assert git("remote", "get-url", "origin", folder=tmp_path / "work") == str(origin.bare)


async def test_a_repository_is_fetched_by_the_git_protocol(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("hello")
    with git_daemon(tmp_path / "allowed") as server:
        await check_out(mirrors, f"{server}/origin.git", tmp_path / "work")
    assert (tmp_path / "work" / "file").read_text() == "hello"


async def test_a_repository_is_fetched_by_http_with_credentials_that_the_workspace_does_not_hold(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("hello")
    with git_http(tmp_path / "allowed", "ada", "secret") as server:
        await check_out(mirrors, f"http://ada:secret@{server}/origin.git", tmp_path / "work")
    assert (tmp_path / "work" / "file").read_text() == "hello"
    assert "secret" not in (tmp_path / "work" / ".git" / "config").read_text()


async def test_wrong_credentials_are_a_plain_reason_without_the_credentials(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("hello")
    with git_http(tmp_path / "allowed", "ada", "secret") as server:
        mirror = mirrors.of(f"http://ada:wrong@{server}/origin.git")
        with pytest.raises(SourceUnreachableError) as error:
            await mirror.resolve("trip")
    assert "Authentication failed" in error.value.message
    assert "wrong" not in error.value.message


async def test_only_the_newest_commit_is_fetched(mirrors: Mirrors, origin: Origin, tmp_path: Path) -> None:
    origin.commit("one")
    origin.commit("two")
    await check_out(mirrors, str(origin.bare), tmp_path / "work")
    assert git("rev-list", "--count", "HEAD", folder=tmp_path / "work") == "1"


async def test_a_later_trip_sees_a_later_commit(mirrors: Mirrors, origin: Origin, tmp_path: Path) -> None:
    origin.commit("one")
    await check_out(mirrors, str(origin.bare), tmp_path / "first")
    wanted = origin.commit("two")
    assert await check_out(mirrors, str(origin.bare), tmp_path / "second") == wanted
    assert (tmp_path / "first" / "file").read_text() == "one"
    assert (tmp_path / "second" / "file").read_text() == "two"


async def test_an_older_commit_is_fetched_alone(mirrors: Mirrors, origin: Origin, tmp_path: Path) -> None:
    origin.commit("one")
    wanted = origin.commit("two")
    origin.commit("three")
    mirror = mirrors.of(str(origin.bare))
    assert await mirror.resolve("trip", wanted) == wanted
    (tmp_path / "work").mkdir()
    await mirror.checkout(wanted, tmp_path / "work", tmp_path / "keeper")
    assert git("rev-list", "--all", "--count", folder=mirror.objects.parent) == "0"
    assert git("rev-list", "--count", "HEAD", folder=tmp_path / "work") == "1"


async def test_those_who_ask_for_one_trip_at_once_get_one_answer(mirrors: Mirrors, origin: Origin) -> None:
    origin.commit("one")
    mirror = mirrors.of(str(origin.bare))
    answers = await asyncio.gather(*(mirror.resolve("trip") for _ in range(8)))
    assert len(set(answers)) == 1


async def test_an_older_commit_can_be_checked_out(mirrors: Mirrors, origin: Origin, tmp_path: Path) -> None:
    old = origin.commit("one")
    origin.commit("two")
    mirror = mirrors.of(str(origin.bare))
    await mirror.ensure(old)
    (tmp_path / "work").mkdir()
    await mirror.checkout(old, tmp_path / "work", tmp_path / "keeper")
    assert (tmp_path / "work" / "file").read_text() == "one"


async def test_a_commit_that_is_there_needs_no_network(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    with git_daemon(tmp_path / "allowed") as server:
        mirror = mirrors.of(f"{server}/origin.git")
        commit = await mirror.resolve("trip")
    await mirror.ensure(commit)


async def test_a_commit_that_the_repository_has_not_is_refused(mirrors: Mirrors, origin: Origin) -> None:
    origin.commit("one")
    with pytest.raises(SourceRefusedError, match=NO_COMMIT):
        await mirrors.of(str(origin.bare)).ensure(NO_COMMIT)


async def test_what_a_task_does_to_its_checkout_does_not_reach_the_next(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    await check_out(mirrors, str(origin.bare), tmp_path / "first")
    (tmp_path / "first" / "file").write_text("changed")
    git("commit", "--quiet", "--all", "--message", "mine", folder=tmp_path / "first")
    git("gc", "--quiet", "--prune=now", folder=tmp_path / "first")
    await check_out(mirrors, str(origin.bare), tmp_path / "second")
    assert (tmp_path / "second" / "file").read_text() == "one"


async def test_a_hook_of_the_repository_is_not_run(mirrors: Mirrors, origin: Origin, tmp_path: Path) -> None:
    origin.commit("one")
    hook = origin.bare / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/owned\n")
    hook.chmod(0o755)
    await check_out(mirrors, str(origin.bare), tmp_path / "work")
    assert not (tmp_path / "owned").exists()


async def test_an_empty_repository_is_a_plain_reason(mirrors: Mirrors, origin: Origin) -> None:
    with pytest.raises(SourceRefusedError, match="no commit on its default branch"):
        await mirrors.of(str(origin.bare)).resolve("trip")


async def test_a_server_that_is_not_there_is_a_plain_reason(mirrors: Mirrors) -> None:
    with pytest.raises(SourceUnreachableError, match="Connection refused"):
        await mirrors.of("git://127.0.0.1:1/a.git").resolve("trip")


async def test_a_server_that_says_nothing_is_given_up_at_the_limit(tmp_path: Path) -> None:
    mirrors = mirrors_in(tmp_path, limit=timedelta(milliseconds=300))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = mirrors.of(f"git://127.0.0.1:{silent.getsockname()[1]}/a.git")
        with pytest.raises(SourceUnreachableError, match=r"within 0\.3 seconds"):
            await mirror.resolve("trip")


@pytest.mark.parametrize("address", ["--upload-pack=/bin/true", "ext::sh -c true", "relative", "ftp://a/b"])
async def test_an_address_that_is_none_is_refused(mirrors: Mirrors, address: str) -> None:
    with pytest.raises(SourceRefusedError):
        mirrors.of(address)


async def test_a_folder_outside_of_the_roots_is_refused(mirrors: Mirrors, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(SourceRefusedError, match="not under a folder"):
        mirrors.of(str(Origin(outside).bare))


async def test_a_link_out_of_the_roots_is_refused(mirrors: Mirrors, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "allowed" / "link").symlink_to(Origin(outside).bare)
    with pytest.raises(SourceRefusedError, match="not under a folder"):
        mirrors.of(str(tmp_path / "allowed" / "link"))


async def test_dots_out_of_the_roots_are_refused(mirrors: Mirrors, tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match="not under a folder"):
        mirrors.of(f"{tmp_path}/allowed/../outside")


async def test_a_branch_is_resolved_to_its_newest_commit(mirrors: Mirrors, origin: Origin) -> None:
    wanted = origin.commit("on the branch", "release/1.0")
    origin.commit("on main", "main")
    mirror = mirrors.of(str(origin.bare))
    assert await mirror.resolve("trip", "release/1.0") == wanted
    assert await mirror.resolve("trip", "refs/heads/release/1.0") == wanted


@pytest.mark.parametrize("annotated", [False, True])
async def test_a_tag_is_resolved_to_the_commit_that_it_names(
    mirrors: Mirrors, origin: Origin, *, annotated: bool
) -> None:
    wanted = origin.commit("one")
    origin.tag("v1", annotated=annotated)
    origin.commit("two")
    mirror = mirrors.of(str(origin.bare))
    assert await mirror.resolve("trip", "v1") == wanted
    assert await mirror.resolve("trip", "refs/tags/v1") == wanted


async def test_a_branch_goes_before_a_tag_of_its_name(mirrors: Mirrors, origin: Origin) -> None:
    tagged = origin.commit("one")
    origin.tag("v1")
    branch = origin.commit("two", "v1")
    mirror = mirrors.of(str(origin.bare))
    assert await mirror.resolve("trip", "v1") == branch
    assert await mirror.resolve("trip", "refs/tags/v1") == tagged


@pytest.mark.parametrize("digits", [7, 12, 40])
async def test_an_older_commit_is_resolved_by_the_beginning_of_its_id(
    mirrors: Mirrors, origin: Origin, tmp_path: Path, digits: int
) -> None:
    wanted = origin.commit("one")
    origin.commit("two")
    mirror = mirrors.of(str(origin.bare))
    await mirror.resolve("trip")
    assert await mirror.resolve("trip", wanted[:digits]) == wanted
    (tmp_path / "work").mkdir()
    await mirror.checkout(wanted, tmp_path / "work", tmp_path / "keeper")
    assert (tmp_path / "work" / "file").read_text() == "one"


async def test_only_the_newest_commit_of_a_branch_is_fetched(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one", "side")
    wanted = origin.commit("two", "side")
    mirror = mirrors.of(str(origin.bare))
    assert await mirror.resolve("trip", "side") == wanted
    (tmp_path / "work").mkdir()
    await mirror.checkout(wanted, tmp_path / "work", tmp_path / "keeper")
    assert git("rev-list", "--count", "HEAD", folder=tmp_path / "work") == "1"


@pytest.mark.parametrize("ref", ["missing", "abcdef1", NO_COMMIT, "refs/heads/missing", "v1"])
async def test_a_ref_that_the_repository_has_not_is_refused(
    mirrors: Mirrors, origin: Origin, ref: str
) -> None:
    origin.commit("one")
    with pytest.raises(SourceRefusedError, match=f"no .*commit '?{ref}"):
        await mirrors.of(str(origin.bare)).resolve("trip", ref)


@pytest.mark.parametrize(
    "ref", ["", "-x", "+main", "main:refs/heads/x", "a..b", "*", "a b", "@{-1}", "a~1", "a^", "x.lock", "/a"]
)
async def test_what_cannot_be_a_ref_is_refused_before_git_sees_it(
    mirrors: Mirrors, origin: Origin, ref: str
) -> None:
    origin.commit("one")
    with pytest.raises(SourceRefusedError, match="cannot be a branch"):
        await mirrors.of(str(origin.bare)).resolve("trip", ref)


async def test_those_who_ask_for_different_refs_at_once_get_an_answer_each(
    mirrors: Mirrors, origin: Origin
) -> None:
    side, main = origin.commit("one", "side"), origin.commit("two", "main")
    mirror = mirrors.of(str(origin.bare))
    answers = await asyncio.gather(mirror.resolve("trip", "side"), mirror.resolve("trip", "main"))
    assert tuple(answers) == (side, main)


async def test_a_repository_tells_its_default_branch_and_what_a_ref_means(
    tmp_path: Path, origin: Origin
) -> None:
    mirror = mirrors_in(tmp_path, tmp_path / "allowed").of(str(origin.bare))
    assert await mirror.branches() == FoundBranches()
    origin.commit("one")
    commit = origin.commit("two", branch="topic/a")
    origin.tag("v1")
    assert await mirror.branches() == FoundBranches("main", "main")
    assert await mirror.branches("topic/a") == FoundBranches("topic/a", "main")
    for ref in ("v1", commit, "refs/tags/v1", "a"):
        assert await mirror.branches(ref) == FoundBranches("", "main")
