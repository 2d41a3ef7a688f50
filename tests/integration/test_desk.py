"""What the desk does with what workers report, and with time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.errors import StaleLeaseError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.secret_store import GivenSecrets
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.wire.worker import ClaimRequest, Hello, LeaseMessage, Report
from planes import temporary_plane

GENERATING = "name: g\nsteps: [{name: gen, run: make, generates: nodes.yml}]\n"


class Desk:
    """A control plane and a worker that does what a test tells it."""

    def __init__(self, plane: ControlPlane, clock: ManualClock) -> None:
        self.plane = plane
        self.clock = clock

    async def start(self, text: str, request: RunRequest | None = None) -> Run:
        pipeline = await self.plane.pipelines.create(read_native(text.encode()))
        return await self.plane.runs.trigger(pipeline.id, request or RunRequest())

    async def claim(self, slots: int = 1) -> tuple[LeaseMessage, ...]:
        hello = Hello(name="w", kinds=frozenset({WorkKind.RUN}), slots=100)
        self.worker = await self.plane.fleet.desk.register(hello)
        request = ClaimRequest(worker_id=self.worker.worker_id, slots=slots)
        return (await self.plane.fleet.desk.claim(request)).leases

    async def report(self, lease: LeaseMessage, outcome: Outcome) -> Run:
        report = Report(
            worker_id=self.worker.worker_id, address=lease.address, token=lease.token, outcome=outcome
        )
        await self.plane.fleet.desk.report(report)
        return await self.plane.runs.get(lease.address.run_id)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    secrets = [GivenSecrets({"TOKEN": "of some length"})]
    async with temporary_plane(tmp_path, clock, other_secrets=secrets) as plane:
        yield Desk(plane, clock)


def node(run: Run, path: str) -> tuple[State, ReasonCode | None]:
    place = run.tree.find(path)
    assert place is not None
    found = run.nodes[place.index]
    return found.state, None if found.reason is None else found.reason.code


async def test_a_lease_carries_what_the_definition_says_of_the_task(desk: Desk) -> None:
    text = """
name: lease
inputs: {who: {default: you}, count: {default: 3}, really: {default: true}}
steps:
  - name: a
    cwd: src
    image: "python:${{ inputs.count }}"
    env: {WHO: "${{ inputs.who }}", BRANCH: "${{ branch }}"}
    secrets: [TOKEN]
    environment: prod
    outputs: [x]
    run: make
"""
    await desk.start(text, RunRequest(ref="main", changed=("a/b",)))

    await desk.plane.settle()
    (lease,) = await desk.claim()

    assert lease.env == {"WHO": "you", "BRANCH": "main"}
    assert (lease.cwd, lease.image, lease.secrets, lease.outputs) == ("src", "python:3", ("TOKEN",), ("x",))
    assert (lease.environment, lease.secret_values) == ("prod", {"TOKEN": "of some length"})
    assert (lease.ref, lease.branch, lease.changeset) == ("main", "main", ("a/b",))
    assert lease.inputs == {"who": "you", "count": "3", "really": "true"}
    assert (lease.repository, lease.cause, lease.generates) == (None, "manual", None)


async def test_generated_nodes_join_the_run(desk: Desk) -> None:
    await desk.start(GENERATING)
    (lease,) = await desk.claim()
    assert lease.generates == "nodes.yml"

    run = await desk.report(lease, Outcome(State.SUCCEEDED, generated="[{name: made, run: make}]"))

    assert node(run, "gen/made")[0] is State.QUEUED
    (made,) = await desk.claim()
    assert made.path == "gen/made"
    assert (await desk.report(made, Outcome(State.SUCCEEDED))).state is State.SUCCEEDED


async def test_a_repeated_report_of_generated_nodes_is_stale(desk: Desk) -> None:
    await desk.start(GENERATING)
    (lease,) = await desk.claim()
    outcome = Outcome(State.SUCCEEDED, generated="[{name: made, run: make}]")
    await desk.report(lease, outcome)

    with pytest.raises(StaleLeaseError):
        await desk.report(lease, outcome)


async def test_a_report_of_generated_nodes_for_a_node_that_is_not_there_is_stale(desk: Desk) -> None:
    await desk.start(GENERATING)
    (lease,) = await desk.claim()
    elsewhere = lease.model_copy(update={"address": replace(lease.address, node=99)})

    with pytest.raises(StaleLeaseError):
        await desk.report(elsewhere, Outcome(State.SUCCEEDED, generated="[{name: made, run: make}]"))


@pytest.mark.parametrize("text", ["[{name: a, rum: make}]", "a: [", "x" * 1_100_000, "[]: {}", "\ud800"])
async def test_generated_nodes_that_break_rules_fail_the_task(desk: Desk, text: str) -> None:
    await desk.start(GENERATING)
    (lease,) = await desk.claim()

    run = await desk.report(lease, Outcome(State.SUCCEEDED, generated=text))

    assert node(run, "gen/run") == (State.FAILED, ReasonCode.GENERATED_NODES_REFUSED)
    assert run.state is State.FAILED


@pytest.mark.parametrize("outputs", [{"x": "y" * 65_536}, {f"n{number}": "" for number in range(1_001)}])
async def test_outputs_over_a_limit_fail_the_task(desk: Desk, outputs: dict[str, str]) -> None:
    await desk.start("name: o\nsteps: [{name: a, run: make, outputs: [x]}]\n")
    (lease,) = await desk.claim()

    run = await desk.report(lease, Outcome(State.SUCCEEDED, outputs=outputs))

    assert node(run, "a") == (State.FAILED, ReasonCode.OUTPUTS_REFUSED)


async def test_outputs_reach_later_nodes(desk: Desk) -> None:
    text = """
