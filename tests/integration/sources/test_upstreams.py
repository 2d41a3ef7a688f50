"""Upstream pipelines: what starts when a run has ended, with what, and what does not."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk import DeskWorker
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.errors import InvalidDefinitionError
from lineshaft.model.outcome import Outcome as TaskOutcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.ports.memory_repositories import MemoryRepositories
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.services.sources.following import LONGEST_CHAIN, START_DOWNSTREAM
from planes import temporary_plane

SHOP = "https://git.example/team/shop"
OTHER = "https://git.example/team/other"
TASK = "steps: [{name: a, run: make}]\n"
BUILD = (
    "name: build\ncallable_by: '*'\noutputs: {version: '${{ outputs.a.version }}'}\n"
    "steps: [{name: a, run: make, outputs: [version]}]\n"
)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
BUILT = TaskOutcome(State.SUCCEEDED, exit_code=0, outputs={"version": "1.2"})
FAILED = TaskOutcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "It exited with code 1."))


@pytest.fixture
def repositories() -> MemoryRepositories:
    return MemoryRepositories()


@pytest.fixture
async def plane(
    database_url: str, tmp_path: Path, repositories: MemoryRepositories
) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, url=database_url, repositories=repositories) as opened:
        yield opened


@pytest.fixture
def worker(plane: ControlPlane) -> DeskWorker:
    return DeskWorker(plane)


def follows(upstream: str, name: str = "test", more: str = "") -> str:
    return f"name: {name}\ncallable_by: '*'\non: {{upstream: [{upstream}]}}\n{more}{TASK}"


async def end(worker: DeskWorker, outcome: TaskOutcome = BUILT) -> Run:
    """End the one run that waits for a worker, and see to all that follows."""
    (lease,) = (await worker.claim()).values()
    run = await worker.report(lease, outcome)
    await worker.plane.settle()
    return run


async def runs(worker: DeskWorker, pipeline: Pipeline) -> Sequence[Run]:
    return await worker.plane.runs.page(pipeline.id, before=None, limit=9)


async def deliveries(worker: DeskWorker) -> Sequence[Delivery]:
    return await worker.plane.store.read(lambda transaction: transaction.deliveries.page(limit=99))


async def refusal(worker: DeskWorker) -> str:
    (delivery,) = await deliveries(worker)
    (outcome,) = delivery.outcomes
    assert outcome.run_id is None
    return outcome.text


async def test_a_pipeline_starts_when_the_one_that_it_follows_has_succeeded(worker: DeskWorker) -> None:
    follower = await worker.pipeline(follows("build"))
    await worker.start(BUILD)
    upstream = await end(worker)

    (run,) = await runs(worker, follower)
    (delivery,) = await deliveries(worker)
    assert (run.cause, run.origin.upstream, run.origin.delivery) == (
        Cause.UPSTREAM,
        upstream.id,
        delivery.id,
    )
    assert (delivery.source, delivery.state) == (DeliverySource.UPSTREAM, DeliveryState.HANDLED)
    assert delivery.outcomes == (Outcome(follower.id, "test", run.id),)


async def test_a_pipeline_starts_by_the_end_states_that_it_names_alone(worker: DeskWorker) -> None:
    await worker.pipeline(follows("build", "happy"))
    sad = await worker.pipeline(follows("{pipeline: build, states: [failed, lost]}", "sad"))
    await worker.start(BUILD)
    await end(worker, FAILED)

    assert len(await runs(worker, sad)) == 1
    assert [each.outcomes[0].pipeline for each in await deliveries(worker)] == ["sad"]


async def test_a_chain_hands_on_what_its_runs_have_told(worker: DeskWorker) -> None:
    given = 'inputs: {version: "${{ upstream.outputs.version }}"}'
    asks = "inputs: {version: {required: true}}\noutputs: {version: '${{ inputs.version }}'}\n"
    test = await worker.pipeline(follows(f"{{pipeline: build, {given}}}", "test", asks))
    ship = await worker.pipeline(follows(f"{{pipeline: test, {given}}}", "ship", asks))
    await worker.start(BUILD)

    await end(worker)
    await end(worker)

    (tested,) = await runs(worker, test)
    (shipped,) = await runs(worker, ship)
    assert tested.inputs == shipped.inputs == {"version": "1.2"}
    assert shipped.origin.upstream == tested.id


async def test_inputs_see_all_of_the_run_before(worker: DeskWorker) -> None:
    names = ("name", "run", "number", "state", "branch", "tag", "commit")
    given = ", ".join(f'{name}: "${{{{ upstream.{name} }}}}"' for name in names)
    asked = ", ".join(f"{name}: {{required: true}}" for name in names)
    follower = await worker.pipeline(
        follows(f"{{pipeline: build, inputs: {{{given}}}}}", more=f"inputs: {{{asked}}}\n")
    )
    revision = Source(SHOP, "c" * 40, branch="main")
    upstream = await worker.start(f"{BUILD}repository: {SHOP}\n", RunRequest(revision=revision))
    await end(worker)

    (run,) = await runs(worker, follower)
    assert run.inputs == {
        "name": "build",
        "run": str(upstream.id),
        "number": "1",
        "state": "succeeded",
        "branch": "main",
        "tag": "",
        "commit": "c" * 40,
    }


async def test_a_pipeline_of_the_same_repository_works_on_the_same_revision(worker: DeskWorker) -> None:
    same = await worker.pipeline(follows("build", "same", f"repository: {SHOP}.git\n"))
    other = await worker.pipeline(follows("build", "other", f"repository: {OTHER}\n"))
    free = await worker.pipeline(follows("build", "free"))
    revision = Source(SHOP, "c" * 40, ref="refs/heads/main", branch="main", changeset=("a.py",))
    await worker.start(f"{BUILD}repository: {SHOP}\n", RunRequest(revision=revision))
    await end(worker)

    sources = [(await runs(worker, each))[0].source for each in (same, other, free)]
    assert sources == [revision, Source(OTHER), None]


async def test_what_follows_a_change_that_is_not_trusted_is_not_trusted_either(worker: DeskWorker) -> None:
    follower = await worker.pipeline(follows("build"))
    await worker.start(BUILD, RunRequest(untrusted=True))
    await end(worker)

    (run,) = await runs(worker, follower)
    assert run.untrusted
    assert not run.held


async def test_a_pipeline_that_is_kept_in_a_repository_does_what_its_file_says_at_that_commit(
    worker: DeskWorker, repositories: MemoryRepositories
) -> None:
    repository = repositories.add(SHOP)
    text = "on: {upstream: [build]}\nsteps: [{name: NAME, run: make}]\n"
    old = repository.commit({"lineshaft.yml": text.replace("NAME", "old")})
    repository.commit({"lineshaft.yml": text.replace("NAME", "new")})
    follower = await worker.plane.sources.kept.create("test", ConfigFile(SHOP))
    build = await worker.pipeline(f"{BUILD}repository: {SHOP}\n")
    for revision in (Source(SHOP, old), None):
        await worker.plane.runs.trigger(build.id, RunRequest(revision=revision))
        await end(worker)
        await end(worker)

    newer, older = await runs(worker, follower)
    assert (older.tree.find("old") is None, newer.tree.find("new") is None) == (False, False)
    assert older.source == Source(SHOP, old)


async def test_a_repository_that_does_not_answer_is_asked_again(
    worker: DeskWorker, repositories: MemoryRepositories
) -> None:
    repository = repositories.add(SHOP)
    repository.commit({"lineshaft.yml": "on: {upstream: [build]}\nsteps: [{name: a, run: make}]\n"})
    follower = await worker.plane.sources.kept.create("test", ConfigFile(SHOP))
    repository.answers = False
    await worker.start(BUILD)
    await end(worker)
    assert await runs(worker, follower) == []
    assert await deliveries(worker) == []

    repository.answers = True
    entries = await worker.plane.store.read(lambda it: it.outbox.due(FAR, 9))
    await asyncio.gather(*(worker.plane.sources.downstream.start(entry) for entry in entries))

    assert len(await runs(worker, follower)) == 1


async def test_an_end_that_is_told_twice_starts_one_run(worker: DeskWorker) -> None:
    follower = await worker.pipeline(follows("build"))
    await worker.start(BUILD)
    (lease,) = (await worker.claim()).values()
    await worker.report(lease, BUILT)
    entries = await worker.plane.store.read(lambda it: it.outbox.due(FAR, 9))
    entries = [entry for entry in entries if entry.kind == START_DOWNSTREAM]
    assert len(entries) == 1

    start = worker.plane.sources.downstream.start
    await asyncio.gather(start(entries[0]), start(entries[0]))
    await start(entries[0])
    await worker.plane.settle()

    assert len(await runs(worker, follower)) == 1
    assert len(await deliveries(worker)) == 1


async def test_a_pipeline_that_admits_nobody_is_not_followed(worker: DeskWorker) -> None:
    await worker.pipeline(follows("build"))
    await worker.start(BUILD.replace("callable_by: '*'\n", ""))
    await end(worker)

    assert await refusal(worker) == (
        "'build' does not let 'test' follow it: its definition would have to say `callable_by: [\"test\"]`."
    )


async def test_a_name_that_several_pipelines_have_starts_nothing(worker: DeskWorker) -> None:
    await worker.pipeline(follows("build"))
    await worker.pipeline(BUILD)
    await worker.start(BUILD)
    await end(worker)

    assert await refusal(worker) == ("Several pipelines have the name 'build'. Give each a name of its own.")


async def test_what_cannot_be_given_is_told(worker: DeskWorker) -> None:
    given = '{pipeline: build, inputs: {version: "${{ upstream.outputs.missing }}"}}'
    await worker.pipeline(follows(given, more="inputs: {version: {required: true}}\n"))
    await worker.start(BUILD)
    await end(worker)

    assert "missing" in await refusal(worker)


async def test_a_chain_that_is_too_long_is_cut(worker: DeskWorker) -> None:
    first = await worker.pipeline(f"name: p0\ncallable_by: '*'\n{TASK}")
    others = [
        await worker.pipeline(follows(f"p{number - 1}", f"p{number}"))
        for number in range(1, LONGEST_CHAIN + 1)
    ]
    await worker.plane.runs.trigger(first.id)

    for _ in range(LONGEST_CHAIN):
        await end(worker)

    assert await worker.claim() == {}
    assert [len(await runs(worker, each)) for each in others] == [1] * (LONGEST_CHAIN - 1) + [0]
    newest = (await deliveries(worker))[0]
    assert newest.outcomes[0].text == "More than 32 runs have started each other, one behind the other."


async def test_a_chain_that_comes_back_by_a_call_is_cut(worker: DeskWorker) -> None:
    # `ship` calls `build`, whose end starts `ship`.
    ship = await worker.pipeline(
        "name: ship\ncallable_by: '*'\non: {upstream: [build]}\nsteps: [{name: call, pipeline: build}]\n"
    )
    await worker.pipeline(BUILD)
    await worker.plane.runs.trigger(ship.id)
    await end(worker)

    assert await refusal(worker) == (
        "The pipelines have come back to one of them: 'ship' started 'build', which started 'ship'."
    )


@pytest.mark.parametrize("names", [("build", "test"), ("build", "test", "ship")])
async def test_pipelines_that_would_start_each_other_are_refused(
    worker: DeskWorker, names: tuple[str, ...]
) -> None:
    first = await worker.pipeline(BUILD)
    for upstream, name in itertools.pairwise(names):
        await worker.pipeline(follows(upstream, name))

    with pytest.raises(InvalidDefinitionError) as caught:
        await worker.plane.pipelines.replace(first.id, read_native(follows(names[-1], "build").encode()))

    (problem,) = caught.value.problems
    circle = ", which starts ".join(f"'{name}'" for name in (*names, "build")).replace(", which", "", 1)
    assert (problem.field, problem.message) == ("on.upstream.0", f"makes a circle: {circle}")
    assert (await worker.plane.pipelines.get(first.id)).definition == first.definition


async def test_a_pipeline_that_follows_no_more_does_not_start(worker: DeskWorker) -> None:
    follower = await worker.pipeline(follows("build"))
    gone = await worker.pipeline(follows("build", "gone"))
    await worker.plane.pipelines.replace(follower.id, read_native(f"name: test\n{TASK}".encode()))
    await worker.plane.pipelines.delete(gone.id)
    await worker.start(BUILD)
    await end(worker)

    assert await deliveries(worker) == []
