"""What may be removed, that it is removed in parts, and that all else stays."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from definitions import definition, wide
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import CancelRequested, RunStarted
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.ports.store import DELETE_BLOBS, EndedRun, Transaction
from scene import Held, Scene
from trees import sequence, task

ONE = definition(sequence(task("only"), name="one"))
OTHER = definition(sequence(task("other"), name="other"))
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))
HOUR = timedelta(hours=1)
ALL = 10_000


async def ended_run(scene: Scene, pipeline: Pipeline, log: bytes = b"hello\n") -> Run:
    """Run a pipeline to its end, and let an hour pass."""
    run = await scene.waiting_run(pipeline)
    await scene.apply(run.id, RunStarted())
    for held in await scene.claim(ALL):
        await append(scene, held, log)
        run = await scene.report(held)
    assert run.state.ended
    scene.clock.advance(HOUR)
    return run


async def append(scene: Scene, held: Held, data: bytes) -> None:
    await scene.store.write(lambda transaction: transaction.logs.append(held.address, held.token, 0, data))


async def ended(scene: Scene, *, after: EndedRun | None = None, limit: int = ALL) -> list[EndedRun]:
    now = scene.clock.now()
    return list(
        await scene.look(lambda transaction: transaction.retention.ended(now, after=after, limit=limit))
    )


async def may_go(scene: Scene) -> list[UUID]:
    return [run.run_id for run in await ended(scene)]


async def surplus(scene: Scene, pipeline: Pipeline, keep: int, limit: int = ALL) -> list[UUID]:
    return list(await scene.look(lambda transaction: transaction.retention.surplus(pipeline.id, keep, limit)))


async def remove(scene: Scene, run_id: UUID, limit: int = ALL) -> bool:
    now = scene.clock.now()
    return await scene.store.write(lambda transaction: transaction.retention.remove_run(run_id, now, limit))


async def remove_logs(scene: Scene, run_id: UUID, limit: int = ALL) -> bool:
    now = scene.clock.now()
    return await scene.store.write(lambda transaction: transaction.retention.remove_logs(run_id, now, limit))


async def find(scene: Scene, run_id: UUID) -> Run | None:
    return await scene.look(lambda transaction: transaction.runs.get(run_id))


async def chunk(scene: Scene, address: AttemptAddress) -> bytes:
    return await scene.look(lambda transaction: transaction.logs.chunk(address, 0))


async def count_events(scene: Scene, run_id: UUID) -> int:
    events = await scene.look(lambda transaction: transaction.runs.events(run_id, after=0, limit=ALL))
    return len(events)


async def test_ended_runs_are_listed_by_their_end_but_for_the_newest(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    runs = [await ended_run(scene, pipeline) for _ in range(4)]

    first = await ended(scene, limit=2)

    assert [run.run_id for run in first] == [run.id for run in runs[:2]]
    assert [run.run_id for run in await ended(scene, after=first[-1])] == [runs[2].id]


async def test_a_run_that_ended_later_is_not_listed(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    old = await ended_run(scene, pipeline)
    before = scene.clock.now()
    await ended_run(scene, pipeline)
    await ended_run(scene, pipeline)

    listed = await scene.look(lambda transaction: transaction.retention.ended(before, after=None, limit=ALL))
    assert [run.run_id for run in listed] == [old.id]


async def test_a_run_that_has_not_ended_is_never_removed(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    going = await scene.waiting_run(pipeline)
    await scene.apply(going.id, RunStarted())
    await scene.waiting_run(pipeline)

    assert await may_go(scene) == []
    assert await remove(scene, going.id)
    assert await find(scene, going.id) is not None


async def test_the_newest_run_of_a_pipeline_is_never_removed(scene: Scene) -> None:
    newest = await ended_run(scene, await scene.pipeline(ONE))

    assert await may_go(scene) == []
    assert await remove(scene, newest.id)
    assert await find(scene, newest.id) is not None


async def test_the_newest_run_of_a_deleted_pipeline_may_go(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    run = await ended_run(scene, pipeline)
    at = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.pipelines.remove(pipeline.id, at))

    assert await may_go(scene) == [run.id]


@pytest.mark.parametrize("called_by_it", [True, False])
async def test_a_run_that_is_bound_to_one_that_has_not_ended_stays(
    scene: Scene, *, called_by_it: bool
) -> None:
    pipeline = await scene.pipeline(ONE)

    def create(transaction: Transaction, parent: AttemptAddress | None) -> Run:
        run = replace(scene.new_run(transaction, pipeline), parent=parent)
        transaction.runs.create(run)
        return run

    caller = await scene.store.write(lambda transaction: create(transaction, None))
    called = await scene.store.write(lambda transaction: create(transaction, AttemptAddress(caller.id, 1, 1)))
    await ended_run(scene, pipeline)
    first, second = (called, caller) if called_by_it else (caller, called)
    await scene.apply(first.id, CANCEL)
    scene.clock.advance(HOUR)

    assert await may_go(scene) == []
    assert await remove(scene, first.id)
    assert await find(scene, first.id) is not None
    await scene.apply(second.id, CANCEL)
    scene.clock.advance(HOUR)
    assert set(await may_go(scene)) == {caller.id, called.id}


async def test_only_the_newest_ended_runs_of_a_pipeline_are_no_surplus(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    runs = [await ended_run(scene, pipeline) for _ in range(5)]
    await scene.waiting_run(pipeline)

    assert await surplus(scene, pipeline, 2) == [run.id for run in runs[:3]]
    assert await surplus(scene, pipeline, 2, limit=1) == [runs[0].id]
    assert await surplus(scene, pipeline, 5) == []
    assert await surplus(scene, await scene.pipeline(OTHER), 1) == []


async def test_a_removed_run_is_found_by_nobody(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    run = await ended_run(scene, pipeline)
    kept = await ended_run(scene, pipeline)
    address = AttemptAddress(run.id, 1, 1)

    assert await remove(scene, run.id)

    assert await find(scene, run.id) is None
    assert scene.store.recent(run.id) is None
    page = await scene.look(lambda transaction: transaction.runs.page(pipeline.id, before=None, limit=9))
    assert [each.id for each in page] == [kept.id]
    assert await count_events(scene, run.id) == 0
    assert await scene.look(lambda transaction: transaction.logs.state(address)) is None
    assert await chunk(scene, address) == b""
    assert await remove(scene, run.id)


async def test_a_large_run_is_removed_in_parts(scene: Scene) -> None:
    pipeline = await scene.pipeline(wide(30))
    run = await ended_run(scene, pipeline)
    await ended_run(scene, pipeline)
    events = await count_events(scene, run.id)

    parts = 1
    while not await remove(scene, run.id, limit=10):
        assert await find(scene, run.id) is not None
        parts += 1

    assert parts == (30 + 30 + events) // 10 + 1
    assert await find(scene, run.id) is None


async def test_the_blobs_of_a_removed_run_are_handed_to_the_outbox_with_it(scene: Scene) -> None:
    pipeline = await scene.pipeline(wide(2))
    run = await ended_run(scene, pipeline)
    await ended_run(scene, pipeline)

    await remove(scene, run.id, limit=1)
    await remove(scene, run.id)

    now = scene.clock.now()
    entries = await scene.look(lambda transaction: transaction.outbox.due(now, ALL))
    keys = [entry.payload["keys"] for entry in entries if entry.kind == DELETE_BLOBS]
    assert keys == [[f"logs/{run.id}/1-1"], [f"logs/{run.id}/2-1"]]


async def test_a_run_without_logs_has_no_blobs(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    run = await ended_run(scene, pipeline, log=b"")
    await ended_run(scene, pipeline, log=b"")

    await remove(scene, run.id)

    now = scene.clock.now()
    assert await scene.look(lambda transaction: transaction.outbox.due(now, ALL)) == []


async def test_logs_are_removed_and_the_run_stays(scene: Scene) -> None:
    run = await ended_run(scene, await scene.pipeline(ONE))
    address = AttemptAddress(run.id, 1, 1)
    now = scene.clock.now()

    def with_logs(transaction: Transaction) -> list[UUID]:
        return list(transaction.retention.with_logs(now, ALL))

    assert await scene.look(with_logs) == [run.id]
    assert not await remove_logs(scene, run.id, limit=1)
    while not await remove_logs(scene, run.id, limit=1):
        pass

    assert await scene.look(with_logs) == []
    state = await scene.look(lambda transaction: transaction.logs.state(address))
    assert state is not None
    assert (state.removed, state.blob, state.size_bytes) == (True, None, 6)
    assert await chunk(scene, address) == b""
    assert await find(scene, run.id) == run


async def test_the_logs_of_a_run_that_has_not_ended_stay(scene: Scene) -> None:
    run = await scene.run(ONE)
    (held,) = await scene.claim()
    await append(scene, held, b"hello\n")

    assert await remove_logs(scene, run.id)

    assert await chunk(scene, held.address) == b"hello\n"


async def test_a_log_that_was_removed_is_not_sealed_any_more(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    pruned = await ended_run(scene, pipeline)
    removed = await ended_run(scene, pipeline)
    await ended_run(scene, pipeline)
    await remove_logs(scene, pruned.id)
    await remove(scene, removed.id)

    for run in (pruned, removed):
        assert not await scene.store.write(sealing(AttemptAddress(run.id, 1, 1)))


def sealing(address: AttemptAddress) -> Callable[[Transaction], bool]:
    return lambda transaction: transaction.logs.seal(address, "logs/x")


async def test_a_deleted_pipeline_goes_when_its_last_run_has_gone(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    kept = await scene.pipeline(OTHER)
    run = await ended_run(scene, pipeline)
    at = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.pipelines.remove(pipeline.id, at))

    async def remove_pipelines() -> int:
        return await scene.store.write(lambda transaction: transaction.retention.remove_pipelines(ALL))

    assert await remove_pipelines() == 0
    await remove(scene, run.id)
    assert await remove_pipelines() == 1
    listed = await scene.look(lambda transaction: transaction.retention.pipelines(after=None, limit=ALL))
    assert list(listed) == [kept.id]


async def test_a_definition_goes_when_nothing_refers_to_it_any_more(scene: Scene) -> None:
    pipeline = await scene.pipeline(ONE)
    run = await ended_run(scene, pipeline)
    at = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.pipelines.remove(pipeline.id, at))

    async def remove_definitions() -> str | None:
        return await scene.store.write(
            lambda transaction: transaction.retention.remove_definitions(after="", limit=ALL)
        )

    async def is_stored() -> bool:
        found = await scene.look(lambda transaction: transaction.definition(ONE.hash))
        return found is not None

    await remove(scene, run.id)
    assert await remove_definitions() == ONE.hash
    assert await is_stored()
    await scene.store.write(lambda transaction: transaction.retention.remove_pipelines(ALL))
    await remove_definitions()
    assert not await is_stored()
    assert await remove_definitions() is None


async def test_a_definition_that_was_removed_can_come_again(scene: Scene) -> None:
    await scene.store.write(lambda transaction: transaction.keep_definition(ONE))
    await scene.store.write(lambda transaction: transaction.retention.remove_definitions(after="", limit=ALL))

    run = await scene.run(ONE)

    assert await find(scene, run.id) == run


async def test_nothing_of_other_runs_is_touched(scene: Scene) -> None:
    pipeline = await scene.pipeline(wide(3))
    runs = [await ended_run(scene, pipeline) for _ in range(3)]
    going = await scene.run(OTHER)

    await remove(scene, runs[1].id)

    for run in (runs[0], runs[2], going):
        assert await find(scene, run.id) == run
        assert await count_events(scene, run.id) == run.event_count
    for node in (1, 2, 3):
        assert await chunk(scene, AttemptAddress(runs[0].id, node, 1)) == b"hello\n"
    assert len(await scene.claim(ALL)) == 1


async def test_many_removals_of_one_run_at_once_remove_it_once(scene: Scene) -> None:
    pipeline = await scene.pipeline(wide(5))
    run = await ended_run(scene, pipeline)
    await ended_run(scene, pipeline)

    await asyncio.gather(*(remove(scene, run.id, limit=7) for _ in range(20)))

    assert await find(scene, run.id) is None
    now = scene.clock.now()
    entries = await scene.look(lambda transaction: transaction.outbox.due(now, ALL))
    keys = [key for entry in entries if entry.kind == DELETE_BLOBS for key in entry.payload["keys"]]
    assert sorted(keys) == [f"logs/{run.id}/{node}-1" for node in range(1, 6)]
