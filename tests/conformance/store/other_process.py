"""What another process does, for the stores that several processes share."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from definitions import read_definition
from lineshaft.ports.ids import RandomIds
from lineshaft.store import SqlStore, open_store

T = TypeVar("T")


def meanwhile(url: str, do: Callable[[SqlStore], Awaitable[T]]) -> T:
    """Do something with another store while a transaction of the first one is open."""
    done: list[T] = []

    async def use() -> None:
        store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
        done.append(await do(store))
        await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(use()))
    thread.start()
    thread.join()
    return done[0]
