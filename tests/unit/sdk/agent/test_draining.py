import pytest

from lineshaft.model.errors import ServerError, ServerUnreachableError
from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from lineshaft.wire.worker import LeasesAnswer
from scripted_server import Scene, at_work, lease, living, working

AWAY = ServerUnreachableError("Away.")
NOTHING = LeasesAnswer()
CANCELLED = Outcome(State.CANCELLED)


async def test_a_worker_that_is_told_to_drain_says_so_to_the_server_at_once() -> None:
    async with working() as scene:
        waiting = await scene.server.heartbeats.next()
        assert not waiting.message.draining
        scene.worker.drain()
        assert (await scene.server.heartbeats.next()).message.draining
        assert waiting.abandoned


async def test_a_claim_that_waits_at_the_server_is_not_abandoned_and_what_it_brings_is_done() -> None:
    async with working() as scene:
        claim = await scene.server.claims.next()
        scene.worker.drain()
        await scene.server.heartbeats.next()
        assert (await scene.server.heartbeats.next()).message.draining
        assert not claim.abandoned
        claim.answer(LeasesAnswer(leases=(lease(1),)))
        work = await scene.driver.begun()
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 0
        report.answer(NOTHING)
        await scene.running
        assert scene.server.claims.none_waits()


async def test_a_worker_that_the_server_tells_to_drain_ends_when_its_work_has_ended() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        (await scene.server.heartbeats.next()).answer(living(lease(1), drain=True))
        assert (await scene.server.heartbeats.next()).message.draining
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 0
        report.answer(NOTHING)
        await scene.running


async def test_a_worker_that_drains_asks_once_more_what_a_claim_without_an_answer_has_brought() -> None:
    async with working() as scene:
        first = await scene.server.claims.next()
        first.fail(AWAY)
        await scene.pauses.next()
        scene.worker.drain()
        again = await scene.server.claims.next()
        assert (again.message.slots, again.message.wait_seconds) == (0, 0)
        assert again.message.token == first.message.token
        again.answer(LeasesAnswer(leases=(lease(1),)))
        (await scene.driver.begun()).end()
        (await scene.server.reports.next()).answer(NOTHING)
        await scene.running
        assert scene.server.claims.none_waits()


async def test_a_worker_that_drains_and_has_nothing_to_do_does_not_wait_for_its_server() -> None:
    async with working() as scene:
        claim = await scene.server.claims.next()
        scene.worker.drain()
        claim.fail(AWAY)
        (await scene.server.claims.next()).fail(AWAY)
        await scene.running


async def test_a_worker_that_drains_asks_what_a_claim_has_brought_for_as_long_as_it_has_work() -> None:
    async with working() as scene:
        (work,) = await scene.give(lease(1))
        claim = await scene.server.claims.next()
        scene.worker.drain()
        claim.fail(AWAY)
        for _ in range(3):
            again = await scene.server.claims.next()
            assert again.message.slots == 0
            again.fail(AWAY)
            pause = await scene.pauses.next()
            pause.end()
        (await scene.server.claims.next()).fail(AWAY)
        await scene.pauses.next()
        work.end()
        (await scene.server.reports.next()).answer(NOTHING)
        await scene.running


async def test_an_answer_that_makes_no_sense_does_not_end_a_worker_that_drains_and_has_work() -> None:
    async with working() as scene:
        (work,) = await scene.give(lease(1))
        claim = await scene.server.claims.next()
        scene.worker.drain()
        claim.fail(ServerError("A page.", status=502))
        (await scene.server.claims.next()).answer(NOTHING)
        work.end()
        (await scene.server.reports.next()).answer(NOTHING)
        await scene.running


async def test_a_worker_that_is_told_to_drain_before_its_first_session_just_ends() -> None:
    scene = Scene()
    agent = scene.agent()
    agent.drain()
    await agent.run()


async def test_a_worker_that_drains_while_it_registers_ends() -> None:
    scene = Scene()
    agent = scene.agent()
    async with at_work(agent) as running:
        hello = await scene.server.hellos.next()
        agent.drain()
        await running
        assert hello.abandoned


async def test_a_worker_that_drains_while_the_server_is_away_ends() -> None:
    scene = Scene()
    agent = scene.agent()
    async with at_work(agent) as running:
        (await scene.server.hellos.next()).fail(AWAY)
        await scene.pauses.next()
        agent.drain()
        await running


async def test_a_busy_worker_that_drains_does_not_wait_for_its_host() -> None:
    async with working(max_load=0.5, load=1.0) as scene:
        await scene.pauses.next()
        scene.worker.drain()
        await scene.running


async def test_work_that_is_stopped_is_reported_as_the_driver_says() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        scene.worker.drain()
        scene.worker.stop_all()
        await work.told_to_stop()
        work.end(CANCELLED)
        report = await scene.server.reports.next()
        assert report.message.outcome == CANCELLED
        report.answer(NOTHING)
        await scene.running


async def test_what_comes_after_everything_was_stopped_is_stopped_too() -> None:
    async with working() as scene:
        claim = await scene.server.claims.next()
        scene.worker.drain()
        scene.worker.stop_all()
        claim.answer(LeasesAnswer(leases=(lease(1),)))
        await (await scene.driver.begun()).told_to_stop()


@pytest.mark.parametrize("again", [1, 2])
async def test_a_report_that_was_made_before_the_drain_may_still_bring_work(again: int) -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        report = await scene.server.reports.next()
        for _ in range(again):
            scene.worker.drain()
        report.answer(LeasesAnswer(leases=(lease(2),)))
        (await scene.driver.begun()).end()
        (await scene.server.reports.next()).answer(NOTHING)
        await scene.running
