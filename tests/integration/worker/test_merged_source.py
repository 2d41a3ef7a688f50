"""Tasks that work on what would be there if a pull request were merged."""

from pathlib import Path

import pytest

from conformance.repositories.sites import reader
from git_imports import make_bare, write_commit
from git_server import git, git_daemon
from lineshaft.model.merge import Merge
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.repositories import Remote
from worker_tasks import Bench


@pytest.fixture
def bare(worker: Bench) -> Path:
    return make_bare(worker.folder / "merged.git")


def two_sides(bare: Path, text: str = "head\n") -> Merge:
    origin = write_commit(bare, {"a": "1\n", "b": "1\n"}, [])
    base = write_commit(bare, {"a": "base\n"}, [origin])
    head = write_commit(bare, {"b": text}, [origin])
    git("update-ref", "refs/heads/main", base, folder=bare)
    git("update-ref", "refs/pull/1/head", head, folder=bare)
    return Merge(base, head, "refs/pull/1/head")


async def test_a_worker_makes_the_merge_that_the_server_has_made(worker: Bench, bare: Path) -> None:
    merge = two_sides(bare)
    with git_daemon(bare.parent) as server:
        address = f"{server}/{bare.name}"
        commit = await reader(worker.folder / "server").merge(Remote(address), merge)
        script = 'cat a b; test "$(git rev-parse HEAD)" = "$LINESHAFT_COMMIT" && git log -1 --format=%P'
        await worker.run(script, repository=address, commit=commit, ref="main", merge=merge)
    assert worker.log.text == f"base\nhead\n{merge.base} {merge.head}\n"


async def test_a_merge_that_was_made_before_needs_no_network(worker: Bench, bare: Path) -> None:
    merge = two_sides(bare)
    with git_daemon(bare.parent) as server:
        address = f"{server}/{bare.name}"
        commit = await reader(worker.folder / "server").merge(Remote(address), merge)
        await worker.run("cat b", repository=address, commit=commit, merge=merge)
    await worker.run("cat b", repository=address, commit=commit, merge=merge)
    assert worker.log.text == "head\nhead\n"


async def test_a_merge_that_comes_out_otherwise_is_refused(worker: Bench, bare: Path) -> None:
    merge = two_sides(bare)
    outcome = await worker.run("true", repository=str(bare), commit="0123456789" * 4, merge=merge)
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SOURCE_REFUSED
    assert f"and not {'0123456789' * 4}" in outcome.reason.text


async def test_a_merge_that_needs_a_person_is_refused(worker: Bench, bare: Path) -> None:
    origin = write_commit(bare, {"a": "1\n"}, [])
    base = write_commit(bare, {"a": "2\n"}, [origin])
    head = write_commit(bare, {"a": "3\n"}, [origin])
    outcome = await worker.run("true", repository=str(bare), commit="0123456789" * 4, merge=Merge(base, head))
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SOURCE_REFUSED
    assert "They meet in a." in outcome.reason.text
