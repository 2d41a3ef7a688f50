"""Claims that are made again because their answer was lost, in every form of the worker protocol."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from lineshaft.model.errors import ForbiddenError, StaleLeaseError
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.worker import LeaseMessage, SourceReport
from planes import LEASE_TIME
from protocol_callers import Callers
from worker_protocol_scene import beat, claim, register, report_on, start

TOKEN = "chosen-by-the-worker-1"
ANOTHER = "chosen-by-the-worker-2"
COMMIT = "5f" * 20
LONG_SECONDS = 60
SECOND = timedelta(seconds=1)
TWO = """\
name: two
steps:
  - name: both
    parallel: true
    steps: [{name: a, run: make}, {name: b, run: make}]
"""
WITH_SOURCE = f"repository: https://example.org/r.git\n{TWO}"
THEN = "name: then\nsteps: [{name: a, run: make}, {name: b, run: make}]\n"
DEPLOY = "name: d\nsteps: [{name: a, deploy: {manifests: d, cluster: c, namespace: n}}]\n"


async def _claim(
    protocol: WorkerProtocol, worker_id: UUID, token: str = TOKEN, slots: int = 4, wait_seconds: float = 0
) -> tuple[LeaseMessage, ...]:
    return await claim(protocol, worker_id, slots, wait_seconds, token=token)


async def test_leases_carry_the_token_that_the_worker_has_chosen(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    run = await start(plane)
    worker_id = await register(protocol)

    (lease,) = await _claim(protocol, worker_id)
    await protocol.report(report_on(worker_id, lease))

    assert lease.token == TOKEN
    assert (await plane.runs.get(run.id)).state is State.SUCCEEDED


async def test_a_claim_that_is_made_again_brings_the_same_leases_and_nothing_else(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, TWO)
    worker_id = await register(protocol)

    first = await _claim(protocol, worker_id, slots=1)
    again = await _claim(protocol, worker_id, slots=4, wait_seconds=LONG_SECONDS)
    other = await _claim(protocol, worker_id, ANOTHER)

    assert [lease.path for lease in first] == ["both/a"]
    assert again == first
    assert [lease.path for lease in other] == ["both/b"]


async def test_a_deploy_whose_lease_was_lost_on_the_way_is_given_again(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, DEPLOY)
    worker_id = await register(protocol)

    first = await _claim(protocol, worker_id)

    assert [lease.address.attempt for lease in first] == [1]
    assert await _claim(protocol, worker_id) == first


async def test_a_claim_without_a_token_brings_nothing_again(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, TWO)
    worker_id = await register(protocol)

    first = await claim(protocol, worker_id, slots=1)
    second = await claim(protocol, worker_id, slots=1)

    assert [lease.path for lease in first + second] == ["both/a", "both/b"]
    assert first[0].token != second[0].token


async def test_what_is_given_again_says_what_is_known_by_now(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, WITH_SOURCE)
    worker_id = await register(protocol)
    (before,) = await _claim(protocol, worker_id, slots=1)
    (other,) = await _claim(protocol, worker_id, ANOTHER)
    await protocol.resolve_source(SourceReport(address=other.address, token=other.token, commit=COMMIT))

    (again,) = await _claim(protocol, worker_id)

    assert again == before.model_copy(update={"commit": COMMIT})


async def test_what_is_given_again_lives_from_then(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    await start(plane)
    worker_id = await register(protocol)
    first = await _claim(protocol, worker_id)

    clock.advance(LEASE_TIME - SECOND)
    assert await _claim(protocol, worker_id) == first
    clock.advance(LEASE_TIME - SECOND)

    assert await plane.fleet.losing.lose_expired() == 0


async def test_leases_that_ran_out_are_not_brought_back(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    await start(plane)
    worker_id = await register(protocol)
    (dead,) = await _claim(protocol, worker_id)
    clock.advance(LEASE_TIME + SECOND)
    assert await plane.fleet.losing.lose_expired() == 1

    (new,) = await _claim(protocol, worker_id)

    assert (dead.address.attempt, new.address.attempt) == (1, 2)
    with pytest.raises(StaleLeaseError):
        await protocol.report(report_on(worker_id, dead))
    with pytest.raises(StaleLeaseError):
        await protocol.append_log(dead.address, dead.token, 0, b"late")


async def test_a_deploy_whose_lease_ran_out_is_not_brought_back(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await start(plane, DEPLOY)
    worker_id = await register(protocol)
    assert len(await _claim(protocol, worker_id)) == 1
    clock.advance(LEASE_TIME + SECOND)
    assert await plane.fleet.losing.lose_expired() == 1

    assert await _claim(protocol, worker_id) == ()
    assert (await plane.runs.get(run.id)).nodes[1].state is State.LOST


async def test_a_lease_that_has_ended_is_not_brought_back(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, TWO)
    worker_id = await register(protocol)
    ended, goes_on = await _claim(protocol, worker_id)
    await protocol.report(report_on(worker_id, ended))

    assert await _claim(protocol, worker_id) == (goes_on,)
    await protocol.report(report_on(worker_id, goes_on))
    assert await _claim(protocol, worker_id) == ()


async def test_another_session_gets_nothing_of_what_was_taken_with_the_same_token(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, TWO)
    one, other = await register(protocol), await register(protocol, "another")
    (of_one,) = await _claim(protocol, one, slots=1)

    (of_other,) = await _claim(protocol, other)

    assert (of_one.path, of_other.path) == ("both/a", "both/b")
    assert await _claim(protocol, other) == (of_other,)
    with pytest.raises(ForbiddenError):
        await protocol.report(report_on(other, of_one))


async def test_the_next_session_of_a_worker_gets_nothing_of_what_the_former_one_took(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, DEPLOY)
    assert len(await _claim(protocol, await register(protocol))) == 1

    assert await _claim(protocol, await register(protocol)) == ()


async def test_a_key_that_chooses_another_ones_token_does_not_speak_for_its_leases(
    plane: ControlPlane, callers: Callers
) -> None:
    await start(plane, TWO)
    one, other = await callers.new_key("one"), await callers.new_key("other")
    id_of_one, id_of_other = await register(one), await register(other, "another")
    (of_one,) = await _claim(one, id_of_one, slots=1)
    (of_other,) = await _claim(other, id_of_other)

    with pytest.raises(ForbiddenError):
        await other.append_log(of_one.address, TOKEN, 0, b"x")
    with pytest.raises(ForbiddenError):
        await one.append_log(of_other.address, TOKEN, 0, b"x")
    assert await one.append_log(of_one.address, TOKEN, 0, b"mine") == 4
    assert (await other.heartbeat(beat(id_of_other, of_other))).living == {of_other.address}


async def test_what_a_reports_lost_answer_has_brought_is_claimed_with_its_next_token(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, THEN)
    worker_id = await register(protocol)
    (lease,) = await _claim(protocol, worker_id)
    report = report_on(worker_id, lease, slots=1).model_copy(update={"next_token": ANOTHER})
    brought = (await protocol.report(report)).leases

    with pytest.raises(StaleLeaseError):
        await protocol.report(report)
    found = await _claim(protocol, worker_id, ANOTHER, slots=0)

    assert [(each.path, each.token) for each in found] == [("b", ANOTHER)]
    assert found == brought


async def test_a_claim_for_no_slots_takes_nothing_and_does_not_wait(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await register(protocol)

    async with asyncio.timeout(LONG_SECONDS / 2):
        nothing = await _claim(protocol, worker_id, slots=0, wait_seconds=LONG_SECONDS)
    await start(plane)

    assert nothing == ()
    assert await _claim(protocol, worker_id, slots=0) == ()
    assert len(await _claim(protocol, worker_id, slots=1)) == 1


async def test_a_worker_that_drains_gets_again_what_it_took_and_nothing_new(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, TWO)
    worker_id = await register(protocol)
    first = await _claim(protocol, worker_id, slots=1)
    await plane.fleet.workers.drain("w")

    assert await _claim(protocol, worker_id, wait_seconds=LONG_SECONDS) == first
    assert await _claim(protocol, worker_id, ANOTHER) == ()


async def test_a_lease_that_its_worker_knows_nothing_of_is_not_prolonged_with_its_token(
    plane: ControlPlane, protocol: WorkerProtocol, clock: ManualClock
) -> None:
    run = await start(plane, TWO)
    worker_id = await register(protocol)
    known, unknown = await _claim(protocol, worker_id)

    clock.advance(LEASE_TIME - SECOND)
    await protocol.heartbeat(beat(worker_id, known, unknown=frozenset({unknown.address})))
    clock.advance(SECOND * 2)
    assert await plane.fleet.losing.lose_expired() == 1

    assert (await protocol.heartbeat(beat(worker_id, known))).living == {known.address}
    assert (await plane.runs.get(run.id)).nodes[known.address.node].state is State.RUNNING
