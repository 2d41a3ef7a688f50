"""Commits that several ask for at once: one fetch may bring them all, and nobody reads another's unasked."""

import asyncio
from pathlib import Path

import pytest

from git_imports import make_bare, write_commit
from git_server import git, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError
from lineshaft.ports.repositories import Login, Remote

LOGIN = Login("ada", "s3cret")
NO_COMMIT = "0123456789" * 4


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    return make_bare(served / "shop.git")


@pytest.fixture
def mirrors(tmp_path: Path, bare: Path) -> Mirrors:
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    return Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True)


def commit_to(bare: Path, name: str) -> str:
    commit = write_commit(bare, {"a": name}, [], message=name)
    git("update-ref", f"refs/heads/{name}", commit, folder=bare)
    return commit


async def test_who_waits_while_another_login_fetches_signs_in_as_well(mirrors: Mirrors, bare: Path) -> None:
    commit = commit_to(bare, "main")
    with git_http(bare.parent, "ada", "s3cret") as server:
        address = f"http://{server}/shop.git"
        known, unknown = (mirrors.of(address, login) for login in (LOGIN, Login("ada", "wr0ng")))
        async with known.folder.turn():
            waiting = asyncio.create_task(unknown.ensure(commit))
            await known.ensure_in_turn(commit)
        with pytest.raises(SourceUnreachableError, match="Authentication failed"):
            await waiting


async def test_what_others_wait_for_is_fetched_along(mirrors: Mirrors, bare: Path) -> None:
    one, other = commit_to(bare, "one"), commit_to(bare, "other")
    mirror = mirrors.of(str(bare))
    with mirror.folder.wanting(other):
        await mirror.ensure(one)
    assert await mirror.has(one)
    assert await mirror.has(other)


async def test_a_commit_is_had_where_what_others_wait_for_is_not(mirrors: Mirrors, bare: Path) -> None:
    commit = commit_to(bare, "main")
    mirror = mirrors.of(str(bare))
    with mirror.folder.wanting(NO_COMMIT):
        await mirror.ensure(commit)
    assert await mirror.has(commit)
    assert not await mirror.has(NO_COMMIT)


async def test_nobody_wants_what_is_no_whole_id(mirrors: Mirrors, bare: Path) -> None:
    commit_to(bare, "main")
    mirror = mirrors.of(str(bare))
    for name in ("--upload-pack=touch owned", "main", "+main:refs/heads/x"):
        async with mirror.folder.turn():
            waiting = asyncio.create_task(mirror.ensure(name))
            with pytest.raises(SourceRefusedError, match="no commit id"):
                await waiting


async def test_of_commits_that_are_asked_for_at_once_each_is_had_or_refused(
    mirrors: Mirrors, bare: Path
) -> None:
    commits = [commit_to(bare, f"{number}") for number in range(6)]
    remote, repositories = Remote(str(bare)), GitRepositories(mirrors)
    asked = [repositories.revision(remote, commit) for commit in (*commits[:3], NO_COMMIT, *commits[3:])]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found.pop(3), SourceRefusedError)
    assert [each.message for each in found if not isinstance(each, BaseException)] == list("012345")
