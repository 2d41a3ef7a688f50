"""Two stores over one PostgreSQL database, as two replicas of the server have them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from conformance.store.other_process import meanwhile
from definitions import definition, read_definition, wide
from lineshaft.model.event import CancelRequested, RunStarted
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.user import User
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import SqlStore, open_store
from scene import Scene
from trees import sequence, task

AT_ONCE = timedelta()
LONG = timedelta(minutes=1)
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))


async def opened(url: str) -> SqlStore:
    return await open_store(url, ids=RandomIds(), read_definition=read_definition)


@pytest.fixture
async def here(postgres_url: str) -> AsyncIterator[Scene]:
    store = await opened(postgres_url)
    yield Scene(store)
    await store.close()


@pytest.fixture
async def there(postgres_url: str) -> AsyncIterator[Scene]:
    store = await opened(postgres_url)
    yield Scene(store)
    await store.close()


async def test_each_sees_what_the_other_has_written(here: Scene, there: Scene) -> None:
    run = await here.run(definition(sequence(task("only"), name="one")))
    (held,) = await there.claim()
    claimed = await here.look(lambda transaction: transaction.runs.get(run.id))
    assert claimed is not None
    assert claimed.nodes[1].state is State.RUNNING

    ended = await there.report(held)

    found = await here.look(lambda transaction: transaction.runs.get(run.id))
    assert found is not None
    assert (found.state, list(found.nodes), found.version) == (
        State.SUCCEEDED,
        list(ended.nodes),
        ended.version,
    )


async def test_a_report_to_the_process_that_knows_an_older_state_counts(here: Scene, there: Scene) -> None:
    run = await here.run(definition(sequence(task("only"), name="one")))
    (held,) = await there.claim()

    ended = await here.report(held)

    assert ended.id == run.id
    assert ended.state is State.SUCCEEDED


async def test_reports_to_both_at_once_all_count(here: Scene, there: Scene) -> None:
    run = await here.run(wide(40))
    claimed = await here.claim(40)

    await asyncio.gather(*((here, there)[number % 2].report(held) for number, held in enumerate(claimed)))

    for scene in (here, there):
        found = await scene.look(lambda transaction: transaction.runs.get(run.id))
        assert found is not None
        assert found.state is State.SUCCEEDED
        events = await scene.look(lambda transaction: transaction.runs.events(run.id, after=0, limit=999))
        assert [event.number for event in events] == list(range(1, found.event_count + 1))


async def test_reports_on_many_runs_to_both_at_once_all_count_whatever_their_order(
    here: Scene, there: Scene
) -> None:
    runs = [await here.run(wide(6)) for _ in range(5)]
    claimed = await here.claim(30)

    reports = [(here, there)[number % 2].report(held) for number, held in enumerate(claimed)]
    # The two go through the runs in opposite orders, so that each waits for what the other has.
    await asyncio.gather(*reports[::2], *reversed(reports[1::2]))

    for run in runs:
        ended = await here.look(partial(_run, run_id=run.id))
        assert ended is not None
        assert ended.state is State.SUCCEEDED


def _run(transaction: Transaction, run_id: UUID) -> Run | None:
    return transaction.runs.get(run_id)


async def test_a_write_that_finds_a_run_changed_is_run_again_on_what_it_is_now(
    here: Scene, postgres_url: str
) -> None:
    run = await here.run(wide(2))
    first, second = await here.claim(2)
    seen: list[int] = []

    def work(transaction: Transaction) -> Run:
        found = transaction.runs.get(run.id)
        assert found is not None
        seen.append(found.version)
        if len(seen) == 1:
            # The other process reports between this one's look and its commit.
            meanwhile(postgres_url, lambda store: store.write(here.reporting(second)))
        return here.reporting(first)(transaction)

    ended = await here.store.write(work)

    assert len(seen) == 2
    assert seen[1] == seen[0] + 1
    assert ended.state is State.SUCCEEDED


async def test_claims_by_both_at_once_share_the_queue(here: Scene, there: Scene) -> None:
    await here.run(wide(60))

    claims = await asyncio.gather(*((here, there)[number % 2].claim(3) for number in range(30)))

    addresses = [held.address for claim in claims for held in claim]
    assert len(addresses) == len(set(addresses)) == 60


async def test_triggers_at_both_at_once_get_a_number_each(here: Scene, there: Scene) -> None:
    pipeline = await here.pipeline(definition(sequence(task("only"), name="one")))

    runs = await asyncio.gather(*((here, there)[number % 2].waiting_run(pipeline) for number in range(20)))

    assert sorted(run.number for run in runs) == list(range(1, 21))


async def test_who_asks_for_the_unended_waits_for_another_who_has_asked(
    here: Scene, postgres_url: str
) -> None:
    pipeline = await here.pipeline(definition(sequence("only", name="one")))
    going = await here.waiting_run(pipeline)
    await here.apply(going.id, RunStarted())
    held_up_or_done = threading.Event()

    async def held_up(_seconds: float) -> None:
        held_up_or_done.set()
        await asyncio.sleep(0)

    async def trigger_there() -> None:
        store = await open_store(
            postgres_url, ids=RandomIds(), read_definition=read_definition, sleep=held_up
        )
        await store.write(trigger)
        held_up_or_done.set()
        await store.close()

    def trigger(transaction: Transaction) -> None:
        here.create(transaction, pipeline)
        begin_next(transaction)

    def end(transaction: Transaction) -> None:
        here.decide(transaction, going.id, CANCEL)
        begin_next(transaction)
        other.start()
        held_up_or_done.wait()

    def begin_next(transaction: Transaction) -> None:
        unended = transaction.runs.unended(pipeline.id).runs
        if unended and all(run.state is State.WAITING for run in unended):
            here.decide(transaction, unended[0].id, RunStarted())

    other = threading.Thread(target=lambda: asyncio.run(trigger_there()))
    await here.store.write(end)
    await asyncio.to_thread(other.join)

    (run,) = await here.look(lambda transaction: transaction.runs.unended(pipeline.id).runs)
    assert run.state is State.QUEUED


async def test_one_of_two_workers_of_one_name_replaces_the_other(here: Scene, there: Scene) -> None:
    now = here.clock.now()
    offer = Offer(frozenset({WorkKind.RUN}), Capacity(1))
    workers = [Worker(here.ids.new_id(), "ann", offer, now, now) for _ in range(2)]

    former = await asyncio.gather(
        here.store.write(lambda transaction: transaction.workers.register(workers[0])),
        there.store.write(lambda transaction: transaction.workers.register(workers[1])),
    )

    (left,) = await here.look(lambda transaction: transaction.workers.all())
    (gone,) = [worker for worker in workers if worker != left]
    assert sorted(former, key=str) == sorted([gone.id, None], key=str)


async def test_a_commit_wakes_the_listeners_of_the_other(here: Scene, there: Scene) -> None:
    with there.store.wakeups.listen("bell") as listener:
        await here.store.write(lambda transaction: transaction.wake("bell"))

        assert await listener.wait(LONG)


async def test_topics_that_fill_several_notifications_are_all_woken(here: Scene, there: Scene) -> None:
    topics = [f"{'long ' * 30}{number}" for number in range(200)]
    with (
        there.store.wakeups.listen(topics[0]) as first,
        there.store.wakeups.listen(topics[-1]) as last,
    ):

        def work(transaction: Transaction) -> None:
            for topic in topics:
                transaction.wake(topic)

        await here.store.write(work)

        assert await first.wait(LONG)
        assert await last.wait(LONG)


async def test_a_commit_wakes_its_own_process_once(here: Scene, there: Scene) -> None:
    with here.store.wakeups.listen("bell") as own, there.store.wakeups.listen("bell") as other:
        await here.store.write(lambda transaction: transaction.wake("bell"))
        assert await own.wait(AT_ONCE)

        # Notifications come in the order of the commits, so the first one's has come when the second's has.
        assert await other.wait(LONG)
        with here.store.wakeups.listen("horn") as horn:
            await there.store.write(lambda transaction: transaction.wake("horn"))
            assert await horn.wait(LONG)
        assert not await own.wait(AT_ONCE)


async def test_a_read_sees_nothing_of_a_write_under_way(here: Scene, postgres_url: str) -> None:
    seen: list[bool] = []

    def work(transaction: Transaction) -> None:
        put("ann")(transaction)
        seen.append(meanwhile(postgres_url, lambda store: store.read(has("ann"))))

    await here.store.write(work)

    assert seen == [False]


def put(name: str) -> Callable[[Transaction], None]:
    return lambda transaction: transaction.users.put(User(name, ""))


def has(name: str) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.users.get(name) is not None
