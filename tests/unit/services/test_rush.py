"""Which of many waiting claims look at the queue after a wake-up."""

import asyncio
from uuid import UUID

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import ManualClock
from lineshaft.services.claiming import Taken
from lineshaft.services.rush import Rush

RUN = Offer(frozenset({WorkKind.RUN}), Capacity(1))
BUILD = Offer(frozenset({WorkKind.BUILD}), Capacity(1))
NOW = ManualClock().now()


class Queue:
    """A queue in which nothing is found, and how often somebody has looked."""

    def __init__(self, *, found_nothing: bool = True) -> None:
        self.rush = Rush()
        self.looks = 0
        self._found_nothing = found_nothing

    async def look(self, offer: Offer = RUN, *, told: bool = False) -> bool:
        """Wake a claim; tells whether it has looked."""

        async def take() -> Taken:
            self.looks += 1
            await asyncio.sleep(0)
            worker = Worker(UUID(int=1), "w", offer, NOW, NOW)
            return Taken(worker, found_nothing=self._found_nothing)

        async def is_told() -> bool:
            return told

        return await self.rush.look(offer, take, is_told) is not None


async def test_few_look_in_vain_however_many_are_woken() -> None:
    queue = Queue()

    await asyncio.gather(*(queue.look() for _ in range(500)))

    assert queue.looks < 10


async def test_a_later_wake_up_has_claims_look_again() -> None:
    queue = Queue()
    await asyncio.gather(*(queue.look() for _ in range(500)))

    assert await queue.look()


async def test_all_look_as_long_as_nobody_has_found_nothing() -> None:
    queue = Queue(found_nothing=False)

    assert all(await asyncio.gather(*(queue.look() for _ in range(50))))


async def test_what_one_offer_finds_tells_nothing_of_another() -> None:
    queue = Queue()
    others = [queue.look(BUILD) for _ in range(10)]

    looked = await asyncio.gather(*(queue.look(RUN) for _ in range(100)), *others)

    assert any(looked[100:])


async def test_a_claim_that_is_told_of_something_else_looks() -> None:
    queue = Queue()
    waiting = [queue.look() for _ in range(100)]

    looked = await asyncio.gather(*waiting, queue.look(told=True))

    assert looked[-1]
