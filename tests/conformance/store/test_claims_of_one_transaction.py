"""Claims of one transaction, which share a look at the queues."""

from collections.abc import Callable, Sequence

from definitions import wide
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.event import AttemptLeased, AttemptReported, CancelRequested
from lineshaft.model.outcome import Outcome
from lineshaft.model.placement import Capacity
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Lease
from lineshaft.model.state import State
from lineshaft.ports.store import Claim, Transaction
from scene import LEASE_TIME, Scene
from waiting_line import WaitingLine, asking

Claiming = Callable[[Transaction], Sequence[AttemptAddress]]


async def test_they_go_on_where_the_one_before_has_stopped(line: WaitingLine) -> None:
    await line.queue("shop", 3)

    assert await taken(line, *(line.claiming() for _ in range(4))) == [["shop 1"], ["shop 2"], ["shop 3"], []]


async def test_they_see_what_has_arrived_between_them(line: WaitingLine) -> None:
    await line.queue("shop")
    pipeline = await line.pipeline("mill")

    def work(transaction: Transaction) -> list[str]:
        first = line.claiming()(transaction)
        line.queueing(pipeline, 1, asking("gpu"))(transaction)
        second = line.claiming(line.worker("gpu"))(transaction)
        return [line.names[address] for address in (*first, *second)]

    assert await line.store.write(work) == ["shop 1", "mill 1"]


async def test_they_take_the_highest_priority_of_all_queues_first(line: WaitingLine) -> None:
    await line.queue("shop", priority=9)
    await line.queue("shop", priority=1)
    await line.queue("mill", demand=asking("gpu"), priority=5)
    worker = line.worker("gpu")

    in_turn = await taken(line, *(line.claiming(worker) for _ in range(3)))

    assert in_turn == [["shop 1"], ["mill 1"], ["shop 2"]]


async def test_they_do_not_take_for_a_worker_that_drains(line: WaitingLine) -> None:
    await line.queue("shop", 2)
    draining = line.worker()
    await line.register(draining)
    await line.store.write(lambda transaction: transaction.workers.drain(draining.id))

    assert await taken(line, line.claiming(), line.claiming(draining)) == [["shop 1"], []]


async def test_each_worker_takes_no_more_than_it_has_slots_for(line: WaitingLine) -> None:
    await line.queue("shop", 4)
    small = line.worker(capacity=Capacity(1))

    in_turn = await taken(line, line.claiming(small, 2), line.claiming(small), line.claiming(slots=2))

    assert in_turn == [["shop 1"], [], ["shop 2", "shop 3"]]


async def test_a_lease_that_ends_makes_room_for_the_next(scene: Scene) -> None:
    run = await scene.run(wide(2))
    worker = WaitingLine(scene.store).worker(capacity=Capacity(1))
    now, lease = scene.clock.now(), Lease("token", worker.id)
    claim = Claim(worker, 1, lease.token, now, now + LEASE_TIME)

    def begin(transaction: Transaction) -> list[AttemptAddress]:
        claimed = list(transaction.attempts.claim(claim))
        for address in claimed:
            scene.decide(transaction, run.id, AttemptLeased(address.node, address.attempt, lease))
        return claimed

    def go_on(transaction: Transaction) -> list[AttemptAddress]:
        none = list(transaction.attempts.claim(claim))
        scene.decide(transaction, run.id, succeeded)
        return [*none, *transaction.attempts.claim(claim)]

    (first,) = await scene.store.write(begin)
    succeeded = AttemptReported(first.node, first.attempt, lease.token, Outcome(State.SUCCEEDED))

    assert [address.node for address in await scene.store.write(go_on)] == [2]


async def test_they_do_not_take_what_has_been_cancelled_before_them(scene: Scene) -> None:
    run = await scene.run(wide(2))
    claim = scene.claiming(2)

    def work(transaction: Transaction) -> int:
        scene.decide(transaction, run.id, CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "No.")))
        return len(claim(transaction))

    assert await scene.store.write(work) == 0


async def test_they_do_not_take_what_a_worker_ends_that_it_was_taken_from(scene: Scene) -> None:
    await scene.run(wide(1))
    (held,) = await scene.claim()
    now = scene.clock.now()
    await scene.store.write(lambda transaction: transaction.attempts.set_aside(held.address, now))
    await scene.store.write(lambda transaction: transaction.attempts.bring_back(now, 9))

    def work(transaction: Transaction) -> int:
        scene.reporting(held)(transaction)
        return len(scene.claiming()(transaction))

    assert await scene.store.write(work) == 0
    assert await scene.claim() == []


async def taken(line: WaitingLine, *claims: Claiming) -> list[list[str]]:
    def work(transaction: Transaction) -> list[list[str]]:
        return [[line.names[address] for address in claim(transaction)] for claim in claims]

    return await line.store.write(work)
