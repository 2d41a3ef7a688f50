"""What two servers that share a database do at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from desk import SUCCEEDED, DeskWorker
from lineshaft.definition import read_definition
from lineshaft.definition.compiling.generated import read_generated
from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidDefinitionError, NotWaitingError
from lineshaft.model.node import Group
from lineshaft.model.outcome import Outcome
from lineshaft.model.principal import Actor, Means
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import Place, Tree
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.store import open_store
from lineshaft.store.advisory import UPSTREAMS
from lineshaft.store.session import ReadGenerated
from planes import LEASE_TIME
from worker_protocol_scene import claim, register, start

CALLED = "name: called\ncallable_by: [caller]\nsteps: [{name: a, run: make}]\n"
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "Exited with 1."), 1)
FOUR = """\
name: four
parallel: true
steps: [{name: a, run: make}, {name: b, run: make}, {name: c, run: make}, {name: d, run: make}]
"""
TOKEN = "chosen-by-the-worker"
COMMIT = "a" * 40
HELD = RunRequest(ref=COMMIT, hold=True)
ADA = Actor("ada", Means.PASSWORD)
QUEUE = "name: q\nconcurrency: {policy: queue}\n"
MORE_THAN_ONE_TRANSACTION_CALLS = 80
FREE = "name: {}\nsteps: [{{name: a, run: make}}]\n"
WAITING = """\
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
"""


@asynccontextmanager
async def plane_over(
    url: str, folder: Path, clock: ManualClock, read: ReadGenerated = read_generated
) -> AsyncIterator[ControlPlane]:
    ids = RandomIds()
    store = await open_store(url, ids=ids, read_definition=read_definition, read_generated=read)
    try:
        yield ControlPlane(store, BlobFolder(folder), clock, ids, check=lambda _: None, lease_time=LEASE_TIME)
    finally:
        await store.close()


@pytest.fixture
async def planes(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[tuple[ControlPlane, ControlPlane]]:
    async with (
        plane_over(postgres_url, tmp_path, clock) as first,
        plane_over(postgres_url, tmp_path, clock) as second,
    ):
        yield first, second


def calling(count: int) -> str:
    calls = ", ".join(f"{{name: c{number}, pipeline: called}}" for number in range(count))
    return f"name: caller\nparallel: true\nsteps: [{calls}]\n"


def calls_of(run: Run) -> list[Place]:
    return list(run.tree.below_root())


async def children(plane: ControlPlane, pipeline_id: UUID) -> list[Run]:
    return list(await plane.runs.page(pipeline_id, before=None, limit=1_000))


async def test_two_servers_that_deliver_the_same_calls_make_one_run_for_each(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    called = await DeskWorker(first).pipeline(CALLED)
    run = await DeskWorker(first).start(calling(MORE_THAN_ONE_TRANSACTION_CALLS))

    await asyncio.gather(first.settle(), second.settle())

    parents = [child.parent for child in await children(first, called.id)]
    assert sorted(each.node for each in parents if each is not None) == [
        place.index for place in calls_of(run)
    ]


async def test_a_run_that_is_cancelled_while_its_calls_are_made_leaves_none_behind(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    called = await DeskWorker(first).pipeline(CALLED)
    run = await DeskWorker(first).start(calling(MORE_THAN_ONE_TRANSACTION_CALLS))

    await asyncio.gather(first.settle(), second.runs.cancel(run.id))
    await first.settle()

    assert (await first.runs.get(run.id)).state is State.CANCELLED
    assert {child.state for child in await children(first, called.id)} == {State.CANCELLED}


async def test_a_pipeline_that_is_deleted_while_it_is_called_fails_the_call_or_stops_its_run(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    worker = DeskWorker(first)
    caller = await worker.pipeline(
        "name: caller\nsteps: [{name: a, run: make}, {name: call, pipeline: called}]\n"
    )
    for _ in range(5):
        called = await worker.pipeline(CALLED)
        run = await first.runs.trigger(caller.id)
        leases = await worker.claim()

        await asyncio.gather(worker.report(leases["a"]), second.pipelines.delete(called.id))

        ended = await first.runs.get(run.id)
        assert ended.state.unsuccessful
        assert [each.state for each in await children_of_deleted(first, ended)] in ([], [State.CANCELLED])


async def children_of_deleted(plane: ControlPlane, run: Run) -> list[Run]:
    _, child = await plane.runs.explain(run.id, "call")
    return [] if child is None else [await plane.runs.get(child)]


async def test_a_retry_whose_timer_two_servers_fire_begins_once(
    planes: tuple[ControlPlane, ControlPlane], clock: ManualClock
) -> None:
    first, second = planes
    worker = DeskWorker(first)
    run = await worker.start("name: r\nsteps: [{name: a, run: make, retry: {count: 3, backoff: 10s}}]\n")
    await worker.report((await worker.claim())["a"], FAILED)
    clock.advance(timedelta(seconds=10))

    await asyncio.gather(first.timers.fire_due(), second.timers.fire_due())

    claims = await asyncio.gather(worker.claim(9), DeskWorker(second, "other").claim(9))
    assert sorted(lease.address.attempt for claimed in claims for lease in claimed.values()) == [2]
    assert (await first.runs.get(run.id)).nodes[1].attempt == 2


async def test_a_run_that_ends_while_the_next_is_made_lets_it_begin(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    worker = DeskWorker(first)
    pipeline = await worker.pipeline(f"{QUEUE}steps: [{{name: a, run: make}}]\n")
    await first.runs.trigger(pipeline.id)
    for _ in range(8):
        (lease,) = (await worker.claim()).values()

        _, following = await asyncio.gather(worker.report(lease), second.runs.trigger(pipeline.id))

        assert (await first.runs.get(following.id)).state is State.QUEUED


async def test_of_two_approvals_at_once_one_is_heard(planes: tuple[ControlPlane, ControlPlane]) -> None:
    first, second = planes
    worker = DeskWorker(first)
    pipeline = await worker.pipeline("name: p\nsteps: [{name: a, run: make}]\n")
    for _ in range(5):
        held = await first.runs.trigger(pipeline.id, HELD)

        answers = await asyncio.gather(
            first.approvals.approve(held.id, COMMIT, ADA),
            second.approvals.approve(held.id, COMMIT, replace(ADA, name="ben")),
            return_exceptions=True,
        )

        (approved,) = (answer for answer in answers if isinstance(answer, Run))
        (refused,) = (answer for answer in answers if not isinstance(answer, Run))
        assert isinstance(refused, NotWaitingError), refused
        assert (await second.runs.get(held.id)).approved_by == approved.approved_by
        assert list(await worker.claim(9)) == ["a"]


async def test_an_approval_and_a_trigger_at_once_let_one_run_of_a_queue_begin(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    worker = DeskWorker(first)
    for _ in range(5):
        pipeline = await worker.pipeline(f"{QUEUE}steps: [{{name: a, run: make}}]\n")
        held = await first.runs.trigger(pipeline.id, HELD)

        await asyncio.gather(first.approvals.approve(held.id, COMMIT, ADA), second.runs.trigger(pipeline.id))

        found = await children(first, pipeline.id)
        assert sorted(run.state for run in found) == [State.QUEUED, State.WAITING]


async def test_runs_that_two_servers_start_at_once_supersede_each_other_while_retries_wait(
    planes: tuple[ControlPlane, ControlPlane], clock: ManualClock
) -> None:
    first, second = planes
    worker = DeskWorker(first)
    pipeline = await worker.pipeline(
        "name: s\nconcurrency: {policy: supersede}\n"
        "steps: [{name: a, run: make, retry: {count: 1, backoff: 10s}}]\n"
    )
    await first.runs.trigger(pipeline.id)
    await worker.report((await worker.claim())["a"], FAILED)
    clock.advance(timedelta(seconds=10))

    await asyncio.gather(
        first.runs.trigger(pipeline.id), second.timers.fire_due(), second.runs.trigger(pipeline.id)
    )

    newest, *others = await children(first, pipeline.id)
    assert newest.state is State.QUEUED
    assert {each.state for each in others} == {State.CANCELLED}


async def test_a_server_reads_the_nodes_that_a_task_has_made_once(
    postgres_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    reads = 0

    def counted(text: str, definition: Definition, tree: Tree, index: int) -> Group:
        nonlocal reads
        reads += 1
        return read_generated(text, definition, tree, index)

    async with (
        plane_over(postgres_url, tmp_path, clock) as first,
        plane_over(postgres_url, tmp_path, clock, counted) as second,
    ):
        workers = DeskWorker(first), DeskWorker(second, "other")
        await workers[0].start("name: g\nsteps: [{name: gen, run: make, generates: nodes.yml}]\n")
        (making,) = (await workers[0].claim()).values()
        nodes = "".join(f"- {{name: n{number}, run: make}}\n" for number in range(6))
        run = await workers[0].report(making, replace(SUCCEEDED, generated=nodes))
        for number in range(6):
            (lease,) = (await workers[number % 2].claim()).values()
            run = await workers[number % 2].report(lease)
        assert (await second.runs.get(run.id)).state is State.SUCCEEDED
    assert reads == 1


async def test_a_claim_that_is_made_again_at_another_server_brings_the_same_leases(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    await start(first, FOUR)
    worker_id = await register(first.fleet.desk)

    taken = await claim(first.fleet.desk, worker_id, 2, token=TOKEN)
    again = await claim(second.fleet.desk, worker_id, 4, token=TOKEN)

    assert len(taken) == 2
    assert again == taken
    assert await second.fleet.desk.append_log(again[0].address, TOKEN, 0, b"begun") == 5


async def test_what_two_servers_take_at_once_with_one_token_is_all_brought_again(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    first, second = planes
    await start(first, FOUR)
    worker_id = await register(first.fleet.desk)

    one, other = await asyncio.gather(
        claim(first.fleet.desk, worker_id, 1, token=TOKEN),
        claim(second.fleet.desk, worker_id, 1, token=TOKEN),
    )

    again = await claim(first.fleet.desk, worker_id, 4, token=TOKEN)
    assert sorted(each.path for each in again) == sorted({each.path for each in one + other})
    assert again


async def test_a_pipeline_waits_for_another_server_that_is_making_the_other_half_of_a_circle(
    planes: tuple[ControlPlane, ControlPlane], postgres_url: str
) -> None:
    plane, _ = planes
    one, other = [await DeskWorker(plane).pipeline(FREE.format(name)) for name in ("one", "other")]
    text = "name: other\non: {upstream: [one]}\nsteps: [{name: a, run: make}]\n"
    connection = await asyncpg.connect(postgres_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT pg_advisory_xact_lock($1)", UPSTREAMS)
        await connection.execute("INSERT INTO upstreams VALUES ($1, 0, 'other')", one.id)

        change = asyncio.create_task(plane.pipelines.replace(other.id, read_native(text.encode())))
        while not change.done() and not await connection.fetchval(WAITING):
            pass
        await transaction.commit()

        with pytest.raises(InvalidDefinitionError, match="circle"):
            await change
    finally:
        await connection.close()
