"""Patience with a server that does not answer: the same call again, with growing, jittered pauses."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from lineshaft.model.errors import UnavailableError

T = TypeVar("T")
Sleep = Callable[[timedelta], Awaitable[None]]

_LOG: Final = logging.getLogger("lineshaft.worker")
_FIRST: Final = timedelta(milliseconds=100)
_LONGEST: Final = timedelta(seconds=10)


async def _sleep(pause: timedelta) -> None:
    await asyncio.sleep(pause.total_seconds())


class Patience:
    """Repeats calls for as long as the server is away."""

    def __init__(self, sleep: Sleep = _sleep, jitter: random.Random | None = None) -> None:
        self._sleep = sleep
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries; guards nothing.

    async def until_available(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call that may be repeated, until it is answered in any way but `UnavailableError`.

        Args:
            call: makes the call anew each time.

        Returns:
            The answer.

        Raises:
            Exception: whatever the call raises but `UnavailableError`.
        """
        pause = _FIRST
        while True:
            try:
                return await call()
            except UnavailableError as error:
                _LOG.warning("The server does not answer, trying again: %s", error)
                # Full jitter, so that a fleet does not come back all at once.
                await self._sleep(pause * self._jitter.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST)
