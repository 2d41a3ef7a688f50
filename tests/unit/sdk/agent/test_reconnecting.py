from uuid import UUID

import pytest

from lineshaft.model.errors import (
    BadWorkerKeyError,
    ConflictError,
    ForbiddenError,
    ServerError,
    ServerUnreachableError,
    WorkerNotFoundError,
)
from lineshaft.wire.worker import LeasesAnswer
from scripted_server import LEASE_SECONDS, Scene, at_work, lease, living, working

AWAY = ServerUnreachableError("Away.")
NOTHING = LeasesAnswer()


async def test_a_worker_registers_as_often_as_it_takes() -> None:
    scene = Scene()
    async with at_work(scene.agent()):
        for _ in range(5):
            (await scene.server.hellos.next()).fail(AWAY)
            (await scene.pauses.next()).end()
        await scene.welcome()
        await scene.server.claims.next()


async def test_what_runs_goes_on_while_the_server_is_away() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        for _ in range(5):
            (await scene.server.heartbeats.next()).fail(AWAY)
            (await scene.pauses.next()).end()
        (await scene.server.heartbeats.next()).answer(living(lease(1)))
        await scene.server.heartbeats.next()
        assert not work.assignment.stop.is_set()


@pytest.mark.parametrize("error", [ServerError("A fault.", status=500), ServerError("A page.", status=200)])
async def test_an_answer_that_makes_no_sense_does_not_end_a_worker_that_was_served_before(
    error: ServerError,
) -> None:
    async with working(slots=1) as scene:
        await scene.give(lease(1))
        (await scene.server.heartbeats.next()).fail(error)
        (await scene.pauses.next()).end()
        assert (await scene.server.heartbeats.next()).message.tokens == {"token-1"}


async def test_a_worker_whose_first_answer_makes_no_sense_ends_with_that() -> None:
    scene = Scene()
    async with at_work(scene.agent()) as running:
        (await scene.server.hellos.next()).fail(ServerError("A page.", status=404))
        with pytest.raises(ServerError):
            await running


async def test_leases_that_died_while_nothing_was_heard_are_dropped_and_the_living_go_on() -> None:
    async with working(slots=3) as scene:
        dead, alive = await scene.give(lease(1), lease(2))
        (await scene.server.heartbeats.next()).fail(AWAY)
        (await scene.pauses.next()).end()
        heartbeat = await scene.server.heartbeats.next()
        assert heartbeat.message.tokens == {"token-1", "token-2"}
        heartbeat.answer(living(lease(2)))
        await dead.told_to_stop()
        dead.end()
        assert (await scene.server.heartbeats.next()).message.tokens == {"token-2"}
        assert not alive.assignment.stop.is_set()
        assert scene.server.reports.none_waits()


async def test_a_session_that_the_server_has_forgotten_is_begun_anew_without_its_work() -> None:
    scene = Scene()
    async with at_work(scene.agent()):
        assert (await scene.welcome()).former is None
        (work,) = await scene.give(lease(1))
        (await scene.server.heartbeats.next()).fail(WorkerNotFoundError("Who?"))
        (await scene.pauses.next()).end()
        assert (await scene.welcome()).former == UUID(int=1)
        assert work.outcome.cancelled()
        claim = await scene.server.claims.next()
        while claim.message.worker_id != UUID(int=2):
            claim = await scene.server.claims.next()
        assert claim.message.slots == 2


async def test_a_worker_whose_name_another_has_taken_ends_and_says_so() -> None:
    async with working() as scene:
        (await scene.server.claims.next()).fail(WorkerNotFoundError("Who?"))
        (await scene.pauses.next()).end()
        (await scene.server.hellos.next()).fail(ConflictError("Taken."))
        with pytest.raises(ConflictError):
            await scene.running


@pytest.mark.parametrize("error", [BadWorkerKeyError(), ForbiddenError("Not yours.")])
async def test_a_worker_that_is_refused_at_first_ends_with_that(error: Exception) -> None:
    scene = Scene()
    async with at_work(scene.agent()) as running:
        (await scene.server.hellos.next()).fail(error)
        with pytest.raises(type(error)):
            await running


async def test_a_worker_whose_key_is_revoked_goes_on_for_as_long_as_its_leases_live() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        scene.seconds = LEASE_SECONDS - 1
        (await scene.server.heartbeats.next()).fail(BadWorkerKeyError())
        (await scene.pauses.next()).end()
        heartbeat = await scene.server.heartbeats.next()
        assert not work.assignment.stop.is_set()
        scene.seconds = LEASE_SECONDS
        heartbeat.fail(BadWorkerKeyError())
        with pytest.raises(BadWorkerKeyError):
            await scene.running
        assert work.outcome.cancelled()


async def test_a_key_that_is_taken_again_in_time_ends_nothing() -> None:
    async with working(slots=1) as scene:
        await scene.give(lease(1))
        scene.seconds = LEASE_SECONDS - 1
        (await scene.server.heartbeats.next()).fail(BadWorkerKeyError())
        (await scene.pauses.next()).end()
        (await scene.server.heartbeats.next()).answer(living(lease(1)))
        heartbeat = await scene.server.heartbeats.next()
        scene.seconds += LEASE_SECONDS - 1
        heartbeat.fail(BadWorkerKeyError())
        (await scene.pauses.next()).end()
        assert (await scene.server.heartbeats.next()).message.tokens == {"token-1"}


async def test_what_is_cancelled_is_told_to_stop_and_the_server_hears_that_it_was() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        (await scene.server.heartbeats.next()).answer(living(lease(1), stop=[lease(1)]))
        await work.told_to_stop()
        assert (await scene.server.heartbeats.next()).message.stopping == {lease(1).address}
        work.end()
        (await scene.server.reports.next()).answer(NOTHING)
