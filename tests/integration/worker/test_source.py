"""Which commit a task finds in its workspace."""

from datetime import timedelta
from pathlib import Path

import pytest

from git_server import Origin, git
from lineshaft.integrations.git.eviction import MirrorEviction
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock, SystemClock
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.worker.source import Source, Sources
from worker_tasks import Bench, Log, bench, lease_of, perform, sources_in


async def test_without_a_ref_the_default_branch_is_checked_out_and_told(
    worker: Bench, origin: Origin
) -> None:
    commit = origin.commit("main")
    await worker.run('cat file; echo " $LINESHAFT_COMMIT"', repository=str(origin.bare))
    assert worker.log.text == f"main {commit}\n"
    assert worker.resolved == [commit]


async def test_the_commit_that_the_run_is_pinned_to_is_checked_out(worker: Bench, origin: Origin) -> None:
    commit = origin.commit("one")
    origin.commit("two")
    await worker.run("cat file", repository=str(origin.bare), commit=commit, ref="main", branch="main")
    assert worker.log.text == "one"
    assert worker.resolved == []


@pytest.mark.parametrize("facts", [{"ref": "side"}, {"ref": "side", "branch": "side"}, {"branch": "side"}])
async def test_a_branch_is_checked_out(worker: Bench, origin: Origin, facts: dict[str, str]) -> None:
    origin.commit("side", "side")
    origin.commit("main", "main")
    await worker.run("cat file", repository=str(origin.bare), **facts)
    assert worker.log.text == "side"


async def test_what_is_known_to_be_a_tag_is_not_taken_for_a_branch(worker: Bench, origin: Origin) -> None:
    origin.commit("tagged")
    origin.tag("v1")
    origin.commit("branch", "v1")
    await worker.run("cat file", repository=str(origin.bare), ref="v1", tag="v1")
    assert worker.log.text == "tagged"


@pytest.mark.parametrize("annotated", [False, True])
async def test_a_plain_name_that_is_no_branch_after_all_is_looked_for_among_the_tags(
    worker: Bench, origin: Origin, *, annotated: bool
) -> None:
    origin.commit("tagged")
    origin.tag("v1", annotated=annotated)
    origin.commit("main")
    await worker.run("cat file", repository=str(origin.bare), ref="v1", branch="v1")
    assert worker.log.text == "tagged"


async def test_the_beginning_of_a_commits_id_is_enough(worker: Bench, origin: Origin) -> None:
    commit = origin.commit("one")
    origin.commit("two")
    await worker.run("cat file", repository=str(origin.bare), ref=commit[:9], branch=commit[:9])
    assert worker.log.text == "one"
    assert worker.resolved == [commit]


async def test_a_commit_on_a_known_branch_is_that_commit(worker: Bench, origin: Origin) -> None:
    commit = origin.commit("one")
    origin.commit("two")
    await worker.run("cat file", repository=str(origin.bare), ref=commit, branch="main")
    assert worker.log.text == "one"


async def test_a_ref_that_is_not_there_fails_the_task(worker: Bench, origin: Origin) -> None:
    origin.commit("one")
    outcome = await worker.run("echo ran", repository=str(origin.bare), ref="missing")
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SOURCE_REFUSED
    assert "no branch, tag or commit 'missing'" in outcome.reason.text
    assert worker.log.text == ""


MONTHS_LATER = timedelta(days=100)


async def evict(folder: Path) -> list[Path]:
    """Remove the mirrors that nobody uses, months later, and list those that are left."""
    clock = ManualClock(SystemClock().now() + MONTHS_LATER)
    await MirrorEviction(folder / "mirrors", clock).go_round()
    return list((folder / "mirrors").glob("*.git"))


class LongTask:
    """A driver whose task works for months."""

    def __init__(self, sources: Sources, folder: Path) -> None:
        self._sources = sources
        self._folder = folder

    async def perform(self, assignment: Assignment) -> Outcome:
        async with self._sources.checked_out(assignment) as source:
            assert isinstance(source, Source)
            assert len(await evict(self._folder)) == 1
            assert git("log", "--format=%s", folder=source.folder) == "one"
        return Outcome(State.SUCCEEDED, exit_code=0)


async def test_the_mirror_stays_for_as_long_as_a_task_works_in_its_checkout(
    tmp_path: Path, origin: Origin
) -> None:
    origin.commit("one")
    async with sources_in(tmp_path) as sources:
        await perform(LongTask(sources, tmp_path), lease_of("true", repository=str(origin.bare)), Log(), [])

    assert await evict(tmp_path) == []


async def test_a_workspace_is_used_again_after_its_mirror_was_removed(tmp_path: Path, origin: Origin) -> None:
    origin.commit("one")
    async with bench(tmp_path) as worker:
        await worker.run("cat file", repository=str(origin.bare))
    assert await evict(tmp_path) == []
    commit = origin.commit("two")

    async with bench(tmp_path) as worker:
        outcome = await worker.run("cat file; git rev-parse HEAD", repository=str(origin.bare))

    assert (outcome.state, worker.log.text) == (State.SUCCEEDED, f"two{commit}\n")
