from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from definitions import definition, read_definition, wide
from lineshaft.engine.advance import advance
from lineshaft.engine.decision import Decision
from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.event import AttemptLost, CancelRequested, RunStarted, SourceResolved
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import open_store
from scene import Scene
from trees import parallel, sequence, task

LINE = definition(sequence(task("a"), task("b"), task("c"), name="line"))
NESTED = definition(
    sequence(
        task("first"),
        parallel(task("left"), sequence(task("r1"), task("r2"), name="right"), name="both"),
        sequence(name="empty"),
        task("last", WorkKind.DEPLOY),
        name="nested",
    ),
    repository="https://example.org/shop.git",
)
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))


async def test_the_pipeline_of_a_run_is_found_without_the_run(scene: Scene) -> None:
    pipeline = await scene.pipeline(definition(sequence(task("a"))))
    run = await scene.waiting_run(pipeline)

    assert await scene.look(lambda transaction: transaction.runs.pipeline_of(run.id)) == pipeline.id
    assert await scene.look(lambda transaction: transaction.runs.pipeline_of(scene.ids.new_id())) is None


async def test_a_created_run_is_found_as_it_was(scene: Scene) -> None:
    run = await scene.waiting_run(await scene.pipeline(NESTED))

    assert await scene.look(lambda transaction: transaction.runs.get(run.id)) == run


async def test_an_unknown_id_finds_no_run(scene: Scene) -> None:
    assert await scene.look(lambda transaction: transaction.runs.get(scene.ids.new_id())) is None
    assert await scene.store.write(lambda transaction: transaction.runs.get(scene.ids.new_id())) is None


async def test_within_its_transaction_a_run_is_found_as_last_saved(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)

    def work(transaction: Transaction) -> tuple[Run, Run | None]:
        run = scene.create(transaction, pipeline)
        decided = scene.decide(transaction, run.id, RunStarted()).run
        return decided, transaction.runs.get(run.id)

    decided, found = await scene.store.write(work)

    assert found is decided
    assert found.state is State.QUEUED


async def test_a_decision_without_consequence_may_be_saved(scene: Scene) -> None:
    run = await scene.run(LINE)

    def work(transaction: Transaction) -> None:
        stored = transaction.runs.get(run.id)
        assert stored is not None
        transaction.runs.save(Decision(stored))

    await scene.store.write(work)

    assert await scene.look(lambda transaction: transaction.runs.get(run.id)) == run


async def test_a_decision_about_an_old_state_is_not_written(url: str) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    store = await open_store(url, ids=RandomIds(), read_definition=read_definition, sleep=sleep)
    scene = Scene(store)
    old = await scene.waiting_run(await scene.pipeline(LINE))
    begun = await scene.apply(old.id, RunStarted())

    def work(transaction: Transaction) -> None:
        transaction.runs.save(advance(old, CANCEL, scene.clock.now()))

    with pytest.raises(StoreUnavailableError):
        await store.write(work)

    assert waits
    assert await scene.look(lambda transaction: transaction.runs.get(old.id)) == begun
    await store.close()


async def test_several_events_of_one_transaction_are_all_kept(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)

    def work(transaction: Transaction) -> Run:
        run = scene.create(transaction, pipeline)
        scene.decide(transaction, run.id, RunStarted())
        return scene.decide(transaction, run.id, CANCEL).run

    run = await scene.store.write(work)

    assert run.state is State.CANCELLED
    assert await scene.look(lambda transaction: transaction.runs.get(run.id)) == run
    events = await scene.look(lambda transaction: transaction.runs.events(run.id, after=0, limit=100))
    assert [event.number for event in events] == list(range(1, run.event_count + 1))
    assert await scene.claim(9) == []


async def test_what_a_run_goes_through_survives_a_restart(durable_url: str) -> None:
    first = await open_store(durable_url, ids=RandomIds(), read_definition=read_definition)
    runs = await through_everything(Scene(first))
    await first.close()

    second = await open_store(durable_url, ids=RandomIds(), read_definition=read_definition)
    for run in runs:
        assert second.recent(run.id) is None
        assert_equal(await second.read(partial(get, run_id=run.id)), run)
    await second.close()


