"""Workers that are to take no more, in every form of the worker protocol."""

import asyncio

import pytest

from lineshaft.model.errors import UnavailableError, WorkerNotFoundError
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from worker_protocol_scene import beat, claim, register, report_on, start

TWO = "name: two\nsteps: [{name: a, run: make}, {name: b, run: make}]\n"
LONG_SECONDS = 60


async def test_a_worker_that_drains_takes_no_more(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    await start(plane, TWO)
    worker_id = await register(protocol)
    (lease,) = await claim(protocol, worker_id)

    await plane.fleet.workers.drain("w")

    assert (await protocol.report(report_on(worker_id, lease, slots=1))).leases == ()
    assert await claim(protocol, worker_id) == ()
    assert [each.path for each in await claim(protocol, await register(protocol, "another"))] == ["b"]


async def test_a_heartbeat_tells_a_worker_to_drain(plane: ControlPlane, protocol: WorkerProtocol) -> None:
    worker_id = await register(protocol)
    before = await protocol.heartbeat(beat(worker_id))

    await plane.fleet.workers.drain("w")

    after = await protocol.heartbeat(beat(worker_id, wait_seconds=LONG_SECONDS))
    assert (before.drain, after.drain) == (False, True)
    assert (await protocol.heartbeat(beat(worker_id, draining=True))).drain


async def test_a_heartbeat_that_waits_tells_a_worker_at_once_to_drain(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await register(protocol)
    beating = asyncio.create_task(protocol.heartbeat(beat(worker_id, wait_seconds=LONG_SECONDS)))
    await protocol.heartbeat(beat(worker_id))

    await plane.fleet.workers.drain("w")

    assert (await beating).drain


async def test_a_claim_that_waits_is_answered_when_its_worker_is_to_drain(plane: ControlPlane) -> None:
    # By a direct call alone, since nobody can tell when a claim over HTTP has begun to wait.
    worker_id = await register(plane.fleet.desk)
    claiming = asyncio.create_task(claim(plane.fleet.desk, worker_id, wait_seconds=LONG_SECONDS))
    await asyncio.sleep(0)

    await plane.fleet.workers.drain("w")

    async with asyncio.timeout(LONG_SECONDS / 2):
        assert await claiming == ()


async def test_a_claim_of_a_worker_that_drains_ends_when_the_server_stops(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    worker_id = await register(protocol)
    await plane.fleet.workers.drain("w")
    claiming = asyncio.create_task(claim(protocol, worker_id, wait_seconds=LONG_SECONDS))
    await protocol.heartbeat(beat(worker_id, draining=True))

    plane.fleet.desk.stop_waiting()

    with pytest.raises(UnavailableError):
        await claiming


async def test_a_worker_that_starts_anew_does_not_drain(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane)
    await register(protocol)
    await plane.fleet.workers.drain("w")

    assert len(await claim(protocol, await register(protocol))) == 1


async def test_a_heartbeat_that_waits_ends_when_another_takes_its_workers_place(
    protocol: WorkerProtocol,
) -> None:
    worker_id = await register(protocol)
    beating = asyncio.create_task(protocol.heartbeat(beat(worker_id, wait_seconds=LONG_SECONDS)))
    await protocol.heartbeat(beat(worker_id))

    await register(protocol)

    with pytest.raises(WorkerNotFoundError):
        await beating
