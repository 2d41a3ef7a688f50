import asyncio
from datetime import timedelta

import pytest

from definitions import wide
from lineshaft.model.event import CancelRequested
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.user import User
from lineshaft.ports.store import OutboxEntry, Transaction
from lineshaft.ports.wakeups import OUTBOX, QUEUE, log_topic, run_topic, worker_topic
from scene import Scene

AT_ONCE = timedelta()
LONG = timedelta(minutes=1)
THREE = wide(3)
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))


async def test_a_topic_is_woken_by_the_commit(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell") as listener:
        await scene.store.write(lambda transaction: transaction.wake("bell"))

        assert await listener.wait(AT_ONCE)


async def test_whoever_waits_is_woken(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell", "horn") as listener:
        waiting = asyncio.create_task(listener.wait(LONG))
        await asyncio.sleep(0)
        await scene.store.write(lambda transaction: transaction.wake("horn"))

        assert await waiting


async def test_several_wake_ups_count_as_one(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell", "horn") as listener:
        await scene.store.write(lambda transaction: transaction.wake("bell"))
        await scene.store.write(lambda transaction: transaction.wake("horn"))

        assert await listener.wait(AT_ONCE)
        assert not await listener.wait(AT_ONCE)


async def test_other_topics_wake_nobody(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell") as listener:
        await scene.store.write(lambda transaction: transaction.wake("horn"))

        assert not await listener.wait(AT_ONCE)


async def test_waiting_ends_when_the_time_is_up(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell") as listener:
        assert not await listener.wait(timedelta(milliseconds=1))


async def test_a_wait_that_was_given_up_loses_no_wake_up(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell") as listener:
        waiting = asyncio.create_task(listener.wait(LONG))
        await asyncio.sleep(0)
        scene.store.wakeups.wake(frozenset({"bell"}))
        waiting.cancel()
        await asyncio.wait([waiting])

        assert await listener.wait(AT_ONCE)


async def test_a_context_that_was_left_hears_nothing_more(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell", "bell") as listener:
        pass
    scene.store.wakeups.wake(frozenset({"bell"}))

    assert not await listener.wait(AT_ONCE)


async def test_nobody_is_woken_before_the_commit(scene: Scene) -> None:
    with scene.store.wakeups.listen("bell") as listener:

        def work(transaction: Transaction) -> None:
            transaction.users.put(User("ann", ""))
            transaction.wake("bell")
            raise KeyError

        with pytest.raises(KeyError):
            await scene.store.write(work)

        assert not await listener.wait(AT_ONCE)


async def test_who_was_woken_finds_what_was_committed(scene: Scene) -> None:
    with scene.store.wakeups.listen(OUTBOX) as listener:
        entry = OutboxEntry(scene.ids.new_id(), "mail", {})
        write = asyncio.create_task(
            scene.store.write(lambda transaction: transaction.outbox.add(entry, scene.clock.now()))
        )

        assert await listener.wait(LONG)
        found = await scene.look(lambda transaction: transaction.outbox.due(scene.clock.now(), 9))
        assert found == [entry]
        await write


async def test_a_queued_attempt_wakes_the_queue_and_the_run(scene: Scene) -> None:
    with scene.store.wakeups.listen(QUEUE) as queue:
        run = await scene.run(THREE)
        assert await queue.wait(AT_ONCE)

        with scene.store.wakeups.listen(run_topic(run.id)) as of_run:
            await scene.claim()
            assert await of_run.wait(AT_ONCE)
            assert not await queue.wait(AT_ONCE)


async def test_an_attempt_that_is_to_stop_wakes_its_worker(scene: Scene) -> None:
    run = await scene.run(THREE)
    await scene.claim()
    stranger = Scene(scene.store)

    with (
        scene.store.wakeups.listen(worker_topic(scene.worker_id)) as worker,
        scene.store.wakeups.listen(worker_topic(stranger.worker_id)) as another,
    ):
        await scene.apply(run.id, CANCEL)

        assert await worker.wait(AT_ONCE)
        assert not await another.wait(AT_ONCE)


async def test_an_ended_attempt_wakes_its_log_and_the_outbox(scene: Scene) -> None:
    await scene.run(THREE)
    (held,) = await scene.claim()
    await scene.store.write(lambda transaction: transaction.logs.append(held.address, held.token, 0, b"abc"))

    with (
        scene.store.wakeups.listen(log_topic(held.address)) as log,
        scene.store.wakeups.listen(OUTBOX) as outbox,
    ):
        await scene.report(held)

        assert await log.wait(AT_ONCE)
        assert await outbox.wait(AT_ONCE)


async def test_an_append_wakes_its_log(scene: Scene) -> None:
    await scene.run(THREE)
    held, other = await scene.claim(2)

    with (
        scene.store.wakeups.listen(log_topic(held.address)) as log,
        scene.store.wakeups.listen(log_topic(other.address)) as another,
    ):
        await scene.store.write(
            lambda transaction: transaction.logs.append(held.address, held.token, 0, b"abc")
        )

        assert await log.wait(AT_ONCE)
        assert not await another.wait(AT_ONCE)