def get(transaction: Transaction, run_id: UUID) -> Run | None:
    return transaction.runs.get(run_id)


async def through_everything(scene: Scene) -> list[Run]:
    """Bring runs into as many different situations as there are."""
    pipeline = await scene.pipeline(NESTED)
    waiting = await scene.waiting_run(pipeline)
    failed = await scene.waiting_run(pipeline, retry_of=waiting.id)
    await scene.apply(failed.id, RunStarted())
    scene.clock.advance(timedelta(seconds=1, microseconds=1))
    (held,) = await scene.claim()
    await scene.apply(failed.id, SourceResolved("c0ffee"))
    failed = await scene.report(held, State.FAILED)
    half = await scene.waiting_run(pipeline)
    await scene.apply(half.id, RunStarted())
    (held,) = await scene.claim()
    await scene.report(held)
    (left, right) = await scene.claim(2)
    await scene.apply(half.id, AttemptLost(left.address.node, left.address.attempt, left.token))
    await scene.report(right)
    await scene.claim()
    half = await scene.apply(half.id, CANCEL)
    return [waiting, failed, half]


def assert_equal(found: Run | None, expected: Run) -> None:
    assert found is not None
    assert list(found.nodes) == list(expected.nodes)
    assert found.tree.places == expected.tree.places
    for name in Run.__dataclass_fields__:
        if name != "tree":
            assert getattr(found, name) == getattr(expected, name), name


async def test_unended_lists_what_has_not_ended_oldest_first(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)
    other = await scene.run(LINE)
    first, second, third = [await scene.waiting_run(pipeline) for _ in range(3)]
    begun = await scene.apply(third.id, RunStarted())
    await scene.apply(second.id, CANCEL)

    unended = await scene.store.write(lambda transaction: transaction.runs.unended(pipeline.id))

    assert list(unended) == [first, begun]
    assert other not in unended


async def test_unended_sees_what_its_own_transaction_has_done(scene: Scene) -> None:
    pipeline = await scene.pipeline(LINE)
    first = await scene.waiting_run(pipeline)

    def work(transaction: Transaction) -> list[Run]:
        scene.decide(transaction, first.id, CANCEL)
        second = scene.create(transaction, pipeline)
        assert transaction.runs.unended(pipeline.id) == [second]
        scene.decide(transaction, second.id, RunStarted())
        return list(transaction.runs.unended(pipeline.id))

    (found,) = await scene.store.write(work)

    assert found.state is State.QUEUED
    assert await scene.look(lambda transaction: transaction.runs.unended(pipeline.id)) == [found]


async def test_pages_go_through_a_pipelines_runs_newest_first(scene: Scene) -> None:
    pipeline = await scene.pipeline(NESTED)
    runs = [await scene.waiting_run(pipeline) for _ in range(5)]
    runs[3] = await scene.apply(runs[3].id, RunStarted())
    await scene.run(NESTED)

    first = await scene.look(lambda transaction: transaction.runs.page(pipeline.id, before=None, limit=3))
    second = await scene.look(lambda transaction: transaction.runs.page(pipeline.id, before=3, limit=3))

    assert list(first) == [runs[4], runs[3], runs[2]]
    assert list(second) == [runs[1], runs[0]]


async def test_a_page_of_runs_that_no_memory_holds_is_complete(durable_url: str) -> None:
    first = await open_store(durable_url, ids=RandomIds(), read_definition=read_definition)
    runs = await through_everything(Scene(first))
    await first.close()

    second = await open_store(durable_url, ids=RandomIds(), read_definition=read_definition)
    pipeline_id = runs[0].pipeline_id
    page = await second.read(lambda transaction: transaction.runs.page(pipeline_id, before=None, limit=9))
    for found, expected in zip(page, reversed(runs), strict=True):
        assert_equal(found, expected)
    await second.close()


