"""Things that come at an awkward moment: behind a cancellation, a deletion, or an earlier run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest

ONE_STEP = "steps: [{name: a, run: make}]\n"
CALLED = "name: called\ncallable_by: [caller]\n"
QUEUE = f"name: q\nconcurrency: {{policy: queue}}\n{ONE_STEP}"
GENERATING = "name: g\nsteps: [{name: gen, run: make, generates: n.yml, teardown: {run: clean}}]\n"
NODES = replace(SUCCEEDED, generated="[{name: made, run: make}]")
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "Exited with 1."), 1)


@pytest.fixture
def worker(plane: ControlPlane) -> DeskWorker:
    return DeskWorker(plane)


def states(run: Run) -> dict[str, str]:
    return {place.path: run.nodes[place.index].state.value for place in run.tree.below_root()}


async def states_of(worker: DeskWorker, *runs: Run) -> list[State]:
    return [(await worker.plane.runs.get(run.id)).state for run in runs]


async def test_queued_runs_begin_one_behind_the_other(worker: DeskWorker) -> None:
    pipeline = await worker.pipeline(QUEUE)
    runs = [await worker.plane.runs.trigger(pipeline.id) for _ in range(3)]
    assert await states_of(worker, *runs) == [State.QUEUED, State.WAITING, State.WAITING]

    await worker.report((await worker.claim())["a"])
    assert await states_of(worker, *runs) == [State.SUCCEEDED, State.QUEUED, State.WAITING]

    await worker.report((await worker.claim())["a"], FAILED)
    assert await states_of(worker, *runs) == [State.SUCCEEDED, State.FAILED, State.QUEUED]


async def test_a_run_that_is_cancelled_while_it_waits_holds_nobody_up(worker: DeskWorker) -> None:
    pipeline = await worker.pipeline(QUEUE)
    runs = [await worker.plane.runs.trigger(pipeline.id) for _ in range(3)]

    await worker.plane.runs.cancel(runs[1].id)
    assert await states_of(worker, *runs) == [State.QUEUED, State.CANCELLED, State.WAITING]

    await worker.report((await worker.claim())["a"])
    assert await states_of(worker, *runs) == [State.SUCCEEDED, State.CANCELLED, State.QUEUED]


async def test_the_next_run_begins_when_the_first_is_cancelled_before_it_was_claimed(
    worker: DeskWorker,
) -> None:
    pipeline = await worker.pipeline(QUEUE)
    runs = [await worker.plane.runs.trigger(pipeline.id) for _ in range(3)]

    await worker.plane.runs.cancel(runs[0].id)

    assert await states_of(worker, *runs) == [State.CANCELLED, State.QUEUED, State.WAITING]


async def test_nodes_that_are_made_behind_a_cancellation_do_not_begin(worker: DeskWorker) -> None:
    run = await worker.start(GENERATING)
    leases = await worker.claim()
    await worker.plane.runs.cancel(run.id)

    await worker.report(leases["gen/run/run"], NODES)

    (teardown,) = (await worker.claim(9)).values()
    assert teardown.path == "gen/teardown"
    ended = await worker.report(teardown)
    assert ended.state is State.CANCELLED
    assert states(ended)["gen/run/made"] == "cancelled"


async def test_a_run_is_retried_with_the_overrides_that_it_had(worker: DeskWorker) -> None:
    pipeline = await worker.pipeline(f"name: o\n{ONE_STEP}")
    request = RunRequest(overrides=(("steps.a.name", "b"),))
    run = await worker.plane.runs.trigger(pipeline.id, request)
    await worker.report((await worker.claim())["b"], FAILED)

    for from_failed in (False, True):
        again = await worker.plane.runs.retry(run.id, from_failed=from_failed)
        assert states(again) == {"b": "queued"}


async def test_the_caller_goes_on_when_the_pipeline_that_it_called_is_deleted(worker: DeskWorker) -> None:
    called = await worker.pipeline(f"{CALLED}{ONE_STEP}")
    run = await worker.start(
        "name: caller\nsteps: [{name: call, pipeline: called}, {name: after, if: always(), run: make}]\n"
    )

    await worker.plane.pipelines.delete(called.id)

    ended = await worker.report((await worker.claim())["after"])
    assert (ended.id, states(ended)) == (run.id, {"call": "cancelled", "after": "succeeded"})


async def test_a_caller_that_is_deleted_stops_what_it_called(worker: DeskWorker) -> None:
    called = await worker.pipeline(f"{CALLED}{ONE_STEP}")
    run = await worker.start("name: caller\nsteps: [{name: call, pipeline: called}]\n")

    await worker.plane.pipelines.delete(run.pipeline_id)

    (child,) = await worker.plane.runs.page(called.id, before=None, limit=9)
    assert await states_of(worker, run, child) == [State.CANCELLED, State.CANCELLED]


async def test_a_called_run_that_waits_for_its_group_is_stopped_with_its_caller(worker: DeskWorker) -> None:
    called = await worker.pipeline(f"{CALLED}concurrency: {{policy: queue}}\n{ONE_STEP}")
    earlier = await worker.plane.runs.trigger(called.id)
    run = await worker.start("name: caller\nsteps: [{name: call, pipeline: called}]\n")

    await worker.plane.runs.cancel(run.id)

    assert await states_of(worker, run, earlier) == [State.CANCELLED, State.QUEUED]


async def test_a_superseded_run_whose_retry_waits_ends_at_once(
    worker: DeskWorker, clock: ManualClock
) -> None:
    pipeline = await worker.pipeline(
        "name: s\nconcurrency: {policy: supersede}\n"
        "steps: [{name: a, run: make, retry: {count: 1, backoff: 10s}}]\n"
    )
    earlier = await worker.plane.runs.trigger(pipeline.id)
    await worker.report((await worker.claim())["a"], FAILED)

    later = await worker.plane.runs.trigger(pipeline.id)
    clock.advance(timedelta(seconds=10))
    await worker.plane.timers.fire_due()

    assert await states_of(worker, earlier, later) == [State.CANCELLED, State.QUEUED]
