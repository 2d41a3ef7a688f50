"""Trying again what the database's troubles have stopped."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from lineshaft.store.backoff import Backoff
from lineshaft.store.trouble import Trouble, trouble_of, unavailable

T = TypeVar("T")


async def retried(call: Callable[[], Awaitable[T]], backoff: Backoff) -> T:
    """Await a call, again while conflicts or a lost database stop it.

    Raises:
        StoreUnavailableError: trying has been given up.
        Exception: what the call raised that is no trouble of the database's.
    """
    waits = backoff.waits()
    while True:
        try:
            return await call()
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is Trouble.NONE:
                raise
            wait = None if trouble is Trouble.FAILED else next(waits, None)
            if wait is None:
                raise unavailable(error, trouble) from error
        await backoff.sleep(wait)