async def test_events_are_listed_in_order_from_behind_a_number(scene: Scene) -> None:
    run = await scene.run(LINE)
    (held,) = await scene.claim()
    scene.clock.advance(timedelta(seconds=3))
    run = await scene.report(held, State.FAILED)

    events = await scene.look(lambda transaction: transaction.runs.events(run.id, after=0, limit=100))
    some = await scene.look(lambda transaction: transaction.runs.events(run.id, after=2, limit=3))

    assert [event.number for event in events] == list(range(1, run.event_count + 1))
    assert list(some) == list(events[2:5])
    (ended,) = [event for event in events if event.node == 0 and event.state.ended]
    assert (ended.state, ended.reason, ended.at) == (State.FAILED, run.root.reason, scene.clock.now())
    (task_ended,) = [event for event in events if event.node == 1 and event.state.ended]
    assert task_ended.attempt == 1


async def test_events_of_this_transaction_are_listed(scene: Scene) -> None:
    run = await scene.run(LINE)

    def work(transaction: Transaction) -> tuple[Run, int]:
        decided = scene.decide(transaction, run.id, CANCEL).run
        return decided, len(transaction.runs.events(run.id, after=0, limit=100))

    decided, count = await scene.store.write(work)

    assert count == decided.event_count > run.event_count


async def test_only_a_store_that_nobody_else_writes_remembers_for_certain(scene: Scene, url: str) -> None:
    run = await scene.run(LINE)

    assert scene.store.recent(run.id) == (None if url.startswith("postgresql") else run)


async def test_remembered_events_are_those_that_were_recorded(scene: Scene) -> None:
    run = await scene.run(LINE)
    await scene.report((await scene.claim())[0])
    recorded = await scene.look(lambda transaction: transaction.runs.events(run.id, after=0, limit=100))

    for after in range(len(recorded) + 1):
        remembered = scene.store.recent_events(run.id, after)
        assert remembered is None or list(remembered) == list(recorded[after:])


@pytest.mark.parametrize("private_url", ["sqlite://", "sqlite:///{}/lineshaft.db"])
async def test_the_last_events_are_remembered_and_more_than_these_are_not_made_up(
    private_url: str, tmp_path: Path
) -> None:
    store = await open_store(private_url.format(tmp_path), ids=RandomIds(), read_definition=read_definition)
    scene = Scene(store)
    run = await scene.run(wide(200))
    cancelled = await scene.apply(run.id, CANCEL)

    last = store.recent_events(run.id, cancelled.event_count - 1)
    assert last is not None
    assert [event.number for event in last] == [cancelled.event_count]
    assert store.recent_events(run.id, cancelled.event_count) == ()
    assert store.recent_events(run.id, 0) is None
    await store.close()


@pytest.mark.parametrize("private_url", ["sqlite://", "sqlite:///{}/lineshaft.db"])
async def test_a_remembered_run_is_the_one_that_was_committed_last(private_url: str, tmp_path: Path) -> None:
    url = private_url.format(tmp_path)
    store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    scene = Scene(store)
    run = await scene.run(LINE)
    await scene.look(lambda transaction: transaction.runs.get(run.id))
    cancelled = await scene.apply(run.id, CANCEL)

    assert store.recent(run.id) is cancelled
    await store.close()


async def test_a_run_that_was_read_after_a_restart_is_remembered(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lineshaft.db"
    first = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    run = await Scene(first).run(LINE)
    await first.close()

    second = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    found = await second.read(lambda transaction: transaction.runs.get(run.id))
    assert found is not None
    assert second.recent(run.id) is found
    await second.close()


async def test_a_run_of_many_nodes_is_kept_whole(scene: Scene) -> None:
    run = await scene.run(wide(1000))
    claimed = await scene.claim(1000)
    assert [held.address.node for held in claimed] == list(range(1, 1001))
    last = run

    def work(transaction: Transaction) -> None:
        nonlocal last
        for held in claimed:
            last = scene.reporting(held)(transaction)

    await scene.store.write(work)

    assert last.state is State.SUCCEEDED
    assert await scene.look(lambda transaction: transaction.runs.get(run.id)) == last
