"""The rush on the queue: a wake-up sends all waiting claims to look, and most of them would look in vain."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from lineshaft.model.placement import Offer
from lineshaft.services.claiming import Taken

_AT_ONCE: Final = 4
"""How many claims look at a time: with more, many look in vain; with fewer, a burst of tasks takes longer."""

_OFFERS: Final = 1_000


class Rush:
    """Lets few waiting claims look at a time, and spares the others that would find nothing.

    When a worker that could take anything has found nothing, then no other with the same offer will that was
    woken before that one began to look. So what a task costs does not grow with the workers that wait.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        # Tells what came before what: wake-ups and looks are numbered in one row.
        self._number = 0
        self._found_nothing: OrderedDict[Offer, int] = OrderedDict()

    async def look(
        self, offer: Offer, take: Callable[[], Awaitable[Taken]], is_told: Callable[[], Awaitable[bool]]
    ) -> Taken | None:
        """Look at the queue for a claim that was woken just now.

        Args:
            offer: the worker's.
            take: looks.
            is_told: whether the claim was woken for another reason than the queue, so that it has to look.

        Returns:
            What the look brought; None where none was needed.
        """
        woken = self._next()
        # All that the same wake-up has woken get their numbers before the first of them begins to look.
        await asyncio.sleep(0)
        async with self._turns:
            if self._found_nothing.get(offer, 0) > woken and not await is_told():
                return None
            began = self._next()
            taken = await take()
            if taken.found_nothing:
                self._note(offer, began)
            return taken

    def _note(self, offer: Offer, began: int) -> None:
        self._found_nothing[offer] = max(began, self._found_nothing.get(offer, 0))
        self._found_nothing.move_to_end(offer)
        while len(self._found_nothing) > _OFFERS:
            self._found_nothing.popitem(last=False)

    def _next(self) -> int:
        self._number += 1
        return self._number
