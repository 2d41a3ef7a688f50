"""Retention over a whole control plane: what goes, goes completely, and whatever else is there stays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from definitions import definition
from integration.house import DAY, CrashError, House, crashing_at, logging, mentioning, opened
from lineshaft.model.commit_status import StatusState, StatusTarget
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.errors import LogRemovedError
from lineshaft.model.event import RunStarted
from lineshaft.model.grant import Grant
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.role import Role, Scope
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.token import Token
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.services.retention import TOKENS_SHOWN_FOR, Kept
from lineshaft.services.statuses.wanting import Notice, notice_status
from lineshaft.store.schema import commit_statuses, generated, outputs, timers
from scene import ALL_KINDS
from trees import sequence, task

SHOP = definition(sequence(task("build"), task("test"), name="shop"))
OTHER = definition(sequence(task("only"), name="other"))


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(database_url, tmp_path / "blobs", ManualClock()) as house:
        yield house


async def test_a_run_that_is_removed_leaves_nothing_and_all_else_is_as_it_was(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    run = await house.ended_run(pipeline)
    kept = await house.ended_run(pipeline)
    await house.scene.run(OTHER)

    def write_more(connection: Connection) -> None:
        at = house.clock.now()
        connection.execute(insert(outputs), {"run_id": run.id, "node": 1, "given": {"a": "b"}})
        connection.execute(insert(generated), {"run_id": run.id, "number": 1, "node": 1, "text": "x"})
        connection.execute(insert(timers), {"run_id": run.id, "node": 1, "purpose": "timeout", "due_at": at})
        words = dict.fromkeys(("connection", "repository", "commit", "context", "state", "text"), "x")
        numbers = dict.fromkeys(("node", "version", "told_version", "tries"), 1)
        connection.execute(insert(commit_statuses), {"run_id": run.id, **words, **numbers, "due_at": at})

    await house.database(write_more)
    before = await house.rows()
    of_it = mentioning(before, run)
    tables = {name for name, _ in of_it}
    assert tables == {
        "runs", "nodes", "events", "attempts", "outputs", "generated", "timers", "commit_statuses"
    }  # fmt: skip
    assert house.blobs_of(run)

    await house.keep(Kept(runs_for=DAY * 1.5))

    assert await house.rows() == before - of_it
    assert house.blobs_of(run) == set()
    assert len(house.blobs_of(kept)) == 3
    log = await house.plane.logs.find(kept.id, "build")
    assert [data async for data in house.plane.logs.read(log, 0, 6)] == [b"hello\n"]


async def test_only_so_many_runs_of_each_pipeline_are_kept(house: House) -> None:
    shop, other = await house.scene.pipeline(SHOP), await house.scene.pipeline(OTHER)
    runs = [await house.ended_run(shop) for _ in range(4)]
    others = [await house.ended_run(other) for _ in range(2)]

    await house.keep(Kept(runs_per_pipeline=2))

    rows = await house.rows()
    assert [bool(mentioning(rows, run)) for run in runs] == [False, False, True, True]
    assert all(mentioning(rows, run) for run in others)


async def test_by_default_all_is_kept(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    for _ in range(3):
        await house.ended_run(pipeline)
    before = await house.rows()
    house.clock.advance(DAY * 4000)

    await house.keep(Kept())

    assert await house.rows() == before


async def test_a_log_that_is_too_old_goes_and_says_so_and_its_run_stays(house: House) -> None:
    run = await house.ended_run(await house.scene.pipeline(SHOP))
    young = await house.ended_run(await house.scene.pipeline(OTHER))

    await house.keep(Kept(logs_for=DAY * 1.5))

    assert house.blobs_of(run) == set()
    assert (await house.plane.runs.get(run.id)).state is State.SUCCEEDED
    with pytest.raises(LogRemovedError):
        await house.plane.logs.find(run.id, "build")
    assert house.blobs_of(young)


async def test_who_reads_a_log_while_it_is_removed_is_told(house: House) -> None:
    run = await house.ended_run(await house.scene.pipeline(SHOP))
    log = await house.plane.logs.find(run.id, "build")

    await house.keep(Kept(logs_for=DAY / 2))

    with pytest.raises(LogRemovedError):
        await anext(house.plane.logs.read(log, 0, 6))


async def test_the_log_of_a_node_that_was_kept_from_a_removed_run_says_so(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    run = await house.ended_run(pipeline)
    kept = Reason(ReasonCode.KEPT, "It is kept.")

    def retry(transaction: Transaction) -> Run:
        new = house.scene.new_run(transaction, pipeline, run.id)
        build = replace(run.nodes[1], reason=kept)
        new = replace(new, nodes=new.nodes.replaced(1, build))
        transaction.runs.create(new)
        return new

    retried = await house.plane.store.write(retry)
    assert (await house.plane.logs.find(retried.id, "build")).state.size_bytes == 6

    await house.keep(Kept(runs_for=DAY / 2))

    with pytest.raises(LogRemovedError):
        await house.plane.logs.find(retried.id, "build")
    assert (await house.plane.runs.get(retried.id)).retry_of == run.id


async def test_a_crash_between_a_removal_and_that_of_its_blobs_leaves_no_blob(
    database_url: str, tmp_path: Path
) -> None:
    folder, clock = tmp_path / "blobs", ManualClock()
    async with opened(database_url, folder, clock) as house:
        pipeline = await house.scene.pipeline(SHOP)
        run = await house.ended_run(pipeline)
        await house.ended_run(pipeline)
        await house.retention(Kept(runs_for=DAY * 1.5)).go_round()
        assert house.blobs_of(run)

    async with opened(database_url, folder, clock) as house:
        await house.plane.settle()

        assert house.blobs_of(run) == set()
        assert mentioning(await house.rows(), run) == set()


async def test_a_blob_store_that_is_away_is_asked_again(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    run = await house.ended_run(pipeline)
    await house.ended_run(pipeline)
    house.blobs.away = True

    await house.keep(Kept(runs_for=DAY * 1.5))
    assert house.blobs_of(run)
    house.blobs.away = False
    house.clock.advance(DAY)
    await house.plane.settle()

    assert house.blobs_of(run) == set()
    assert mentioning(await house.rows(), run) == set()


@pytest.mark.parametrize("pauses", range(4))
async def test_what_a_crash_has_left_of_a_round_the_next_one_removes(house: House, pauses: int) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    runs = [await house.ended_run(pipeline) for _ in range(3)]
    kept = Kept(runs_for=DAY / 2, logs_for=DAY / 2)

    with pytest.raises(CrashError):
        await house.retention(kept, crashing_at(pauses)).go_round()
    await house.keep(kept)

    rows = await house.rows()
    assert [bool(mentioning(rows, run)) for run in runs] == [False, False, True]
    assert house.files() == set()


async def test_a_log_that_is_sealed_only_after_its_run_was_removed_leaves_no_blob(house: House) -> None:
    pipeline = await house.scene.pipeline(OTHER)
    run = await house.scene.waiting_run(pipeline)
    await house.scene.apply(run.id, RunStarted())
    (held,) = await house.scene.claim()
    await house.plane.store.write(logging(held))
    await house.scene.report(held)
    now = house.clock.now()
    [seal] = await house.scene.look(lambda transaction: transaction.outbox.due(now, 9))
    house.clock.advance(DAY)
    await house.ended_run(pipeline)
    await house.keep(Kept(runs_for=DAY * 1.5))
    assert mentioning(await house.rows(), run) == set()

    await house.plane.logs.seal(seal)

    assert house.blobs_of(run) == set()


async def test_several_servers_remove_at_once(postgres_url: str, tmp_path: Path) -> None:
    folder, clock = tmp_path / "blobs", ManualClock()
    kept = Kept(runs_for=DAY / 2, logs_for=DAY / 2)
    async with opened(postgres_url, folder, clock) as here, opened(postgres_url, folder, clock) as there:
        pipeline = await here.scene.pipeline(SHOP)
        runs = [await here.ended_run(pipeline) for _ in range(12)]

        await asyncio.gather(*(each.retention(kept).go_round() for each in (here, there) * 3))
        await here.plane.settle()

        rows = await here.rows()
        assert [bool(mentioning(rows, run)) for run in runs] == [False] * 11 + [True]
        assert here.files() == set()


async def test_a_definition_that_another_server_has_removed_can_be_used_again(
    postgres_url: str, tmp_path: Path
) -> None:
    folder, clock = tmp_path / "blobs", ManualClock()
    async with opened(postgres_url, folder, clock) as here, opened(postgres_url, folder, clock) as there:
        await here.plane.store.write(lambda transaction: transaction.keep_definition(SHOP))
        await there.keep(Kept())

        run = await here.scene.run(SHOP)

        assert (await there.plane.runs.get(run.id)).definition_hash == SHOP.hash


async def test_workers_that_are_long_silent_and_hold_nothing_are_forgotten(house: House) -> None:
    def registering(name: str) -> Callable[[Transaction], Any]:
        now = house.clock.now()
        worker = Worker(RandomIds().new_id(), name, Offer(ALL_KINDS, Capacity(1)), now, now)
        return lambda transaction: transaction.workers.register(worker)

    await house.plane.store.write(registering("silent"))
    now = house.clock.now()
    holding = Worker(house.scene.worker_id, "holding", Offer(ALL_KINDS, Capacity(1)), now, now)
    await house.plane.store.write(lambda transaction: transaction.workers.register(holding))
    await house.scene.run(OTHER)
    await house.scene.claim()
    house.clock.advance(DAY * 7 + timedelta(seconds=1))
    await house.plane.store.write(registering("heard of"))

    await house.keep(Kept())

    workers = await house.scene.look(lambda transaction: transaction.workers.all())
    assert [worker.name for worker in workers] == ["heard of", "holding"]


async def test_tokens_are_removed_a_while_after_they_have_expired(house: House) -> None:
    now = house.clock.now()
    expired = Token(RandomIds().new_id(), "ann", "ci", "hash", Scope(Role.RUNNER), now, now)
    await house.plane.store.write(lambda transaction: transaction.tokens.add(expired))

    async def listed() -> list[Token]:
        return list(await house.scene.look(lambda transaction: transaction.tokens.of_user("ann")))

    house.clock.advance(TOKENS_SHOWN_FOR - timedelta(seconds=1))
    await house.keep(Kept())
    assert await listed() == [expired]

    house.clock.advance(timedelta(seconds=1))
    await house.keep(Kept())
    assert await listed() == []


async def test_grants_on_a_deleted_pipeline_are_removed_with_its_last_run(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    await house.ended_run(pipeline)
    grant = Grant("ann", pipeline.id, Role.VIEWER)
    await house.plane.store.write(lambda transaction: transaction.grants.put(grant))
    await house.plane.pipelines.delete(pipeline.id)

    async def grants() -> list[Grant]:
        return list(await house.scene.look(lambda transaction: transaction.grants.of_user("ann")))

    await house.keep(Kept())
    assert await grants() == [grant]

    await house.keep(Kept(runs_for=DAY / 2))
    assert await grants() == []


async def came_in(house: House, pipeline: Pipeline, name: str, state: DeliveryState) -> Delivery:
    """Keep a delivery, and where it was seen to, what came of it, which a forge is to show."""
    seen_to = state is DeliveryState.HANDLED
    outcome = Outcome(pipeline.id, "shop", text="There is no such file.")
    delivery = Delivery(
        RandomIds().new_id(),
        DeliverySource.GITHUB,
        "hub",
        name,
        "push",
        house.clock.now(),
        state=state,
        outcomes=(outcome,) if seen_to else (),
    )
    target = StatusTarget("hub", "https://github.com/acme/shop", "a" * 40)
    notice = Notice(target, StatusState.FAILED, outcome.text)
    status = notice_status(delivery.id, 0, pipeline="shop", notice=notice, now=house.clock.now())

    def work(transaction: Transaction) -> None:
        transaction.deliveries.add(delivery)
        if seen_to:
            transaction.statuses.want(status)

    await house.plane.store.write(work)
    return delivery


async def test_deliveries_are_removed_with_what_came_of_them_once_they_are_old(house: House) -> None:
    pipeline = await house.scene.pipeline(SHOP)
    old = await came_in(house, pipeline, "old", DeliveryState.HANDLED)
    await came_in(house, pipeline, "waiting", DeliveryState.RECEIVED)
    house.clock.advance(DAY)
    await came_in(house, pipeline, "new", DeliveryState.HANDLED)
    before = await house.rows()

    await house.keep(Kept(deliveries_for=DAY / 2))

    gone = before - await house.rows()
    assert {table for table, _ in gone} == {"deliveries", "delivery_outcomes", "commit_statuses"}
    assert all(str(old.id) in row for _, row in gone)


async def test_rounds_go_on_for_ever_at_times_that_differ(house: House) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if len([each for each in waited if each > 1]) == 4:
            raise CrashError

    with pytest.raises(CrashError):
        await house.retention(Kept(), pause).run()

    between_rounds = [each for each in waited if each > 1]
    assert all(450 <= each <= 750 for each in between_rounds)
    assert len(set(between_rounds)) == 4
