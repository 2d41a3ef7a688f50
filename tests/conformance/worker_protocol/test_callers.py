"""Who may speak for which session and which lease, in every form of the worker protocol."""

from datetime import timedelta

import pytest

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import BadCredentialsError, ForbiddenError
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.fleet.worker_keys import KNOWN_FOR
from lineshaft.wire.worker import SourceReport
from planes import LEASE_TIME
from protocol_callers import Callers
from worker_protocol_scene import beat, claim, register, report_on, start

COMMIT = "5f" * 20
WITH_SOURCE = "name: s\nrepository: https://example.org/r.git\nsteps: [{name: a, run: make}]\n"


async def test_a_worker_with_a_key_takes_a_task_from_its_beginning_to_its_end(
    plane: ControlPlane, callers: Callers
) -> None:
    run = await start(plane, WITH_SOURCE)
    worker = await callers.new_key("k")
    worker_id = await register(worker)

    (lease,) = await claim(worker, worker_id)
    await worker.resolve_source(SourceReport(address=lease.address, token=lease.token, commit=COMMIT))
    await worker.append_log(lease.address, lease.token, 0, b"hello")
    await worker.heartbeat(beat(worker_id, lease))
    await worker.report(report_on(worker_id, lease))

    assert (await plane.runs.get(run.id)).state is State.SUCCEEDED


@pytest.mark.parametrize("other", ["another key", "a user"])
async def test_nobody_else_speaks_for_a_session_that_belongs_to_a_key(
    plane: ControlPlane, callers: Callers, other: str
) -> None:
    run = await start(plane, WITH_SOURCE)
    worker = await callers.new_key("k")
    worker_id = await register(worker)
    (lease,) = await claim(worker, worker_id)
    stranger = await (callers.user() if other == "a user" else callers.new_key("l"))
    before = await plane.runs.get(run.id)

    with pytest.raises(ForbiddenError):
        await claim(stranger, worker_id)
    with pytest.raises(ForbiddenError):
        await stranger.heartbeat(beat(worker_id, lease))
    await _is_refused_the_lease(stranger, lease.address, lease.token)
    with pytest.raises(ForbiddenError):
        await stranger.report(report_on(worker_id, lease))

    assert await plane.runs.get(run.id) == before
    log = await plane.logs.find(run.id, "a")
    assert log.state.size_bytes == 0


async def test_a_key_does_not_speak_for_a_session_that_a_user_has_registered(
    plane: ControlPlane, callers: Callers
) -> None:
    await start(plane, WITH_SOURCE)
    user = await callers.user()
    worker_id = await register(user)
    (lease,) = await claim(user, worker_id)
    stranger = await callers.new_key("k")

    with pytest.raises(ForbiddenError):
        await claim(stranger, worker_id)
    await _is_refused_the_lease(stranger, lease.address, lease.token)


async def test_a_worker_does_not_report_for_another_worker_with_its_key(
    plane: ControlPlane, callers: Callers
) -> None:
    run = await start(plane)
    worker = await callers.new_key("k")
    first, second = await register(worker, "first"), await register(worker, "second")
    (lease,) = await claim(worker, first)

    with pytest.raises(ForbiddenError):
        await worker.report(report_on(second, lease))

    assert (await plane.runs.get(run.id)).state is State.RUNNING


async def test_a_key_that_is_for_one_worker_lets_no_other_in(plane: ControlPlane, callers: Callers) -> None:
    worker = await callers.new_key("k", worker="build-1")

    with pytest.raises(ForbiddenError, match="build-1"):
        await register(worker, "build-2")
    await register(worker, "build-1")

    assert [each.worker.name for each in await plane.fleet.workers.page(after=None, limit=9)] == ["build-1"]


async def test_a_name_that_is_at_work_is_not_taken_by_another_key(
    plane: ControlPlane, callers: Callers
) -> None:
    await start(plane)
    first, second = await callers.new_key("k"), await callers.new_key("l")
    worker_id = await register(first)
    (lease,) = await claim(first, worker_id)

    with pytest.raises(ForbiddenError):
        await register(second)

    assert (await first.heartbeat(beat(worker_id, lease))).living == {lease.address}


async def test_a_name_whose_worker_is_offline_is_taken_by_another_key(
    callers: Callers, clock: ManualClock
) -> None:
    first, second = await callers.new_key("k"), await callers.new_key("l")
    await register(first)

    clock.advance(LEASE_TIME)

    await register(second)
    with pytest.raises(ForbiddenError):
        await register(first)


async def test_a_name_whose_key_was_revoked_is_taken_by_another_key(
    plane: ControlPlane, callers: Callers
) -> None:
    key, secret = await plane.fleet.worker_keys.create("k")
    await register(await callers.key(secret))

    await plane.fleet.worker_keys.revoke(key.id)

    await register(await callers.new_key("l"))


async def test_a_user_takes_any_name(callers: Callers) -> None:
    await register(await callers.new_key("k"))

    await register(await callers.user())


async def test_a_worker_that_starts_anew_with_its_key_takes_its_own_place(
    plane: ControlPlane, callers: Callers
) -> None:
    await start(plane)
    worker = await callers.new_key("k")
    await claim(worker, await register(worker))

    (again,) = await claim(worker, await register(worker))

    assert again.address.attempt == 2


@pytest.mark.parametrize("secret", ["wrong", "lsw_" + "A" * 43, "k" * 5_000])
async def test_a_wrong_key_lets_nobody_in(plane: ControlPlane, callers: Callers, secret: str) -> None:
    await plane.fleet.worker_keys.create("k")

    with pytest.raises(BadCredentialsError):
        await register(await callers.key(secret))

    assert await plane.fleet.workers.page(after=None, limit=9) == []


async def test_a_key_that_has_expired_lets_nobody_in(
    plane: ControlPlane, callers: Callers, clock: ManualClock
) -> None:
    expires_at = clock.now() + timedelta(seconds=1)
    _, secret = await plane.fleet.worker_keys.create("k", expires_at=expires_at)
    await register(await callers.key(secret))

    clock.advance(timedelta(seconds=1))

    with pytest.raises(BadCredentialsError):
        await register(await callers.key(secret))


async def test_a_key_that_was_revoked_lets_nobody_in(plane: ControlPlane, callers: Callers) -> None:
    key, secret = await plane.fleet.worker_keys.create("k")
    await register(await callers.key(secret))

    await plane.fleet.worker_keys.revoke(key.id)

    with pytest.raises(BadCredentialsError):
        await register(await callers.key(secret))


async def test_a_key_that_another_server_has_revoked_lets_nobody_in_soon_after(
    plane: ControlPlane, callers: Callers, clock: ManualClock
) -> None:
    key, secret = await plane.fleet.worker_keys.create("k")
    await register(await callers.key(secret))

    await plane.store.write(lambda transaction: transaction.worker_keys.remove(key.id))
    clock.advance(KNOWN_FOR)

    with pytest.raises(BadCredentialsError):
        await register(await callers.key(secret))


async def _is_refused_the_lease(stranger: WorkerProtocol, address: AttemptAddress, token: str) -> None:
    with pytest.raises(ForbiddenError):
        await stranger.append_log(address, token, 0, b"x")
    with pytest.raises(ForbiddenError):
        await stranger.resolve_source(SourceReport(address=address, token=token, commit=COMMIT))
