"""What ends a command: its own end, its time limit, or the wish that it be stopped."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from lineshaft.ports.executor import Ending


async def wait_for_ending(
    ended: asyncio.Future[Any],
    stopped: asyncio.Future[Any],
    carrying: Collection[asyncio.Future[None]],
    timeout: timedelta | None,  # noqa: ASYNC109 - it is an ending as the others are, and no error.
) -> Ending:
    """Wait for the first of what ends a command; where several have come, its own end goes first.

    Args:
        ended: done when the command has ended.
        stopped: done when somebody wants it to end.
        carrying: what carries bytes to it or from it; where one fails, its error is raised.
        timeout: how long the command may take; None for as long as it likes.
    """
    loop = asyncio.get_running_loop()
    until = None if timeout is None else loop.time() + timeout.total_seconds()
    waiting = {ended, stopped, *carrying}
    while True:
        left = None if until is None else max(until - loop.time(), 0)
        done, _ = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for each in carrying:
            if each in done:
                each.result()
                waiting.discard(each)
        if ended.done():
            return Ending.ENDED
        if stopped in done:
            return Ending.STOPPED
        if not done:
            return Ending.TIMED_OUT
