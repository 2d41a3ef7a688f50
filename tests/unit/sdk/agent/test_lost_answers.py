"""A worker over a network that loses the answers to what it has asked for."""

import pytest

from lineshaft.model.errors import (
    LineshaftError,
    ServerError,
    ServerUnreachableError,
    StaleLeaseError,
    StoreUnavailableError,
    WorkerNotFoundError,
)
from lineshaft.wire.worker import LeasesAnswer
from scripted_server import lease, living, working

AWAY = ServerUnreachableError("Away.")
STALE = StaleLeaseError("Twice.")
NOTHING = LeasesAnswer()


@pytest.mark.parametrize(
    "error", [AWAY, StoreUnavailableError("The database is away."), ServerError("A page.", status=502)]
)
async def test_a_claim_is_made_again_with_its_token_until_there_is_an_answer(error: LineshaftError) -> None:
    async with working() as scene:
        first = await scene.server.claims.next()
        first.fail(error)
        for _ in range(3):
            (await scene.pauses.next()).end()
            again = await scene.server.claims.next()
            assert again.message == first.message
            again.fail(error)
        (await scene.pauses.next()).end()
        (await scene.server.claims.next()).answer(LeasesAnswer(leases=(lease(1),)))
        assert (await scene.driver.begun()).address == lease(1).address


async def test_a_token_that_has_brought_leases_is_not_used_again() -> None:
    async with working(slots=3) as scene:
        tokens = []
        for number in range(3):
            claim = await scene.server.claims.next()
            tokens.append(claim.message.token)
            claim.answer(LeasesAnswer(leases=(lease(number),)))
            await scene.driver.begun()
        assert None not in tokens
        assert len(set(tokens)) == 3


async def test_a_token_is_kept_while_its_claims_bring_nothing_since_an_earlier_try_may_still_do() -> None:
    async with working() as scene:
        first = await scene.server.claims.next()
        first.answer(NOTHING)
        second = await scene.server.claims.next()
        assert second.message.token == first.message.token


async def test_the_next_session_begins_with_a_token_of_its_own() -> None:
    async with working() as scene:
        former = await scene.server.claims.next()
        former.fail(WorkerNotFoundError("Who?"))
        (await scene.pauses.next()).end()
        await scene.welcome()
        assert (await scene.server.claims.next()).message.token != former.message.token


async def test_a_claim_without_an_answer_is_made_again_although_there_is_no_room_for_more() -> None:
    async with working(slots=2) as scene:
        (work,) = await scene.give(lease(1))
        claim = await scene.server.claims.next()
        claim.fail(AWAY)
        pause = await scene.pauses.next()
        work.end()
        report = await scene.server.reports.next()
        assert report.message.slots == 2
        pause.end()
        again = await scene.server.claims.next()
        assert (again.message.slots, again.message.wait_seconds) == (0, 0)
        assert again.message.token == claim.message.token
        again.answer(LeasesAnswer(leases=(lease(2),)))
        assert (await scene.driver.begun()).address == lease(2).address


async def test_what_a_reports_lost_answer_has_brought_is_asked_for_and_begun() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        report = await scene.server.reports.next()
        report.fail(AWAY)
        (await scene.pauses.next()).end()
        again = await scene.server.reports.next()
        assert again.message.next_token == report.message.next_token
        again.fail(STALE)
        claim = await scene.server.claims.next()
        while claim.message.token != report.message.next_token:
            claim = await scene.server.claims.next()
        assert claim.message.slots == 0
        claim.answer(LeasesAnswer(leases=(lease(2),)))
        assert (await scene.driver.begun()).address == lease(2).address


async def test_a_worker_that_drains_asks_as_long_as_it_takes_what_a_report_has_brought() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        report = await scene.server.reports.next()
        # From now on it claims nothing of its own.
        scene.worker.drain()
        report.fail(AWAY)
        (await scene.pauses.next()).end()
        (await scene.server.reports.next()).fail(STALE)
        for _ in range(3):
            (await scene.server.claims.next()).fail(AWAY)
            (await scene.pauses.next()).end()
        claim = await scene.server.claims.next()
        assert claim.message.token == report.message.next_token
        claim.answer(LeasesAnswer(leases=(lease(2),)))
        (await scene.driver.begun()).end()
        (await scene.server.reports.next()).answer(NOTHING)
        await scene.running


async def test_a_report_that_is_stale_at_its_first_try_has_brought_nothing() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        work.end()
        report = await scene.server.reports.next()
        scene.worker.drain()
        report.fail(STALE)
        await scene.running
        assert scene.server.claims.none_waits()


async def test_a_report_that_asked_for_nothing_has_brought_nothing() -> None:
    async with working(slots=1) as scene:
        (work,) = await scene.give(lease(1))
        scene.worker.drain()
        work.end()
        (await scene.server.reports.next()).fail(AWAY)
        (await scene.pauses.next()).end()
        (await scene.server.reports.next()).fail(STALE)
        await scene.running
        assert scene.server.claims.none_waits()


async def test_each_report_asks_with_a_token_of_its_own() -> None:
    async with working(slots=2) as scene:
        one, two = await scene.give(lease(1), lease(2))
        one.end()
        first = await scene.server.reports.next()
        two.end()
        second = await scene.server.reports.next()
        assert None not in {first.message.next_token, second.message.next_token}
        assert first.message.next_token != second.message.next_token


async def test_leases_that_the_worker_knows_nothing_of_are_not_to_be_prolonged() -> None:
    async with working(slots=2) as scene:
        await scene.give(lease(1))
        (await scene.server.heartbeats.next()).answer(living(lease(1), lease(2)))
        heartbeat = await scene.server.heartbeats.next()
        assert heartbeat.message.unknown == {lease(2).address}
        # Its answer was on the way all the time.
        (await scene.server.claims.next()).answer(LeasesAnswer(leases=(lease(2),)))
        await scene.driver.begun()
        heartbeat.answer(living(lease(1), lease(2)))
        heartbeat = await scene.server.heartbeats.next()
        assert heartbeat.message.unknown == frozenset()
        assert heartbeat.message.tokens == {"token-1", "token-2"}
