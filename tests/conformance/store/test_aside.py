"""Attempts that are kept out of claims, and come back."""

from datetime import timedelta
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.ports.wakeups import QUEUE
from scene import LEASE_TIME, Scene
from waiting_line import WaitingLine, asking

MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta()


async def test_what_is_set_aside_is_not_taken(line: WaitingLine) -> None:
    first, _ = await line.queue("shop", 2)

    await set_aside(line, first)

    assert await line.claim(slots=9) == ["shop 2"]
    assert not await line.scene.look(lambda transaction: transaction.attempts.queued(limit=9))


async def test_what_is_set_aside_comes_back_when_its_time_has_come(line: WaitingLine) -> None:
    (address,) = await line.queue("shop", 1, asking("gpu", cpus=2), priority=7)
    listed = await line.scene.look(lambda transaction: transaction.attempts.queued(limit=9))
    await set_aside(line, address)

    line.wait(MINUTE - timedelta(microseconds=1))
    assert await bring_back(line) == 0
    assert await line.claim(line.worker("gpu")) == []
    line.wait(timedelta(microseconds=1))
    assert await bring_back(line) == 1
    assert await bring_back(line) == 0

    assert await line.scene.look(lambda transaction: transaction.attempts.queued(limit=9)) == listed
    assert await line.claim(line.worker("gpu")) == ["shop 1"]


async def test_only_so_many_come_back_at_once(line: WaitingLine) -> None:
    for address in await line.queue("shop", 3):
        await set_aside(line, address)
    line.wait(MINUTE)

    assert [await bring_back(line, limit=2) for _ in range(3)] == [2, 1, 0]


async def test_a_lease_on_what_is_set_aside_is_dead(line: WaitingLine) -> None:
    (address,) = await line.queue("shop")
    worker = line.worker()
    await line.claim(worker, token="former")
    await set_aside(line, address)

    renewed = await line.store.write(
        lambda transaction: transaction.attempts.renew(
            worker.id, frozenset({"former"}), expires_at=line.scene.clock.now()
        )
    )
    assert renewed == []
    assert not await line.scene.look(lambda transaction: transaction.attempts.held())
    line.wait(2 * LEASE_TIME)
    assert not await line.scene.look(
        lambda transaction: transaction.attempts.expired(line.scene.clock.now(), 9)
    )
    assert await bring_back(line) == 1
    assert await line.claim(worker) == ["shop 1"]


async def test_an_attempt_that_has_ended_is_not_set_aside(line: WaitingLine) -> None:
    (address,) = await line.queue("shop")
    await line.claim()
    await line.end("shop 1")

    await set_aside(line, address)

    line.wait(MINUTE)
    assert await bring_back(line) == 0


async def test_an_attempt_is_set_aside_in_the_transaction_that_queued_it(line: WaitingLine) -> None:
    pipeline = await line.pipeline("shop")
    until = line.scene.clock.now() + MINUTE
    queueing = line.queueing(pipeline)

    await line.store.write(
        lambda transaction: transaction.attempts.set_aside(queueing(transaction)[0], until)
    )

    assert await line.claim() == []


async def test_a_run_is_set_aside_with_all_that_it_has_queued_and_that_workers_hold(
    line: WaitingLine,
) -> None:
    run_id = (await line.queue("shop", 3))[0].run_id
    await line.queue("other")
    assert await line.claim(slots=1) == ["shop 1"]

    assert await set_run_aside(line, run_id) == 3
    assert not await line.scene.look(lambda transaction: transaction.attempts.held())
    assert await line.claim(slots=9) == ["other 1"]
    line.wait(MINUTE)
    assert await bring_back(line) == 3


async def test_what_is_aside_already_comes_back_no_later_for_its_run(line: WaitingLine) -> None:
    first, _ = await line.queue("shop", 2)
    await set_aside(line, first)
    line.wait(MINUTE / 2)

    assert await set_run_aside(line, first.run_id) == 1
    assert await set_run_aside(line, first.run_id) == 0
    line.wait(MINUTE / 2)
    assert await bring_back(line) == 1


async def test_what_comes_back_wakes_the_queue(line: WaitingLine, scene: Scene) -> None:
    (address,) = await line.queue("shop")
    await set_aside(line, address)
    line.wait(MINUTE)
    with scene.store.wakeups.listen(QUEUE) as listener:
        await bring_back(line)
        assert await listener.wait(MINUTE)

        await bring_back(line)
        assert not await listener.wait(AT_ONCE)


async def set_aside(line: WaitingLine, address: AttemptAddress) -> None:
    until = line.scene.clock.now() + MINUTE
    await line.store.write(lambda transaction: transaction.attempts.set_aside(address, until))


async def set_run_aside(line: WaitingLine, run_id: UUID) -> int:
    until = line.scene.clock.now() + MINUTE
    return await line.store.write(lambda transaction: transaction.attempts.set_run_aside(run_id, until))


async def bring_back(line: WaitingLine, limit: int = 9) -> int:
    now = line.scene.clock.now()
    return await line.store.write(lambda transaction: transaction.attempts.bring_back(now, limit))
