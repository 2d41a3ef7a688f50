from lineshaft.model.errors import InvalidInputError, ServerUnreachableError, StaleLeaseError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.wire.work import BuildWorkMessage
from lineshaft.wire.worker import LeasesAnswer
from scripted_server import lease, living, working

NOTHING = LeasesAnswer()


async def test_one_claim_asks_for_all_free_slots_and_all_leases_of_its_answer_are_begun() -> None:
    async with working(slots=3) as scene:
        claim = await scene.server.claims.next()
        assert claim.message.slots == 3
        claim.answer(LeasesAnswer(leases=(lease(1), lease(2))))
        begun = {(await scene.driver.begun()).address for _ in range(2)}
        assert begun == {lease(1).address, lease(2).address}
        assert (await scene.server.claims.next()).message.slots == 1


async def test_all_leases_of_a_reports_answer_are_begun() -> None:
    async with working(slots=2) as scene:
        one, two = await scene.give(lease(1), lease(2))
        one.end()
        first = await scene.server.reports.next()
        two.end()
        second = await scene.server.reports.next()
        assert (first.message.slots, second.message.slots) == (1, 1)
        first.answer(NOTHING)
        # The slot that the first report got nothing for is claimed for.
        claim = await scene.server.claims.next()
        assert claim.message.slots == 1
        second.answer(LeasesAnswer(leases=(lease(3),)))
        assert (await scene.driver.begun()).address == lease(3).address
        claim.answer(LeasesAnswer(leases=(lease(4),)))
        assert (await scene.driver.begun()).address == lease(4).address


async def test_a_report_does_not_ask_again_for_slots_that_a_claim_asks_for() -> None:
    async with working(slots=4) as scene:
        (work,) = await scene.give(lease(1))
        assert (await scene.server.claims.next()).message.slots == 3
        work.end()
        assert (await scene.server.reports.next()).message.slots == 1


async def test_a_claim_that_is_made_again_asks_for_what_is_free_then() -> None:
    async with working(slots=2) as scene:
        (work,) = await scene.give(lease(1))
        claim = await scene.server.claims.next()
        assert claim.message.slots == 1
        claim.fail(ServerUnreachableError("Away."))
        pause = await scene.pauses.next()
        work.end()
        # What the claim had asked for is free to be asked for by the report.
        report = await scene.server.reports.next()
        assert report.message.slots == 2
        pause.end()
        report.answer(LeasesAnswer(leases=(lease(2),)))
        assert (await scene.server.claims.next()).message.slots == 1


async def test_nothing_is_claimed_while_the_host_is_too_busy_and_again_when_it_is_not() -> None:
    async with working(max_load=0.95, load=0.99) as scene:
        assert (await scene.server.heartbeats.next()).message.load == 0.99
        (await scene.pauses.next()).end()
        pause = await scene.pauses.next()
        assert scene.server.claims.none_waits()
        scene.load.now = 0.5
        pause.end()
        assert (await scene.server.claims.next()).message.slots == 2


async def test_a_worker_that_has_nothing_to_do_takes_one_task_in_the_end_however_busy_its_host_is() -> None:
    async with working(slots=4, max_load=0.95, load=1.0) as scene:
        for _ in range(15):
            (await scene.pauses.next()).end()
        claim = await scene.server.claims.next()
        assert claim.message.slots == 1
        claim.answer(LeasesAnswer(leases=(lease(1),)))
        await scene.driver.begun()
        for _ in range(20):
            (await scene.pauses.next()).end()
        assert scene.server.claims.none_waits()


async def test_a_report_asks_for_nothing_while_the_host_is_too_busy() -> None:
    async with working(slots=1, max_load=0.95) as scene:
        (work,) = await scene.give(lease(1))
        scene.load.now = 1.0
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 0
        report.answer(NOTHING)
        pause = await scene.pauses.next()
        scene.load.now = 0.0
        pause.end()
        assert (await scene.server.claims.next()).message.slots == 1


async def test_nothing_is_claimed_while_what_tasks_need_is_away_however_idle_the_worker_is() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        scene.can_work = False
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 0
        report.answer(NOTHING)
        for _ in range(20):
            (await scene.pauses.next()).end()
        pause = await scene.pauses.next()
        assert scene.server.claims.none_waits()
        scene.can_work = True
        pause.end()
        assert (await scene.server.claims.next()).message.slots == 1


async def test_a_report_that_is_made_again_asks_for_what_there_is_room_for_then() -> None:
    async with working(slots=1, max_load=0.95) as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 1
        scene.load.now = 1.0
        report.fail(ServerUnreachableError("Away."))
        for _ in range(2):  # The report's pause, and that of the claim.
            (await scene.pauses.next()).end()
        assert (await scene.server.reports.next()).message.slots == 0


async def test_a_report_that_the_server_refuses_becomes_one_that_it_takes() -> None:
    async with working() as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        (await scene.server.reports.next()).fail(InvalidInputError("Too long."))
        outcome = (await scene.server.reports.next()).message.outcome
        assert outcome.state is State.FAILED
        assert outcome.reason is not None
        assert outcome.reason.code is ReasonCode.WORKER_ERROR


async def test_work_of_a_kind_that_the_worker_does_not_serve_is_reported_as_failed() -> None:
    async with working() as scene:
        work = BuildWorkMessage(dockerfile="Dockerfile", repository="shop", tag="1")
        foreign = lease(1).model_copy(update={"work": work})
        (await scene.server.claims.next()).answer(LeasesAnswer(leases=(foreign,)))
        report = await scene.server.reports.next()
        assert report.message.outcome.state is State.FAILED


async def test_the_lease_of_what_is_being_reported_is_still_kept_alive() -> None:
    async with working() as scene:
        (await scene.server.heartbeats.next()).answer(living())
        (work,) = await scene.give(lease(1))
        work.end(Outcome(State.FAILED, exit_code=1))
        report = await scene.server.reports.next()
        heartbeat = await scene.server.heartbeats.next()
        heartbeat.answer(living(lease(1)))
        heartbeat = await scene.server.heartbeats.next()
        assert heartbeat.message.tokens == {"token-1"}
        report.fail(StaleLeaseError("Twice."))
        assert (await scene.server.claims.next()).message.slots == 1
