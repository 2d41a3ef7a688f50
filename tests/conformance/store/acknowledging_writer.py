"""A program that works on a store for ever and prints what has been acknowledged; to be killed."""

import asyncio
import sys
from collections.abc import Callable

from definitions import read_definition, wide
from lineshaft.model.run import Run
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.store import open_store
from scene import Held, Scene

LINE = b"0123456789abcdef" * 64


async def main(url: str) -> None:
    store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    scene = Scene(store)
    while True:
        run = await scene.run(wide(4))
        say("run", run.id, run.version)
        await asyncio.gather(*(work(scene, held) for held in await scene.claim(4)))


async def work(scene: Scene, held: Held) -> None:
    size = 0
    for _ in range(4):
        size = await scene.store.write(appending(held, size))
        say("log", held.address.run_id, held.address.node, size)
    run: Run = await scene.report(held)
    say("run", run.id, run.version)


def appending(held: Held, size: int) -> Callable[[Transaction], int]:
    def append(transaction: Transaction) -> int:
        return transaction.logs.append(held.address, held.token, size, LINE)

    return append


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 # Whoever started this reads it.


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
