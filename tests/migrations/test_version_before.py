"""A server of the version before goes on beside the new one, and each sees and finishes the other's work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from definitions import read_definition
from former_server import TOKEN, FormerServer
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.limits import Limits
from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Store
from lineshaft.store import open_store
from waiting_line import WaitingLine, asking

PIPELINE, RUN, WORKER, OTHER = (UUID(int=number) for number in range(1, 5))


@asynccontextmanager
async def upgraded(url: str) -> AsyncIterator[WaitingLine]:
    store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    yield WaitingLine(store)
    await store.close()


@pytest.fixture
async def former(empty_database_url: str) -> FormerServer:
    """A server of the version before, which has made the tables."""
    server = FormerServer(empty_database_url)
    await server.make_tables()
    await server.add_pipeline(PIPELINE)
    await server.add_run(RUN, PIPELINE)
    return server


async def test_what_was_queued_before_the_upgrade_is_claimed_behind_it(former: FormerServer) -> None:
    await former.queue(RUN, 1)
    await former.queue(RUN, 2, """'["gpu"]'""")
    async with upgraded(former.url) as line:
        assert await bring_back(line.store) == 2

        assert await claim(line) == [AttemptAddress(RUN, 1, 1)]
        assert await claim(line, "gpu") == [AttemptAddress(RUN, 2, 1)]


async def test_what_ran_before_the_upgrade_runs_on(former: FormerServer) -> None:
    await former.queue(RUN, 1)
    await former.claim(WORKER)
    async with upgraded(former.url) as line:
        assert await bring_back(line.store) == 0

        (held,) = await line.scene.look(lambda transaction: transaction.attempts.held_by(WORKER))
        assert (held.address, held.token) == (AttemptAddress(RUN, 1, 1), TOKEN)
        limits = Limits(pipelines={"shop": 1})
        await former.queue(RUN, 2)
        await bring_back(line.store)
        assert await claim(line, limits=limits) == []


async def test_what_the_former_queues_beside_the_new_is_claimed_and_ended(former: FormerServer) -> None:
    async with upgraded(former.url) as line:
        await former.queue(RUN, 1)
        assert await bring_back(line.store) == 1
        (address,) = await claim(line)

        await former.end(RUN, 1)

        assert address == AttemptAddress(RUN, 1, 1)
        assert not await line.scene.look(lambda transaction: transaction.attempts.held())


async def test_the_former_claims_and_ends_what_the_new_has_queued(former: FormerServer) -> None:
    async with upgraded(former.url) as line:
        (address,) = await line.queue("shop", 1, asking("gpu", cpus=1))

        assert await former.claim(WORKER) == [address.node]

        (held,) = await line.scene.look(lambda transaction: transaction.attempts.held([WORKER]))
        assert (held.address, held.demand) == (address, asking("gpu", cpus=1))
        await former.end(address.run_id, address.node)
        assert not await line.scene.look(lambda transaction: transaction.attempts.held())
        assert await line.claim(line.worker("gpu")) == []


async def test_neither_takes_what_the_other_has_taken(former: FormerServer) -> None:
    async with upgraded(former.url) as line:
        await line.queue("shop", 2)

        theirs = await former.claim(WORKER)
        ours = await claim(line)

        assert sorted([*theirs, *(address.node for address in ours)]) == [1, 2]
        assert await former.claim(WORKER) == []
        assert await claim(line) == []


async def test_a_run_of_the_former_is_read(former: FormerServer) -> None:
    async with upgraded(former.url) as line:
        run = await line.scene.look(lambda transaction: transaction.runs.get(RUN))

    assert run is not None
    assert (run.priority, run.version) == (0, 2)


async def test_a_worker_of_the_former_is_known_with_what_it_says(former: FormerServer) -> None:
    async with upgraded(former.url) as line:
        await former.register(WORKER, "w")

        found = await line.scene.look(lambda transaction: transaction.workers.named("w"))

        assert found is not None
        assert found.offer == Offer(frozenset({WorkKind.RUN}), Capacity(4))
        assert (found.id, found.draining, found.load, found.version) == (WORKER, False, None, "")


async def test_a_session_that_the_former_puts_in_place_of_a_draining_one_does_not_drain(
    former: FormerServer,
) -> None:
    async with upgraded(former.url) as line:
        now = line.scene.clock.now()
        drained = Worker(WORKER, "w", Offer(frozenset({WorkKind.RUN}), Capacity(4)), now, now)
        await line.store.write(lambda transaction: transaction.workers.register(drained))
        await line.store.write(lambda transaction: transaction.workers.drain(WORKER))

        await former.register(OTHER, "w", former=WORKER)

        found = await line.scene.look(lambda transaction: transaction.workers.get(OTHER))
        assert found is not None
        assert not found.draining


async def bring_back(store: Store) -> int:
    now = WaitingLine(store).scene.clock.now()
    return await store.write(lambda transaction: transaction.attempts.bring_back(now, 9))


async def claim(line: WaitingLine, *labels: str, limits: Limits | None = None) -> list[AttemptAddress]:
    claiming = line.claiming(line.worker(*labels), limits=limits or Limits())
    return list(await line.store.write(claiming))
