"""Patience with a server that does not answer: the same call again, with growing, jittered pauses."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, Final, TypeVar

from lineshaft.model.errors import (
    AccessError,
    LineshaftError,
    ServerError,
    TooManyAttemptsError,
    UnavailableError,
)

T = TypeVar("T")
Sleep = Callable[[timedelta], Coroutine[Any, Any, None]]

_LOG: Final = logging.getLogger("lineshaft.worker")
_FIRST: Final = timedelta(milliseconds=100)
_LONGEST: Final = timedelta(seconds=10)
_LONGEST_ASKED_FOR: Final = timedelta(seconds=60)
_FAULT_OF_THE_SERVER: Final = 500


async def sleep(pause: timedelta) -> None:
    """Wait for a while."""
    await asyncio.sleep(pause.total_seconds())


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until the first of several has ended, and cancel the others."""
    tasks = {asyncio.create_task(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Patience:
    """Repeats calls for as long as the server is away.

    Attributes:
        established: whether this server has served this worker before. Then an answer that makes no sense,
            or that refuses the credentials, is as good as none: a proxy in front of the server may have given
            it, and what the worker runs is worth waiting for.
    """

    def __init__(self, sleep: Sleep = sleep, jitter: random.Random | None = None) -> None:
        """Be patient.

        Args:
            sleep: waits for a while.
            jitter: spreads the pauses.
        """
        self.established = False
        self._sleep = sleep
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries; guards nothing.
        self._away = False

    async def until_available(
        self, call: Callable[[], Awaitable[T]], *, until: asyncio.Event | None = None
    ) -> T:
        """Make a call that may be repeated, until it is answered by a result or a refusal.

        Args:
            call: makes the call anew each time.
            until: from when on a failed call is not made again.

        Returns:
            The answer.

        Raises:
            UnavailableError: it failed, and `until` was set.
            Exception: whatever else the call raises.
        """
        pause = _FIRST
        while True:
            try:
                answer = await call()
            except LineshaftError as error:
                if not self._may_pass(error) or (until is not None and until.is_set()):
                    raise
                self._tell(error)
                await self.pause(self._pause_after(error, pause), until)
                if until is not None and until.is_set():
                    raise
                pause = min(pause * 2, _LONGEST)
            else:
                if self._away:
                    self._away = False
                    _LOG.info("The server answers again.")
                return answer

    async def pause(self, pause: timedelta, until: asyncio.Event | None = None) -> None:
        """Wait for a while, or until an event."""
        if until is None:
            await self._sleep(pause)
            return
        await first_of(self._sleep(pause), until.wait())

    def _may_pass(self, error: LineshaftError) -> bool:
        match error:
            case UnavailableError():
                return True
            case ServerError(status=status):
                return self.established or status >= _FAULT_OF_THE_SERVER
            case _:
                return self.established and isinstance(error, AccessError)

    def _pause_after(self, error: LineshaftError, pause: timedelta) -> timedelta:
        # Full jitter, so that a fleet does not come back all at once.
        jittered = pause * self._jitter.random()
        asked = error.retry_after if isinstance(error, UnavailableError | TooManyAttemptsError) else None
        return jittered if asked is None else min(asked, _LONGEST_ASKED_FOR) + jittered

    def _tell(self, error: LineshaftError) -> None:
        # Many calls fail at once and again and again: one line is enough for all of them.
        level = logging.DEBUG if self._away else logging.WARNING
        self._away = True
        _LOG.log(level, "The server does not serve this worker, which tries again until it does: %s", error)