name: o
steps:
  - {name: a, run: make, outputs: [x]}
  - {name: b, env: {X: "${{ outputs.a.x }}"}, run: make}
"""
    await desk.start(text)
    (lease,) = await desk.claim()

    await desk.report(lease, Outcome(State.SUCCEEDED, outputs={"x": "1"}))

    (after,) = await desk.claim()
    assert after.env == {"X": "1"}


async def test_an_attempt_that_cannot_begin_leaves_its_place_to_the_next(desk: Desk) -> None:
    text = """
name: x
inputs: {x: {required: false}}
parallel: true
steps:
  - {name: bad, env: {A: "${{ inputs.x }}"}, run: make}
  - {name: good, run: make}
"""
    run = await desk.start(text)

    (lease,) = await desk.claim(1)

    assert lease.path == "good"
    assert node(await desk.plane.runs.get(run.id), "bad") == (State.FAILED, ReasonCode.EXPRESSION_FAILED)


async def test_a_timer_fires_at_its_time(desk: Desk) -> None:
    run = await desk.start("name: t\ntimeout: 10m\nsteps: [{name: a, run: make}]\n")
    assert await desk.plane.timers.fire_due() == 0

    desk.clock.advance(timedelta(minutes=10))

    assert await desk.plane.timers.fire_due() == 1
    assert await desk.plane.timers.fire_due() == 0
    assert (await desk.plane.runs.get(run.id)).state is State.TIMED_OUT


async def test_no_run_takes_longer_than_the_server_allows(desk: Desk) -> None:
    run = await desk.start("name: t\nsteps: [{name: a, run: make}]\n")

    desk.clock.advance(timedelta(hours=24))
    await desk.plane.timers.fire_due()

    assert (await desk.plane.runs.get(run.id)).state is State.TIMED_OUT


async def test_timers_are_waited_for_until_they_are_due(tmp_path: Path) -> None:
    async with temporary_plane(tmp_path) as plane, plane.running():
        text = b"name: t\nsteps: [{name: a, run: make, timeout: 1h, retry: {count: 1}}]\ntimeout: 1s\n"
        pipeline = await plane.pipelines.create(read_native(text))
        run = await plane.runs.trigger(pipeline.id)
        async with asyncio.timeout(60):
            async for _ in plane.runs.follow(run.id):
                pass
        assert (await plane.runs.get(run.id)).state is State.TIMED_OUT


async def test_more_pipelines_than_one_transaction_makes_runs_of_are_all_called(desk: Desk) -> None:
    await desk.plane.pipelines.create(
        read_native(b"name: called\ncallable_by: [caller]\nsteps: [{name: a, if: 'false', run: make}]")
    )
    calls = ", ".join(f"{{name: c{number}, pipeline: called}}" for number in range(100))

    run = await desk.start(f"name: caller\nparallel: true\nsteps: [{calls}]\n")
    assert run.state is State.RUNNING
    await desk.plane.settle()

    ended = await desk.plane.runs.get(run.id)
    assert ended.state is State.SUCCEEDED
    assert {each.state for each in ended.nodes} == {State.SUCCEEDED}


async def test_calls_that_are_left_to_the_outbox_can_be_stopped(desk: Desk) -> None:
    await desk.plane.pipelines.create(
        read_native(b"name: called\ncallable_by: [caller]\nsteps: [{name: a, run: make}]")
    )
    calls = ", ".join(f"{{name: c{number}, pipeline: called}}" for number in range(100))
    run = await desk.start(f"name: caller\nparallel: true\nsteps: [{calls}]\n")

    await desk.plane.runs.cancel(run.id)
    await desk.plane.settle()

    assert (await desk.plane.runs.get(run.id)).state is State.CANCELLED
    assert await desk.claim(100) == ()


async def test_large_outputs_are_refused_when_the_run_has_too_many(desk: Desk) -> None:
    many = ", ".join(f"{{name: n{number}, run: make, outputs: [x]}}" for number in range(66))
    run = await desk.start(f"name: o\nparallel: true\nsteps: [{many}]\n")
    leases = await desk.claim(66)

    for lease in leases:
        run = await desk.report(lease, Outcome(State.SUCCEEDED, outputs={"x": "y" * 65_000}))

    refused = [each.reason for each in run.nodes if each.state is State.FAILED and each.attempt]
    assert [reason and reason.code for reason in refused] == [ReasonCode.OUTPUTS_REFUSED] * 2
