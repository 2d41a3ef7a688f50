"""Work in a thread that never outlives whoever waits for it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread and return its result.

    When the caller is cancelled it is so once the function has ended, since nobody can stop that.

    Raises:
        Exception: what the function has raised.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        # Nobody is left to hear what it raised.
        work.exception()
        raise
