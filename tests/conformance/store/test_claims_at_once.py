"""Claims that two processes make at once over one PostgreSQL database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest

from conformance.store.other_process import meanwhile
from definitions import read_definition
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.limits import Limits
from lineshaft.model.placement import Capacity
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.ports.wakeups import worker_topic
from lineshaft.store import SqlStore, open_store
from waiting_line import WaitingLine, asking

LONG = timedelta(minutes=1)


@pytest.fixture
async def here(postgres_url: str) -> AsyncIterator[WaitingLine]:
    store = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition)
    yield WaitingLine(store)
    await store.close()


@pytest.fixture
async def there(postgres_url: str) -> AsyncIterator[SqlStore]:
    store = await open_store(postgres_url, ids=RandomIds(), read_definition=read_definition)
    yield store
    await store.close()


async def test_claims_for_one_worker_take_no_more_than_it_has(here: WaitingLine, postgres_url: str) -> None:
    worker = here.worker(capacity=Capacity(9, cpus=4))
    await here.queue("large", 4, asking(cpus=2))
    await here.queue("plain", 2)
    taken: list[Sequence[AttemptAddress]] = []

    def work(transaction: Transaction) -> None:
        taken.append(here.claiming(worker, 1, token="large")(transaction))
        taken.append(meanwhile(postgres_url, lambda store: store.write(here.claiming(worker, 9))))

    await here.store.write(work)

    first, second = ([here.names[address] for address in addresses] for addresses in taken)
    assert first == ["large 1"]
    assert second == ["plain 1", "plain 2"]
    assert await here.claim(worker, 9) == ["large 2"]


async def test_who_was_kept_from_claiming_is_told_to_claim_again(
    here: WaitingLine, there: SqlStore, postgres_url: str
) -> None:
    worker = here.worker(capacity=Capacity(9, cpus=4))
    await here.queue("large", 4, asking(cpus=2))

    def work(transaction: Transaction) -> None:
        here.claiming(worker, 1)(transaction)
        meanwhile(postgres_url, lambda store: store.write(here.claiming(worker, 1)))

    with there.wakeups.listen(worker_topic(worker.id)) as listener:
        await here.store.write(work)
        assert await listener.wait(LONG)


async def test_claims_take_no_more_than_limits_allow(here: WaitingLine, there: SqlStore) -> None:
    limits = Limits(pipelines={"shop": 3, "*": 2}, labels={"gpu": 4})
    for name in ("shop", "other", "third"):
        await here.queue(name, 5, asking("gpu"))
        await here.queue(name, 5)

    taken = await asyncio.gather(
        *(
            (here.store, there)[number % 2].write(here.claiming(here.worker("gpu"), 3, limits=limits))
            for number in range(8)
        )
    )

    names = [here.names[address] for addresses in taken for address in addresses]
    assert {name: sum(each.startswith(name) for each in names) for name in ("shop", "other", "third")} == {
        "shop": 3, "other": 2, "third": 2,
    }  # fmt: skip
    assert sum(int(name.split()[1]) <= 5 for name in names) <= 4


async def test_claims_reports_and_heartbeats_at_once_end_without_a_deadlock(
    here: WaitingLine, there: SqlStore
) -> None:
    workers = [here.worker(capacity=Capacity(4, cpus=4), name=f"w{number}") for number in range(6)]
    for worker in workers:
        await here.register(worker)
    await here.queue("shop", 30, asking(cpus=1))
    held = [
        (worker, address)
        for worker in workers
        for address in await here.store.write(here.claiming(worker, 2, token=worker.name))
    ]
    now = here.scene.clock.now()

    def beat(worker_number: int) -> Callable[[Transaction], object]:
        worker = workers[worker_number]

        def work(transaction: Transaction) -> object:
            transaction.workers.seen(worker.id, now, 0.5)
            return transaction.attempts.renew(worker.id, frozenset({worker.name}), expires_at=now + LONG)

        return work

    def report(number: int) -> Callable[[Transaction], object]:
        worker, address = held[number]

        def work(transaction: Transaction) -> object:
            here.ending(address)(transaction)
            return here.claiming(worker, 1)(transaction)

        return work

    stores = (here.store, there)
    await asyncio.gather(
        *(stores[number % 2].write(report(number)) for number in range(len(held))),
        *(stores[(number + 1) % 2].write(beat(number % 6)) for number in range(12)),
    )

    listed = await here.scene.look(lambda transaction: transaction.attempts.held())
    assert len({each.address for each in listed}) == len(listed)
    assert all(sum(each.worker_id == worker.id for each in listed) <= 4 for worker in workers)
