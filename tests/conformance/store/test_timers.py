"""Timers: when they are due, and until when they are kept."""

from dataclasses import replace
from datetime import datetime, timedelta

from definitions import definition
from lineshaft.engine.decision import Decision, TimerSet
from lineshaft.model.event import CancelRequested, RunEvent, TimerPurpose
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.ports.store import TIMER_NOTICE, Timer, Transaction
from lineshaft.ports.wakeups import TIMERS
from scene import Scene
from trees import sequence, task

LINE = definition(sequence(task("a"), task("b"), name="line"))
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))
SOON = timedelta(seconds=10)


def setting(scene: Scene, run: Run, *effects: TimerSet) -> Decision:
    """Decide by hand that timers are set."""
    number = run.event_count + 1
    event = RunEvent(number, scene.clock.now(), 1, State.QUEUED, None, 1, None)
    after = replace(run, version=run.version + 1, event_count=number)
    return Decision(after, events=(event,), effects=effects)


async def set_timers(scene: Scene, run: Run, *effects: TimerSet) -> Run:
    decided = setting(scene, run, *effects)
    await scene.store.write(lambda transaction: transaction.runs.save(decided))
    return decided.run


def limit(node: int, due_at: datetime) -> TimerSet:
    return TimerSet(node, TimerPurpose.TIME_LIMIT, due_at)


async def due(scene: Scene, most: int = 100) -> list[Timer]:
    now = scene.clock.now()
    return list(await scene.look(lambda transaction: transaction.timers.due(now, most)))


async def next_due(scene: Scene) -> datetime | None:
    return await scene.look(lambda transaction: transaction.timers.next_due())


async def test_there_is_no_timer_at_first(scene: Scene) -> None:
    await scene.run(LINE)

    assert await next_due(scene) is None
    assert await due(scene) == []


async def test_a_timer_is_due_from_its_time_on(scene: Scene) -> None:
    run = await scene.run(LINE)
    at = scene.clock.now() + SOON
    await set_timers(scene, run, limit(1, at))
    assert (await next_due(scene), await due(scene)) == (at, [])

    scene.clock.advance(SOON)

    assert await due(scene) == [Timer(run.id, 1, TimerPurpose.TIME_LIMIT, at)]


async def test_the_oldest_timers_come_first_and_no_more_than_asked_for(scene: Scene) -> None:
    run = await scene.run(LINE)
    now = scene.clock.now()
    await set_timers(scene, run, limit(0, now + SOON), limit(1, now), limit(2, now + timedelta(seconds=1)))
    scene.clock.advance(SOON)

    assert [timer.node for timer in await due(scene, 2)] == [1, 2]


async def test_a_timer_takes_the_place_of_the_one_before_it(scene: Scene) -> None:
    run = await scene.run(LINE)
    now = scene.clock.now()
    retry = TimerSet(1, TimerPurpose.RETRY, now + SOON)
    run = await set_timers(scene, run, limit(1, now), retry)
    await set_timers(scene, run, limit(1, now + timedelta(days=1)))

    assert await due(scene) == []
    scene.clock.advance(timedelta(days=2))
    assert [timer.purpose for timer in await due(scene)] == [TimerPurpose.RETRY, TimerPurpose.TIME_LIMIT]


async def test_a_timer_that_is_done_is_gone(scene: Scene) -> None:
    run = await scene.run(LINE)
    await set_timers(scene, run, limit(1, scene.clock.now()))
    (timer,) = await due(scene)

    await scene.store.write(lambda transaction: transaction.timers.done(timer))

    assert await due(scene) == []


async def test_a_timer_that_was_set_anew_is_not_done_with_the_old_one(scene: Scene) -> None:
    run = await scene.run(LINE)
    at = scene.clock.now()
    run = await set_timers(scene, run, limit(1, at))
    (timer,) = await due(scene)

    def work(transaction: Transaction) -> None:
        transaction.timers.done(timer)
        transaction.runs.save(setting(scene, run, limit(1, at + SOON)))
        transaction.timers.done(timer)

    await scene.store.write(work)

    assert await next_due(scene) == at + SOON


async def test_timers_end_with_their_run(scene: Scene) -> None:
    run = await scene.run(LINE)
    other = await scene.run(LINE)
    now = scene.clock.now()
    await set_timers(scene, run, limit(0, now), limit(1, now))
    await set_timers(scene, other, limit(0, now))

    await scene.apply(run.id, CANCEL)

    assert [timer.run_id for timer in await due(scene)] == [other.id]


async def test_timers_of_a_transaction_that_ends_their_run_are_not_kept(scene: Scene) -> None:
    run = await scene.run(LINE)

    def work(transaction: Transaction) -> None:
        transaction.runs.save(setting(scene, run, limit(0, scene.clock.now())))
        scene.decide(transaction, run.id, CANCEL)

    await scene.store.write(work)

    assert await next_due(scene) is None


async def test_only_a_timer_that_is_due_soon_wakes_those_who_wait(scene: Scene) -> None:
    run = await scene.run(LINE)
    with scene.store.wakeups.listen(TIMERS) as listener:
        run = await set_timers(scene, run, limit(0, scene.clock.now() + TIMER_NOTICE))
        assert not await listener.wait(timedelta())

        await set_timers(scene, run, limit(1, scene.clock.now() + SOON))
        assert await listener.wait(timedelta(minutes=5))
