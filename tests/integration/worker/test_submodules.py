"""Tasks that find the repositories within their repository."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from git_imports import Inner, make_bare, write_commit
from git_server import git, git_daemon
from lineshaft.integrations.git.submodules import DEEPEST, MOST, resolved
from lineshaft.model.errors import SourceRefusedError
from lineshaft.model.reason import ReasonCode
from worker_tasks import Bench


class Served:
    """Bare repositories in one folder, which a daemon of git serves."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    def commit(self, name: str, files: Mapping[str, str | Inner]) -> str:
        """Make a repository of one commit, and return its id."""
        bare = make_bare(self.folder / f"{name}.git")
        commit = write_commit(bare, files, [])
        git("update-ref", "refs/heads/main", commit, folder=bare)
        return commit

    async def refusal(self, worker: Bench, name: str) -> str:
        """Run a task that is refused its source, and return why."""
        outcome = await worker.run("true", repository=f"{self.address}/{name}.git", submodules=True)
        assert outcome.reason is not None
        assert outcome.reason.code is ReasonCode.SOURCE_REFUSED
        return outcome.reason.text


@pytest.fixture
def served(worker: Bench) -> Iterator[Served]:
    folder = worker.folder / "served"
    folder.mkdir()
    with git_daemon(folder) as address:
        yield Served(folder, address)


def section(path: str, url: str, more: str = "") -> str:
    """Write a section of `.gitmodules`."""
    return f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n{more}'


async def test_repositories_within_a_repository_are_checked_out_at_the_commits_that_it_names(
    worker: Bench, served: Served
) -> None:
    deep = served.commit("deep", {"file": "deep\n"})
    inner = served.commit(
        "inner", {"file": "inner\n", "d": Inner(deep), ".gitmodules": section("d", "../deep.git")}
    )
    modules = section("lib/inner", "../inner.git") + section("other", f"{served.address}/deep.git")
    outer = served.commit(
        "outer", {"file": "outer\n", "lib/inner": Inner(inner), "other": Inner(deep), ".gitmodules": modules}
    )
    script = (
        "cat file lib/inner/file lib/inner/d/file other/file; git -C lib/inner rev-parse HEAD; git status -s"
    )
    await worker.run(script, repository=f"{served.address}/outer.git", commit=outer, submodules=True)
    assert worker.log.text == f"outer\ninner\ndeep\ndeep\n{inner}\n"


async def test_without_the_option_they_are_not_checked_out(worker: Bench, served: Served) -> None:
    inner = served.commit("inner", {"file": "inner\n"})
    served.commit("outer", {"lib": Inner(inner), ".gitmodules": section("lib", "../inner.git")})
    await worker.run("ls -A lib", repository=f"{served.address}/outer.git")
    assert worker.log.text == ""


async def test_what_a_task_leaves_in_one_does_not_reach_the_next_task(worker: Bench, served: Served) -> None:
    inner = served.commit("inner", {"file": "inner\n"})
    served.commit("outer", {"lib": Inner(inner), ".gitmodules": section("lib", "../inner.git")})
    for _ in range(2):
        script = "ls -A lib; cat lib/file; echo mine > lib/file; touch lib/new; rm -rf lib/.git"
        await worker.run(script, repository=f"{served.address}/outer.git", submodules=True)
    assert worker.log.text == ".git\nfile\ninner\n" * 2


async def test_nothing_else_that_the_file_of_submodules_says_is_done(worker: Bench, served: Served) -> None:
    inner = served.commit("inner", {"file": "inner\n"})
    owned = worker.folder / "owned"
    included = worker.folder / "included"
    included.write_text(section("inc", "../inner.git"))
    more = (
        f"\tupdate = !touch {owned}\n[core]\n\tsshCommand = touch {owned}\n[include]\n\tpath = {included}\n"
    )
    served.commit(
        "outer",
        {"lib": Inner(inner), "inc": Inner(inner), ".gitmodules": section("lib", "../inner.git", more)},
    )
    await worker.run("cat lib/file; ls -A inc", repository=f"{served.address}/outer.git", submodules=True)
    assert worker.log.text == "inner\n"
    assert not owned.exists()


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c touch% owned", "--upload-pack=touch owned", "ftp://a/b", "http://169.254.169.254/a.git"],
)
async def test_one_that_may_not_be_fetched_is_refused_by_its_path(
    worker: Bench, served: Served, url: str
) -> None:
    commit = served.commit("inner", {"file": "inner\n"})
    served.commit("outer", {"lib": Inner(commit), ".gitmodules": section("lib", url)})
    assert "The submodule 'lib': " in await served.refusal(worker, "outer")


