"""Priorities, and what queued tasks wait for, through the services on a database."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.engine.placing import Placement, PlacementCode
from lineshaft.model.limits import Limits
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.wire.worker import Hello
from planes import LEASE_TIME, temporary_plane


@pytest.fixture
def worker(plane: ControlPlane) -> DeskWorker:
    return DeskWorker(plane)


async def stored(plane: ControlPlane, run_id: UUID) -> Run:
    """Read a run from the database, past what the process remembers."""
    found = await plane.store.read(lambda transaction: transaction.runs.get(run_id))
    assert found is not None
    return found


async def waiting(plane: ControlPlane, run: Run, path: str = "a") -> Placement | None:
    return (await plane.runs.explain(run.id, path))[0].placement


@pytest.mark.parametrize(
    ("said", "asked", "priority"), [("", None, 0), ("priority: 7\n", None, 7), ("priority: 7\n", -3, -3)]
)
async def test_a_run_has_the_priority_that_is_asked_for_or_its_pipelines(
    plane: ControlPlane, worker: DeskWorker, said: str, asked: int | None, priority: int
) -> None:
    run = await worker.start(f"name: p\n{said}steps: [{{name: a, run: x}}]\n", RunRequest(priority=asked))

    assert (await stored(plane, run.id)).priority == priority
    queued = await plane.store.read(lambda transaction: transaction.attempts.queued(limit=9))
    assert [each.priority for each in queued] == [priority]


async def test_a_retry_keeps_the_priority(plane: ControlPlane, worker: DeskWorker) -> None:
    run = await worker.start("name: p\npriority: 7\nsteps: [{name: a, run: x}]\n", RunRequest(priority=9))
    await worker.report((await worker.claim())["a"], SUCCEEDED)

    assert (await plane.runs.retry(run.id)).priority == 9


@pytest.mark.parametrize(("said", "priority"), [("", 9), ("priority: -5\n", -5)])
async def test_a_called_run_has_its_callers_priority_unless_its_pipeline_says_one(
    plane: ControlPlane, worker: DeskWorker, said: str, priority: int
) -> None:
    await worker.pipeline(f"name: called\ncallable_by: [p]\n{said}steps: [{{name: a, run: x}}]\n")
    caller = await worker.start("name: p\nsteps: [{name: c, pipeline: called}]\n", RunRequest(priority=9))

    _, child = await plane.runs.explain(caller.id, "c")

    assert child is not None
    assert (await plane.runs.get(child)).priority == priority


async def test_a_task_waits_for_the_first_worker(plane: ControlPlane, worker: DeskWorker) -> None:
    run = await worker.start("name: p\nsteps: [{name: a, run: x}, {name: b, run: x}]\n")

    found = await waiting(plane, run)

    assert found is not None
    assert (found.code, found.ahead) == (PlacementCode.NO_WORKER, 0)
    assert await waiting(plane, run, "b") is None


async def test_labels_from_expressions_are_told_as_they_are(plane: ControlPlane, worker: DeskWorker) -> None:
    hello = Hello(name="b", kinds=frozenset({WorkKind.RUN}), slots=1, labels=frozenset({"linux"}))
    await plane.fleet.desk.register(hello)
    text = "name: p\nsteps: [{name: a, run: x, labels: [linux, 'on-${{ branch }}']}]\n"

    found = await waiting(plane, await worker.start(text, RunRequest(ref="main")))

    assert found is not None
    assert found.code is PlacementCode.LABELS_NOT_OFFERED
    assert found.text.endswith("'b' comes closest, and lacks the label 'on-main'.")


async def test_what_others_take_up_is_not_free(plane: ControlPlane, worker: DeskWorker) -> None:
    hello = Hello(name="w", kinds=frozenset({WorkKind.RUN}), slots=9, cpus=4)
    claiming = DeskWorker(plane, hello=hello)
    both = "{name: a, run: x, resources: {cpus: 3}}, {name: b, run: x, resources: {cpus: 3}}"
    run = await worker.start(f"name: p\nparallel: true\nsteps: [{both}]\n")
    (taken,) = await claiming.claim(2)

    found = await waiting(plane, run, "b" if taken == "a" else "a")

    assert found is not None
    assert found.code is PlacementCode.WORKERS_FULL
    assert found.text.endswith("and free there is 1 processor.")


@pytest.mark.parametrize(
    ("limits", "of"),
    [
        (Limits(pipelines={"p": 1}), "the pipeline 'p'"),
        (Limits(pipelines={"*": 1}), "the pipeline 'p'"),
        (Limits(labels={"gpu": 1}), "the label 'gpu'"),
    ],
)
async def test_a_limit_that_is_reached_is_told(tmp_path: Path, limits: Limits, of: str) -> None:
    text = "name: p\nlabels: [gpu]\nparallel: true\nsteps: [{name: a, run: x}, {name: b, run: x}]\n"
    hello = Hello(name="w", kinds=frozenset({WorkKind.RUN}), slots=9, labels=frozenset({"gpu"}))
    async with temporary_plane(tmp_path, limits=limits) as plane:
        worker = DeskWorker(plane, hello=hello)
        run = await worker.start(text)
        (taken,) = await worker.claim(2)

        found = await waiting(plane, run, "b" if taken == "a" else "a")

    assert found is not None
    assert (found.code, found.text) == (
        PlacementCode.LIMIT_REACHED,
        f"A limit holds it back: no more than 1 task of {of} may run at once, and 1 does.",
    )


async def test_a_worker_that_has_been_silent_for_a_leases_life_counts_for_nothing(
    plane: ControlPlane, clock: ManualClock, worker: DeskWorker
) -> None:
    await worker.claim()
    run = await worker.start("name: p\nsteps: [{name: a, run: x}]\n")
    assert (await waiting(plane, run)) == Placement(
        PlacementCode.ITS_TURN, "'w' has room for it; its turn comes."
    )

    clock.advance(LEASE_TIME + timedelta(seconds=1))

    found = await waiting(plane, run)
    assert found is not None
    assert found.text == "No worker is connected: 'w' is offline."


async def test_what_goes_before_a_task_is_counted(plane: ControlPlane, worker: DeskWorker) -> None:
    text = "name: p\nparallel: true\nsteps: [{name: a, run: x}, {name: b, run: x}]\n"
    last = await worker.start(text, RunRequest(priority=-1))
    await worker.start(text)

    found = await waiting(plane, last)

    assert found is not None
    assert found.ahead == 2


async def test_what_its_workers_do_not_take_is_not_counted(plane: ControlPlane, worker: DeskWorker) -> None:
    await worker.claim()
    await worker.start("name: p\nsteps: [{name: a, run: x, labels: [mars]}]\n", RunRequest(priority=1))
    await worker.start("name: q\nsteps: [{name: a, run: x}]\n", RunRequest(priority=1))

    found = await waiting(plane, await worker.start("name: r\nsteps: [{name: a, run: x}]\n"))

    assert found is not None
    assert found.text == "'w' has room for it; its turn comes behind about 1 other."


async def test_a_task_that_no_worker_keeps_waiting_is_not_placed(
    plane: ControlPlane, worker: DeskWorker
) -> None:
    run = await worker.start("name: p\nsteps: [{name: a, run: x}]\n")
    await worker.claim()

    explanation, _ = await plane.runs.explain(run.id, "a")

    assert (explanation.state, explanation.placement) == (State.RUNNING, None)
