"""What every form of the worker protocol does (`sdk.worker_protocol.WorkerProtocol`)."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest

from lineshaft.definition import read_rest
from lineshaft.model.errors import LogOffsetError, StaleLeaseError, UnavailableError, WorkerNotFoundError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.work import RunWorkMessage
from lineshaft.wire.worker import ClaimRequest, Heartbeat, Hello, LeaseMessage, Report, SourceReport
from planes import LEASE_TIME

NOBODY = UUID(int=1)
COMMIT = "5f" * 20
SUCCEEDED = Outcome(State.SUCCEEDED, exit_code=0)
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "It ended with exit code 3."), 3)
CANCELLED = Outcome(State.CANCELLED, Reason(ReasonCode.STOPPING, "It was stopped."))


async def _start(
    plane: ControlPlane, *commands: str, parallel: bool = False, repository: str | None = None
) -> Run:
    stages = [
        {"name": f"stage-{number}", "type": "Run", "command": command, "timeout": 60}
        for number, command in enumerate(commands or ["true"], 1)
    ]
    document = {"name": "work", "git_repository": repository, "parallel": parallel, "stages": stages}
    pipeline = await plane.pipelines.create(read_rest(json.dumps(document).encode()))
    return await plane.runs.trigger(pipeline.id)


async def _register(protocol: WorkerProtocol, name: str = "w1", slots: int = 4) -> UUID:
    hello = Hello(name=name, kinds=frozenset(WorkKind), slots=slots)
    return (await protocol.register(hello)).worker_id


async def _claim(protocol: WorkerProtocol, worker_id: UUID, slots: int = 4) -> tuple[LeaseMessage, ...]:
    return (await protocol.claim(ClaimRequest(worker_id=worker_id, slots=slots))).leases


def _report(worker_id: UUID, lease: LeaseMessage, outcome: Outcome, slots: int = 0) -> Report:
    return Report(worker_id=worker_id, address=lease.address, token=lease.token, outcome=outcome, slots=slots)


async def _log(plane: ControlPlane, run: Run, path: str = "stage-1") -> bytes:
    log = await plane.logs.find(run.id, path)
    return b"".join([chunk async for chunk in plane.logs.read(log, 0, log.state.size_bytes)])


async def _states(plane: ControlPlane, run: Run) -> list[State]:
    return [node.state for node in (await plane.runs.get(run.id)).nodes]


async def test_registering_tells_how_long_a_lease_lives(protocol: WorkerProtocol) -> None:
    welcome = await protocol.register(Hello(name="w1", kinds=frozenset({WorkKind.RUN}), slots=1))

    assert welcome.lease_seconds == LEASE_TIME.total_seconds()


async def test_a_lease_carries_all_that_its_work_needs(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    run = await _start(plane, "echo hi", repository="https://example.org/r.git")
    worker_id = await _register(protocol)

    (lease,) = await _claim(protocol, worker_id)

    assert lease.address.run_id == run.id
    assert (lease.address.node, lease.address.attempt) == (1, 1)
    assert lease.token
    assert (lease.pipeline_id, lease.pipeline_name, lease.run_number) == (run.pipeline_id, "work", 1)
    assert (lease.path, lease.work, lease.timeout_seconds) == (
        "stage-1",
        RunWorkMessage(command="echo hi"),
        60,
    )
    assert (lease.repository, lease.commit) == ("https://example.org/r.git", None)


async def test_a_claim_brings_no_more_than_the_worker_has_room_for(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await _start(plane, "1", "2", "3", parallel=True)
    worker_id = await _register(protocol)

    first = await _claim(protocol, worker_id, slots=2)
    second = await _claim(protocol, worker_id, slots=2)
    third = await _claim(protocol, worker_id, slots=2)

    assert [lease.path for lease in first + second + third] == ["stage-1", "stage-2", "stage-3"]
    assert (len(first), len(second)) == (2, 1)


async def test_a_claim_that_waits_is_answered_when_work_comes(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await _register(protocol)
    claiming = asyncio.create_task(
        protocol.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=60))
    )

    run = await _start(plane)

    (lease,) = (await claiming).leases
    assert lease.address.run_id == run.id


async def test_a_claim_that_waits_ends_when_the_server_stops(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await _register(protocol)
    claiming = asyncio.create_task(
        protocol.claim(ClaimRequest(worker_id=worker_id, slots=1, wait_seconds=60))
    )
    await protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset()))

    plane.fleet.desk.stop_waiting()

    with pytest.raises(UnavailableError):
        await claiming


async def test_an_unknown_worker_is_told_to_register(protocol: WorkerProtocol) -> None:
    with pytest.raises(WorkerNotFoundError):
        await protocol.claim(ClaimRequest(worker_id=NOBODY, slots=1))
    with pytest.raises(WorkerNotFoundError):
        await protocol.heartbeat(Heartbeat(worker_id=NOBODY, tokens=frozenset()))


async def test_a_worker_that_starts_anew_ends_its_former_session_and_what_that_held_is_lost(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane)
    former = await _register(protocol)
    (lost,) = await _claim(protocol, former)

    new = await _register(protocol)

    with pytest.raises(WorkerNotFoundError):
        await _claim(protocol, former)
    with pytest.raises(StaleLeaseError):
        await protocol.report(_report(former, lost, SUCCEEDED))
    (again,) = await _claim(protocol, new)
    assert (again.address.run_id, again.address.attempt) == (run.id, 2)


async def test_the_first_commit_said_is_the_runs(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await _start(plane, "1", "2", parallel=True, repository="https://example.org/r.git")
    worker_id = await _register(protocol)
    one, two = await _claim(protocol, worker_id)

    first = await protocol.resolve_source(SourceReport(address=one.address, token=one.token, commit=COMMIT))
    second = await protocol.resolve_source(
        SourceReport(address=two.address, token=two.token, commit="7c" * 20)
    )

    assert (first.commit, second.commit) == (COMMIT, COMMIT)


async def test_later_leases_of_the_run_carry_its_commit(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await _start(plane, "1", "2", repository="https://example.org/r.git")
    worker_id = await _register(protocol)
    (one,) = await _claim(protocol, worker_id)
    await protocol.resolve_source(SourceReport(address=one.address, token=one.token, commit=COMMIT))

    (two,) = (await protocol.report(_report(worker_id, one, SUCCEEDED, slots=1))).leases

    assert (two.path, two.commit) == ("stage-2", COMMIT)


async def test_a_log_is_appended_byte_by_byte_as_it_was_sent(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane)
    (lease,) = await _claim(protocol, await _register(protocol))
    chunks = [bytes(range(256)), b"\r\n\0", b"\xff" * (1024 * 1024)]

    sizes, offset = [], 0
    for chunk in chunks:
        offset = await protocol.append_log(lease.address, lease.token, offset, chunk)
        sizes.append(offset)

    assert sizes == [256, 259, 259 + 1024 * 1024]
    assert await _log(plane, run) == b"".join(chunks)


async def test_a_repeated_append_changes_nothing(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    run = await _start(plane)
    (lease,) = await _claim(protocol, await _register(protocol))
    await protocol.append_log(lease.address, lease.token, 0, b"one")
    await protocol.append_log(lease.address, lease.token, 3, b"two")

    assert await protocol.append_log(lease.address, lease.token, 0, b"one") == 6
    assert await _log(plane, run) == b"onetwo"


async def test_an_append_that_leaves_a_gap_is_told_where_the_log_ends(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await _start(plane)
    (lease,) = await _claim(protocol, await _register(protocol))
    await protocol.append_log(lease.address, lease.token, 0, b"one")

    with pytest.raises(LogOffsetError) as caught:
        await protocol.append_log(lease.address, lease.token, 7, b"two")

    assert caught.value.expected_offset == 3


async def test_a_report_ends_the_attempt_and_may_bring_the_next(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane, "1", "2")
    worker_id = await _register(protocol)
    (one,) = await _claim(protocol, worker_id)

    (two,) = (await protocol.report(_report(worker_id, one, SUCCEEDED, slots=1))).leases
    nothing = await protocol.report(_report(worker_id, two, FAILED, slots=1))

    assert nothing.leases == ()
    assert await _states(plane, run) == [State.FAILED, State.SUCCEEDED, State.FAILED]
    assert (await plane.runs.get(run.id)).nodes[2].reason == FAILED.reason


async def test_a_report_without_room_brings_nothing(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await _start(plane, "1", "2")
    worker_id = await _register(protocol)
    (one,) = await _claim(protocol, worker_id)

    assert (await protocol.report(_report(worker_id, one, SUCCEEDED))).leases == ()


async def test_a_repeated_report_is_stale(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    run = await _start(plane)
    worker_id = await _register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    await protocol.report(_report(worker_id, lease, SUCCEEDED))

    with pytest.raises(StaleLeaseError):
        await protocol.report(_report(worker_id, lease, FAILED))
    assert (await plane.runs.get(run.id)).state is State.SUCCEEDED


async def test_no_write_without_the_leases_token_changes_anything(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane, repository="https://example.org/r.git")
    worker_id = await _register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    forged = lease.model_copy(update={"token": "another"})

    with pytest.raises(StaleLeaseError):
        await protocol.append_log(forged.address, forged.token, 0, b"x")
    with pytest.raises(StaleLeaseError):
        await protocol.resolve_source(SourceReport(address=forged.address, token=forged.token, commit=COMMIT))
    with pytest.raises(StaleLeaseError):
        await protocol.report(_report(worker_id, forged, SUCCEEDED))

    assert await _log(plane, run) == b""
    assert await _states(plane, run) == [State.RUNNING, State.RUNNING]


async def test_the_token_of_one_lease_changes_nothing_of_another_attempt(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    runs = [await _start(plane, repository="https://example.org/r.git") for _ in range(2)]
    worker_id = await _register(protocol)
    (mine,) = await _claim(protocol, worker_id, slots=1)
    (other,) = await _claim(protocol, worker_id, slots=1)
    forged = other.model_copy(update={"token": mine.token})

    assert mine.token != other.token
    with pytest.raises(StaleLeaseError):
        await protocol.append_log(forged.address, forged.token, 0, b"x")
    with pytest.raises(StaleLeaseError):
        await protocol.resolve_source(SourceReport(address=forged.address, token=forged.token, commit=COMMIT))
    with pytest.raises(StaleLeaseError):
        await protocol.report(_report(worker_id, forged, SUCCEEDED))

    for run in runs:
        assert await _log(plane, run) == b""
        assert await _states(plane, run) == [State.RUNNING, State.RUNNING]


async def test_a_heartbeat_prolongs_the_leases_whose_tokens_it_carries(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await _start(plane, "1", "2", parallel=True)
    worker_id = await _register(protocol)
    (kept,) = await _claim(protocol, worker_id, slots=1)
    (dropped,) = await _claim(protocol, worker_id, slots=1)

    clock.advance(LEASE_TIME - timedelta(seconds=1))
    await protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset({kept.token})))
    clock.advance(timedelta(seconds=2))
    assert await plane.fleet.losing.lose_expired() == 1

    answer = await protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset({kept.token})))
    assert answer.living == {kept.address}
    states = await _states(plane, run)
    assert states[kept.address.node] is State.RUNNING
    assert states[dropped.address.node] is State.QUEUED


async def test_a_heartbeat_tells_what_is_to_be_stopped(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    run = await _start(plane)
    worker_id = await _register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    before = await protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset({lease.token})))

    await plane.runs.cancel(run.id)

    after = await protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset({lease.token})))
    assert before.stop == frozenset()
    assert after.stop == after.living == {lease.address}
    await protocol.report(_report(worker_id, lease, CANCELLED))
    assert await _states(plane, run) == [State.CANCELLED, State.CANCELLED]


async def test_a_heartbeat_that_waits_is_answered_when_something_is_to_be_stopped(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane)
    worker_id = await _register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    beating = asyncio.create_task(
        protocol.heartbeat(Heartbeat(worker_id=worker_id, tokens=frozenset({lease.token}), wait_seconds=60))
    )

    await plane.runs.cancel(run.id)

    assert (await beating).stop == {lease.address}


async def test_a_heartbeat_that_waits_ends_when_the_server_stops(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await _register(protocol)
    heartbeat = Heartbeat(worker_id=worker_id, tokens=frozenset(), wait_seconds=60)
    beating = asyncio.create_task(protocol.heartbeat(heartbeat))
    await _claim(protocol, worker_id)

    plane.fleet.desk.stop_waiting()

    assert (await beating).living == frozenset()


async def test_what_a_program_wrote_into_its_reason_can_be_kept(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await _start(plane)
    worker_id = await _register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    written = Reason(ReasonCode.IMAGE_BUILD_FAILED, "a NUL \0, half a pair \ud800, and an umlaut \u00fc")

    await protocol.report(_report(worker_id, lease, Outcome(State.FAILED, written)))

    reason = (await plane.runs.get(run.id)).nodes[1].reason
    assert reason is not None
    assert reason.text == "a NUL ?, half a pair ?, and an umlaut \u00fc"
