"""Sessions that end otherwise than their worker wants, in every form of the worker protocol."""

import asyncio
from uuid import UUID

import pytest

from lineshaft.model.errors import ConflictError
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from worker_protocol_scene import ONE, beat, claim, register, report_on, start

FORGOTTEN = UUID(int=9)
LONG_SECONDS = 60


async def test_a_worker_that_says_that_it_drains_takes_no_more(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    await start(plane, "name: two\nsteps: [{name: a, run: make}, {name: b, run: make}]\n")
    worker_id = await register(protocol)
    (lease,) = await claim(protocol, worker_id)

    answer = await protocol.heartbeat(beat(worker_id, lease, draining=True))

    assert answer.drain
    assert answer.living == {lease.address}
    assert (await protocol.report(report_on(worker_id, lease, slots=1))).leases == ()


async def test_a_worker_that_says_that_it_drains_ends_its_own_claim(plane: ControlPlane) -> None:
    # By a direct call alone, since nobody can tell when a claim over HTTP has begun to wait.
    worker_id = await register(plane.fleet.desk)
    claiming = asyncio.create_task(claim(plane.fleet.desk, worker_id, wait_seconds=LONG_SECONDS))
    await asyncio.sleep(0)

    await plane.fleet.desk.heartbeat(beat(worker_id, draining=True))

    async with asyncio.timeout(LONG_SECONDS / 2):
        assert await claiming == ()


async def test_a_session_whose_name_another_has_taken_does_not_take_it_back(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    former = await register(protocol)
    await register(protocol)
    await start(plane, ONE)

    with pytest.raises(ConflictError, match="taken this one's place"):
        await register(protocol, former=former)


async def test_a_session_that_nobody_has_the_name_of_any_more_is_begun_anew(
    protocol: WorkerProtocol,
) -> None:
    worker_id = await register(protocol, former=FORGOTTEN)
    again = await register(protocol, former=worker_id)
    assert await claim(protocol, again) == ()


async def test_a_hello_that_is_repeated_goes_on_with_the_session_that_the_first_one_began(
    plane: ControlPlane, protocol: WorkerProtocol
) -> None:
    session = UUID(int=7)
    assert await register(protocol, session=session) == session
    await start(plane, ONE)
    (held,) = await claim(protocol, session)

    assert await register(protocol, session=session) == session

    assert (await protocol.heartbeat(beat(session, held))).living == {held.address}


async def test_a_session_cannot_have_the_id_of_another_workers(protocol: WorkerProtocol) -> None:
    session = await register(protocol, "one")

    with pytest.raises(ConflictError, match="another worker's"):
        await register(protocol, "two", session=session)
