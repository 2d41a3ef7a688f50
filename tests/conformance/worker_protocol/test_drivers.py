"""What drivers that others have written are told, and what becomes of what they answer."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.cause import Cause
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.errors import ForbiddenError, StaleLeaseError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.resource import Broadcast, Resource, ResourceChange, ResourceEvent, Subject
from lineshaft.model.run import NodeRun, Run
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.new_run import NewRun
from lineshaft.services.progress import Progress
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.work import DriverWorkMessage
from lineshaft.wire.worker import Hello, LeaseMessage
from planes import LEASE_TIME
from protocol_callers import Callers
from worker_protocol_scene import beat, claim, register, report_on, start

CONVEYOR = """
name: conveyor
resource: app
metadata: {channel: stable}
steps:
  - {name: compile, driver: compile, timeout: 60s,
     with: {of: "${{ resource.name }}", deep: ["${{ resource.spec }}", 1, null], plain: text}}
  - {name: upload, driver: upload, with: {from: "${{ outputs.compile.artifact }}"}}
"""
DRIVERS = frozenset({"compile", "upload"})
AT = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = Resource(
    UUID(int=7), "app", "shop", 3, {"image": "shop", "replicas": 2}, {"team": "a"}, "conveyor", AT, AT
)
COMPILED = Outcome(
    State.SUCCEEDED,
    result=DriverResult(
        success=True, message="compiled", data={"artifact": {"name": "shop.tar", "bytes": 5}}
    ),
)


async def carry(
    plane: ControlPlane, subject: Subject | None, clock: ManualClock, text: str = CONVEYOR
) -> Run:
    """Start a run that carries something."""
    pipeline = await plane.pipelines.create(read_native(text.encode()))
    cause = Cause.BROADCAST if isinstance(subject, Broadcast) else Cause.RESOURCE
    new = NewRun(pipeline.id, pipeline.definition, None, cause=cause, subject=subject)

    def work(transaction: Transaction) -> Run:
        return Progress(RandomIds(), None).start(transaction, new, clock.now()).run

    return await plane.store.write(work)


async def take(protocol: WorkerProtocol, name: str = "d") -> tuple[UUID, LeaseMessage]:
    """Register as both drivers, and claim the one attempt that waits."""
    worker_id = await register(protocol, name, kinds=DRIVERS)
    (lease,) = await claim(protocol, worker_id)
    return worker_id, lease


async def node_of(plane: ControlPlane, run: Run, path: str = "compile") -> NodeRun:
    """Tell where a node of a run stands."""
    current = await plane.runs.get(run.id)
    place = current.tree.find(path)
    assert place is not None
    return current.nodes[place.index]


async def test_a_driver_is_told_what_the_run_carries(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await carry(plane, ResourceChange(ResourceEvent.UPDATED, SHOP), clock)
    _, lease = await take(protocol)
    assert lease.address.run_id == run.id
    assert lease.work == DriverWorkMessage(
        driver="compile",
        inputs={"of": "shop", "deep": [{"image": "shop", "replicas": 2}, 1, None], "plain": "text"},
    )
    assert lease.timeout_seconds == 60
    context = lease.driver
    assert context is not None
    assert (context.event, context.payload, context.results) == ("updated", None, {})
    assert context.metadata == {"channel": "stable"}
    assert context.resource is not None
    assert context.resource.model_dump() == {
        "id": UUID(int=7),
        "type": "app",
        "name": "shop",
        "version": 3,
        "spec": {"image": "shop", "replicas": 2},
        "metadata": {"team": "a"},
        "deleted": False,
    }


async def test_a_driver_is_told_what_a_broadcast_carries(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    await carry(plane, Broadcast("flush", {"all": [True, None]}), clock)
    _, lease = await take(protocol)
    assert lease.driver is not None
    assert (lease.driver.event, lease.driver.payload) == ("flush", {"all": [True, None]})
    assert lease.driver.resource is None


async def test_in_a_run_that_carries_nothing_the_event_is_its_cause(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, CONVEYOR.replace('deep: ["${{ resource.spec }}", 1, null], ', ""))
    _, lease = await take(protocol)
    assert lease.driver is not None
    assert (lease.driver.event, lease.driver.resource) == ("manual", None)
    assert lease.work == DriverWorkMessage(driver="compile", inputs={"of": "", "plain": "text"})


async def test_built_in_work_has_no_context_of_drivers(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await start(plane)
    (lease,) = await claim(protocol, await register(protocol))
    assert lease.driver is None


async def test_a_later_driver_is_told_what_the_earlier_answered(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    await carry(plane, ResourceChange(ResourceEvent.CREATED, SHOP), clock)
    worker_id, lease = await take(protocol)
    (upload,) = (await protocol.report(report_on(worker_id, lease, COMPILED, slots=1))).leases
    assert upload.work == DriverWorkMessage(
        driver="upload", inputs={"from": {"name": "shop.tar", "bytes": 5}}
    )
    assert upload.driver is not None
    (told,) = upload.driver.results.items()
    assert told[0] == "compile"
    assert told[1].model_dump() == {
        "success": True,
        "message": "compiled",
        "data": {"artifact": {"name": "shop.tar", "bytes": 5}},
    }


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED])
async def test_a_failed_result_fails_the_run_in_the_driver_s_words(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock, state: State
) -> None:
    run = await carry(plane, None, clock, CONVEYOR.replace("${{ resource.spec }}", ""))
    worker_id, lease = await take(protocol)
    failed = Outcome(state, result=DriverResult(success=False, message="No such image.", data={"tried": 2}))
    await protocol.report(report_on(worker_id, lease, failed))
    node = await node_of(plane, run)
    assert node.state is State.FAILED
    assert node.reason == Reason(ReasonCode.DRIVER_FAILED, "No such image.")
    ended = await plane.runs.get(run.id)
    assert ended.state is State.FAILED
    assert json.loads(ended.outputs[lease.address.node]["data"]) == {"tried": 2}
    assert (await node_of(plane, run, "upload")).state is State.SKIPPED


async def test_an_answer_that_is_too_long_fails_the_task(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await carry(plane, None, clock, CONVEYOR.replace("${{ resource.spec }}", ""))
    worker_id, lease = await take(protocol)
    long = DriverResult(success=True, data={"text": "x" * 65_536})
    await protocol.report(report_on(worker_id, lease, replace(COMPILED, result=long)))
    node = await node_of(plane, run)
    assert node.reason is not None
    assert (node.state, node.reason.code) == (State.FAILED, ReasonCode.OUTPUTS_REFUSED)
    assert not (await plane.runs.get(run.id)).outputs


async def test_a_hung_driver_ends_timed_out_and_its_late_answer_is_refused(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await carry(plane, None, clock, CONVEYOR.replace("${{ resource.spec }}", ""))
    worker_id, lease = await take(protocol)
    await _pass(plane, protocol, clock, 60, lease)
    told = await protocol.heartbeat(beat(worker_id, lease))
    assert told.stop == {lease.address}
    await _pass(plane, protocol, clock, 30, lease)
    assert (await node_of(plane, run)).state is State.TIMED_OUT
    assert (await protocol.heartbeat(beat(worker_id, lease))).living == frozenset()
    with pytest.raises(StaleLeaseError):
        await protocol.report(report_on(worker_id, lease, COMPILED))
    with pytest.raises(StaleLeaseError):
        await protocol.append_log(lease.address, lease.token, 0, b"late")
    assert (await plane.runs.get(run.id)).state is State.FAILED


async def test_a_cancelled_driver_that_does_not_answer_is_not_waited_for(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await carry(plane, None, clock, CONVEYOR.replace("${{ resource.spec }}", ""))
    worker_id, lease = await take(protocol)
    await plane.runs.cancel(run.id)
    await _pass(plane, protocol, clock, 30, lease)
    assert (await plane.runs.get(run.id)).state is State.CANCELLED
    with pytest.raises(StaleLeaseError):
        await protocol.report(report_on(worker_id, lease, COMPILED))


async def test_a_driver_gets_no_login_for_the_source_and_no_other_kind_of_work(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, "name: p\nsteps: [{name: a, driver: compile}, {name: b, run: make}]\n")
    worker_id, lease = await take(protocol)
    assert lease.source_login is None
    assert not (await protocol.report(report_on(worker_id, lease, COMPILED, slots=4))).leases


@pytest.mark.parametrize(
    "said",
    [
        {"kinds": frozenset({"a b"})},
        {"kinds": frozenset({"exec"})},
        {"kinds": frozenset({"compile"}), "drivers": (DriverMessage(name="test"),)},
        {"kinds": frozenset({"compile"}), "drivers": (DriverMessage(name="compile"),) * 2},
    ],
)
def test_what_is_no_driver_s_name_cannot_be_served(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hello(name="d", slots=1, **said)


async def test_a_key_for_one_driver_opens_nothing_else(plane: ControlPlane, callers: Callers) -> None:
    _, secret = await plane.fleet.worker_keys.create("k", kinds=frozenset({"compile"}))
    protocol = await callers.key(secret)
    with pytest.raises(ForbiddenError, match="not for 'run'"):
        await register(protocol, kinds=frozenset({"compile", "run"}))
    await start(plane, "name: p\nsteps: [{name: a, driver: compile}]\n")
    worker_id = await register(protocol, kinds=frozenset({"compile"}))
    assert len(await claim(protocol, worker_id)) == 1


@pytest.mark.parametrize(("idempotent", "state"), [(True, State.QUEUED), (False, State.LOST)])
async def test_after_a_driver_has_died_its_own_word_counts(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock, *, idempotent: bool, state: State
) -> None:
    run = await start(plane, "name: p\nsteps: [{name: compile, driver: compile}]\n")
    kinds, said = frozenset({"compile"}), (DriverMessage(name="compile", idempotent=idempotent),)
    await claim(protocol, await register(protocol, kinds=kinds, drivers=said))
    clock.advance(LEASE_TIME)
    await plane.fleet.losing.lose_expired()
    assert (await node_of(plane, run)).state is state


async def _pass(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock, seconds: float, lease: LeaseMessage
) -> None:
    """Let time pass in which the worker that holds a lease lives, and fire what is due then."""
    node = (await plane.runs.get(lease.address.run_id)).nodes[lease.address.node]
    assert node.lease is not None
    time = timedelta(seconds=seconds)
    while time > timedelta():
        step = min(LEASE_TIME / 2, time)
        clock.advance(step)
        time -= step
        await protocol.heartbeat(beat(node.lease.worker_id, lease))
        await plane.timers.fire_due()
