"""A worker takes what it serves and has room for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from lineshaft.model.attempt import HeldAttempt
from lineshaft.model.placement import Capacity, Demand
from lineshaft.model.work import WorkKind
from scene import LEASE_TIME
from waiting_line import RUN, WaitingLine, asking

GIB = 2**30
LONG = timedelta(minutes=1)


async def test_a_worker_has_all_labels_of_what_it_takes(line: WaitingLine) -> None:
    await line.queue("none")
    await line.queue("both", 1, asking("gpu", "linux"))

    assert await line.claim(line.worker("linux"), 9) == ["none 1"]
    assert await line.claim(line.worker("gpu", "linux", "big"), 9) == ["both 1"]


async def test_odd_labels_are_queued_and_taken_like_any_other(line: WaitingLine) -> None:
    odd = ("a b", "a,b", "é", "%", "")
    many = tuple(f"{number:0>100}" for number in range(100))
    await line.queue("odd", 1, asking(*odd))
    await line.queue("many", 1, asking(*many))

    assert await line.claim(line.worker("a", "b"), 9) == []
    assert await line.claim(line.worker(*odd), 9) == ["odd 1"]
    assert await line.claim(line.worker(*many), 9) == ["many 1"]


async def test_a_worker_takes_no_more_than_it_has_slots_for(line: WaitingLine) -> None:
    await line.queue("shop", 9)
    worker = line.worker(capacity=Capacity(3))

    taken = await line.claim(worker, 2)
    assert len(taken) == 2
    assert await line.claim(worker, 2) == ["shop 3"]
    assert await line.claim(worker, 2) == []
    await line.end(taken[0])
    assert await line.claim(worker, 2) == ["shop 4"]


async def test_what_is_asked_for_is_set_aside_while_it_runs(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4, memory_bytes=8 * GIB))
    await line.queue("shop", 4, asking(cpus=1.5))

    taken = await line.claim(worker, 9)
    assert taken == ["shop 1", "shop 2"]
    assert await line.claim(worker, 9) == []
    await line.end("shop 1")
    assert await line.claim(worker, 9) == ["shop 3"]


async def test_memory_is_set_aside_as_well(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, memory_bytes=8 * GIB))
    await line.queue("shop", 4, asking(cpus=1000, memory_bytes=3 * GIB))

    assert await line.claim(worker, 9) == ["shop 1", "shop 2"]


async def test_what_asks_for_nothing_takes_a_slot_only(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=1, memory_bytes=GIB))
    await line.queue("large", 2, asking(cpus=1, memory_bytes=GIB))
    await line.queue("small", 8)

    assert len(await line.claim(worker, 9)) == 9
    assert await line.claim(worker, 9) == []


async def test_what_several_queues_ask_for_together_fits(line: WaitingLine) -> None:
    worker = line.worker("gpu", capacity=Capacity(20, cpus=10, memory_bytes=10 * GIB))
    await line.queue("a", 9, asking(cpus=2))
    await line.queue("b", 9, asking("gpu", cpus=1, memory_bytes=4 * GIB))
    await line.queue("c", 9, asking("gpu", memory_bytes=GIB))

    for _ in range(3):
        await line.claim(worker, 20)

    held = await held_by(line)
    assert sum(each.demand.cpus for each in held) <= 10
    assert sum(each.demand.memory_bytes for each in held) <= 10 * GIB
    assert len(held) >= 6


async def test_a_worker_that_does_not_say_what_it_has_takes_any_amount(line: WaitingLine) -> None:
    await line.queue("huge", 2, asking(cpus=1e300, memory_bytes=10**30))

    assert await line.claim(line.worker(capacity=Capacity(2, cpus=64, memory_bytes=2**40)), 2) == []
    assert await line.claim(slots=2) == ["huge 1", "huge 2"]


async def test_what_a_worker_could_never_take_does_not_hold_it_up(line: WaitingLine) -> None:
    small = line.worker(capacity=Capacity(9, cpus=2))
    await line.queue("large", 3, asking(cpus=8))
    line.wait(LONG)
    await line.queue("small", 1, asking(cpus=1))

    assert await line.claim(small, 9) == ["small 1"]


async def test_a_large_task_that_has_waited_long_gets_its_room(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4))
    await line.queue("small", 9, asking(cpus=1))
    running = await line.claim(worker, 4)
    await line.queue("large", 1, asking(cpus=3))
    line.wait(LONG)

    await line.end(*running[:2])
    assert await line.claim(worker, 9) == []
    await line.end(running[2])
    assert await line.claim(worker, 9, token="large") == ["large 1"]


async def test_neither_large_tasks_nor_small_ones_wait_for_ever(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4))
    await line.queue("small", 30, asking(cpus=1))
    await line.queue("large", 30, asking(cpus=4))
    line.wait(LONG)

    taken = []
    for number in range(20):
        taken += (some := await line.claim(worker, 9, token=f"claim {number}"))
        await line.end(*some)

    assert Counter(name.split()[0] for name in taken) == {"small": 30, "large": 12}


async def test_a_large_task_that_has_waited_only_a_little_holds_nothing_back(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4))
    await line.queue("small", 9, asking(cpus=1))
    running = await line.claim(worker, 4)
    await line.queue("large", 1, asking(cpus=3))
    line.wait(LONG - timedelta(microseconds=1))

    await line.end(*running[:2])

    assert await line.claim(worker, 9) == ["small 5", "small 6"]


async def test_what_takes_no_room_from_a_large_task_goes_on(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4, memory_bytes=4 * GIB))
    await line.queue("running", 1, asking(cpus=3))
    await line.claim(worker)
    await line.queue("large", 1, asking(cpus=2))
    line.wait(LONG)
    await line.queue("plain")
    await line.queue("memory", 1, asking(memory_bytes=GIB))
    await line.queue("cpu", 1, asking(cpus=0.5))

    assert sorted(await line.claim(worker, 9)) == ["memory 1", "plain 1"]


async def test_a_higher_priority_is_not_held_back(line: WaitingLine) -> None:
    worker = line.worker(capacity=Capacity(9, cpus=4))
    await line.queue("running", 1, asking(cpus=2))
    await line.claim(worker)
    await line.queue("large", 1, asking(cpus=3))
    line.wait(LONG)
    await line.queue("urgent", 1, asking(cpus=1), priority=1)
    await line.queue("later", 1, asking(cpus=1))

    assert await line.claim(worker, 9) == ["urgent 1"]


async def test_a_draining_worker_takes_nothing(line: WaitingLine) -> None:
    await line.queue("shop")
    worker = line.worker()
    await line.store.write(lambda transaction: transaction.workers.register(worker))
    await line.store.write(lambda transaction: transaction.workers.drain(worker.id))

    assert await line.claim(worker) == []
    assert await line.claim(line.worker(name="another")) == ["shop 1"]


async def test_a_drained_worker_that_registers_anew_takes_again(line: WaitingLine) -> None:
    await line.queue("shop")
    former, worker = line.worker(), line.worker()
    await line.store.write(lambda transaction: transaction.workers.register(former))
    await line.store.write(lambda transaction: transaction.workers.drain(former.id))
    await line.store.write(lambda transaction: transaction.workers.register(worker))

    assert await line.claim(worker) == ["shop 1"]


async def test_what_workers_hold_is_listed_by_worker(line: WaitingLine) -> None:
    first, second = sorted((line.worker(), line.worker()), key=lambda worker: worker.id)
    demand = Demand(WorkKind.RUN, ("gpu",), 0.5, GIB)
    await line.queue("plain", 1, priority=1)
    await line.queue("gpu", 2, demand)
    offer = replace(first.offer, labels=("gpu",))
    for worker in (second, first, first):
        await line.claim(replace(worker, offer=offer))

    held = await held_by(line)

    expires_at = line.scene.clock.now() + LEASE_TIME
    assert [(each.worker_id, each.demand, each.expires_at) for each in held] == [
        (first.id, demand, expires_at),
        (first.id, demand, expires_at),
        (second.id, RUN, expires_at),
    ]
    assert await line.scene.look(lambda transaction: transaction.attempts.held([second.id])) == [held[2]]
    assert not await line.scene.look(lambda transaction: transaction.attempts.held([]))


@pytest.mark.parametrize("cpus", [0.1, 0.29, 1.1, 0.001])
async def test_a_worker_takes_what_asks_for_all_that_it_has(line: WaitingLine, cpus: float) -> None:
    await line.queue("shop", 1, asking(cpus=cpus))

    assert await line.claim(line.worker(capacity=Capacity(1, cpus=cpus))) == ["shop 1"]


async def held_by(line: WaitingLine) -> Sequence[HeldAttempt]:
    return await line.scene.look(lambda transaction: transaction.attempts.held())