async def test_a_folder_of_the_worker_is_none_for_a_repository_from_elsewhere(
    worker: Bench, served: Served
) -> None:
    commit = served.commit("inner", {"file": "inner\n"})
    url = str(served.folder / "inner.git")
    served.commit("outer", {"lib": Inner(commit), ".gitmodules": section("lib", url)})
    assert "comes from elsewhere" in await served.refusal(worker, "outer")
    await worker.run("cat lib/file", repository=str(served.folder / "outer.git"), submodules=True)
    assert worker.log.text == "inner\n"


async def test_a_path_that_the_tree_does_not_have_leads_nowhere(worker: Bench, served: Served) -> None:
    commit = served.commit("inner", {"file": "inner\n"})
    modules = section("lib/../../out", "../inner.git") + section("/out", "../inner.git")
    served.commit("outer", {"lib": Inner(commit), ".gitmodules": modules})
    await worker.run("ls -A lib", repository=f"{served.address}/outer.git", submodules=True)
    assert worker.log.text == ""
    assert not (worker.folder / "out").exists()


async def test_they_nest_only_so_deep(worker: Bench, served: Served) -> None:
    commit = served.commit("level0", {"file": "deep\n"})
    for level in range(1, DEEPEST + 2):
        files: dict[str, str | Inner] = {
            "in": Inner(commit),
            ".gitmodules": section("in", f"../level{level - 1}.git"),
        }
        commit = served.commit(f"level{level}", files)
    await worker.run(
        f"cat {'in/' * DEEPEST}file", repository=f"{served.address}/level{DEEPEST}.git", submodules=True
    )
    assert worker.log.text == "deep\n"
    assert f"at most {DEEPEST} within each other" in await served.refusal(worker, f"level{DEEPEST + 1}")


async def test_there_are_only_so_many(worker: Bench, served: Served) -> None:
    commit = served.commit("inner", {"file": "inner\n"})
    paths = [f"m{number}" for number in range(MOST + 1)]
    modules = "".join(section(path, "../inner.git") for path in paths)
    files: dict[str, str | Inner] = {".gitmodules": modules}
    files |= dict.fromkeys(paths, Inner(commit))
    served.commit("outer", files)
    assert f"at most {MOST} are checked out" in await served.refusal(worker, "outer")


@pytest.mark.parametrize(
    ("parent", "url", "whole"),
    [
        ("https://forge.example/team/shop.git", "../lib.git", "https://forge.example/team/lib.git"),
        ("https://forge.example/team/shop.git/", "../../other/lib", "https://forge.example/other/lib"),
        ("https://forge.example/team/shop.git", "./lib", "https://forge.example/team/shop.git/lib"),
        ("git@forge.example:team/shop.git", "../lib.git", "git@forge.example:team/lib.git"),
        ("git@forge.example:shop.git", "../lib.git", "git@forge.example:lib.git"),
        ("ssh://git@forge.example:22/shop.git", "../lib.git", "ssh://git@forge.example:22/lib.git"),
        ("/srv/git/shop.git", "../lib.git", "/srv/git/lib.git"),
        ("https://forge.example/shop.git", "git://b.example/lib", "git://b.example/lib"),
    ],
)
def test_a_relative_address_begins_at_the_one_around_it(parent: str, url: str, whole: str) -> None:
    assert resolved(parent, url) == whole


def test_a_relative_address_that_leads_above_the_host_is_refused() -> None:
    with pytest.raises(SourceRefusedError, match="leads above"):
        resolved("https://a:secret@forge.example/shop.git", "../../../etc")
